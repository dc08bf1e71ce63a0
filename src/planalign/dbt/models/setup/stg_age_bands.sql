with bands as (
    select * from {{ ref("age_bands") }}
),

final as (
    select
        unnest(generate_series(minimum_age, maximum_age))::integer as age,
        age_band
    from bands
)

select * from final
