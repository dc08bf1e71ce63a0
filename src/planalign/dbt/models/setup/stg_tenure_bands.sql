with bands as (
    select * from {{ ref("tenure_bands") }}
),

final as (
    select
        unnest(generate_series(minimum_tenure, maximum_tenure))::integer as tenure,
        tenure_band
    from bands
)

select * from final
