-- docs/method/hires.md#who
-- The k-th hire of a year is the same person in every scenario: everything about
-- a hire is drawn from the key of its own id.
with trajectories as (
    select * from {{ ref("int_trajectories") }}
),

levels as (
    select * from {{ ref("int_hiring_levels") }}
),

-- Department, hours, union and what a study adds of a hire are those of an employee of
-- the census.
profiles as (
    select
        profile_number,
        {% for column in extra_columns() %}
            {{ column }},
        {% endfor %}
        department,
        weekly_hours,
        is_union
    from {{ ref("stg_census_data") }}
    where is_opening
),

numbered as (
    select
        trajectory_id,
        unnest(generate_series(1, hires))::integer as hire_number
    from {{ ref("int_hiring_requirements") }}
),

identified as (
    select
        numbered.trajectory_id,
        'H' || trajectories.simulation_year || '-'
        || case
            when numbered.hire_number < 1000000
                then lpad(numbered.hire_number::varchar, 6, '0')
            else numbered.hire_number::varchar
        end as employee_id
    from numbered
    inner join trajectories
        on numbered.trajectory_id = trajectories.trajectory_id
),

keyed as (
    select
        trajectory_id,
        employee_id,
        {{ employee_key("employee_id") }} as employee_key
    from identified
),

drawn as (
    select *
    from {{ with_draws("keyed", [
        "hire_level", "hire_age", "hire_birth_day", "hire_month", "hire_day",
        "hire_pay", "hire_profile", "new_hire_termination",
        "new_hire_termination_day",
    ]) }}
),

classed as (
    select
        drawn.*,
        {{ position_of(
            "drawn.draw_hire_level", "levels.level_bounds"
        ) }}::integer as job_level,
        {{ position_of("drawn.draw_hire_age", "trajectories.hire_age_bounds") }}
            as age_class,
        make_date(
            trajectories.simulation_year,
            {{ position_of(
                "drawn.draw_hire_month", "trajectories.hire_month_bounds"
            ) }},
            1
        ) as hire_month
    from drawn
    inner join trajectories
        on drawn.trajectory_id = trajectories.trajectory_id
    inner join levels on drawn.trajectory_id = levels.trajectory_id
),

valued as (
    select
        classed.trajectory_id,
        classed.employee_id,
        classed.employee_key,
        classed.job_level,
        classed.draw_hire_birth_day,
        classed.draw_new_hire_termination,
        classed.draw_new_hire_termination_day,
        floor(
            classed.draw_hire_profile
            * (select count(*)::decimal(18, 0) from profiles)
        )::bigint + 1 as profile_number,
        {{ day_between(
            "classed.hire_month", "last_day(classed.hire_month)",
            "classed.draw_hire_day"
        ) }} as hire_date,
        trajectories.hire_age_lowest[classed.age_class]::integer as youngest,
        trajectories.hire_age_highest[classed.age_class]::integer as oldest,
        trajectories.band_minimums[classed.job_level] as band_minimum,
        trajectories.band_maximums[classed.job_level] as band_maximum,
        (
            trajectories.pay_percentile_low
            + (trajectories.pay_percentile_high - trajectories.pay_percentile_low)
            * classed.draw_hire_pay
        ) as pay_percentile
    from classed
    inner join trajectories
        on classed.trajectory_id = trajectories.trajectory_id
),

final as (
    select
        valued.trajectory_id,
        valued.employee_id,
        valued.employee_key,
        valued.hire_date,
        valued.job_level,
        -- Born on a day of the years that make the hire's age fall into the class.
        (
            (valued.hire_date - to_years(valued.youngest))::date
            - floor(
                valued.draw_hire_birth_day
                * ((valued.oldest - valued.youngest + 1) * 365)::decimal(6, 0)
            )::integer
        ) as birth_date,
        {{ money(
            "valued.band_minimum + (valued.band_maximum - valued.band_minimum)"
            ~ "::decimal(38, 2) * valued.pay_percentile"
        ) }} as compensation,
        profiles.department,
        coalesce(profiles.weekly_hours, 40)::decimal(5, 2) as weekly_hours,
        coalesce(profiles.is_union, false) as is_union,
        {% for column in extra_columns() %}
            profiles.{{ column }},
        {% endfor %}
        valued.draw_new_hire_termination,
        valued.draw_new_hire_termination_day
    from valued
    left join profiles on valued.profile_number = profiles.profile_number
)

select * from final
