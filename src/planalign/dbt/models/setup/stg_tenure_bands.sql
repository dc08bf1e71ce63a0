-- docs/method/opening-workforce.md
with final as (
    {{ band_of_each("tenure") }}
)

select * from final
