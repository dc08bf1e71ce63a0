-- docs/method/opening-workforce.md
-- Who is employed on January 1 of the first year: hired by then, not gone.
with census as (
    select * from {{ source("inputs", "census") }}
),

study as (
    select make_date({{ first_year_of_study() }}, 1, 1) as first_day
),

keyed as (
    select
        census.employee_id,
        {{ employee_key("census.employee_id") }} as employee_key,
        census.birth_date,
        census.hire_date,
        census.annual_compensation,
        census.job_level,
        census.termination_date,
        census.department,
        census.deferral_rate,
        census.weekly_hours,
        census."union" as is_union,
        census.prior_year_compensation,
        census.ownership_percent,
        census.officer as is_officer,
        census.balance_match,
        census.balance_core,
        census.enrollment_status,
        census.enrolled_on,
        census.rehire_date,
        census.roth_share,
        {% for column in extra_columns() %}
            census.{{ column }},
        {% endfor %}
        -- The census is dated January 1 at the latest: who has a date of
        -- termination has left by then.
        census.hire_date <= study.first_day
        and census.termination_date is null
        and coalesce(census.active, true) as is_opening
    from census
    cross join study
),

final as (
    select
        *,
        -- Hires are like the opening workforce: each takes after one of its numbers.
        case
            when is_opening then row_number() over (
                partition by is_opening order by employee_key
            )
        end as profile_number
    from keyed
)

select * from final
