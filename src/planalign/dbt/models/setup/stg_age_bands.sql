-- docs/method/opening-workforce.md
with final as (
    {{ band_of_each("age") }}
)

select * from final
