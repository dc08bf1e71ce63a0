-- docs/method/promotions-and-raises.md#vacancies
-- How many of the opening workforce of the first year have each job level.
with census as (
    select * from {{ ref("stg_census_data") }}
),

final as (
    select
        job_level,
        count(*) as employees
    from census
    where is_opening
    group by job_level
)

select * from final
