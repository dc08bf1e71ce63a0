-- docs/method/parameters.md
-- What every row of a trajectory needs to know in this year, in one row, so that
-- the models of the year meet it by one integer key. By-level values are lists
-- indexed by job level.
with years as (
    select
        {{ year_in_hand() }} as simulation_year,
        {{ first_year_of_study() }} as start_year
),

trajectories as (
    select * from {{ trajectories_in_hand() }}
),

scenarios as (
    select * from {{ ref("stg_scenarios") }}
),

distributions as (
    select * from {{ ref("stg_distributions") }}
),

merit_matrix as (
    select * from {{ ref("stg_merit_matrix") }}
),

by_scenario as (
    select
        scenario_id,
        max(target_growth_rate) as target_growth_rate,
        max(total_termination_rate) as total_termination_rate,
        max(new_hire_termination_rate) as new_hire_termination_rate,
        max(promotion_rate) as promotion_rate,
        max(promotions) as promotions,
        max(alignment) as alignment,
        max(hiring_levels) as hiring_levels,
        max(pay_percentile_low) as pay_percentile_low,
        max(pay_percentile_high) as pay_percentile_high,
        list(cola_rate order by job_level) as cola_rates,
        list(merit_budget order by job_level) as merit_budgets,
        list(promotion_increase order by job_level) as promotion_increases,
        list(band_minimum order by job_level) as band_minimums,
        list(band_maximum order by job_level) as band_maximums
    from {{ ref("int_effective_parameters") }}
    where simulation_year = {{ year_in_hand() }}
    group by scenario_id
),

by_distribution as (
    select
        scenario_id,
        {% for name in [
            "hire_level", "hire_age", "hire_month", "raise_month",
            "promotion_month", "performance",
        ] %}
            any_value(bounds) filter (
                where distribution = '{{ name }}'
            ) as {{ name }}_bounds,
        {% endfor %}
        any_value(lower_values) filter (where distribution = 'hire_age')
            as hire_age_lowest,
        any_value(upper_values) filter (where distribution = 'hire_age')
            as hire_age_highest,
        any_value(labels) filter (where distribution = 'performance')
            as performance_ratings,
        any_value(lower_values) filter (where distribution = 'performance')
            as promotion_factors
    from distributions
    group by scenario_id
),

-- The places in the band at which another position begins.
by_position as (
    select
        scenario_id,
        coalesce(
            list(from_place order by position) filter (where position > 1),
            []::decimal(9, 6)[]
        ) as merit_places
    from merit_matrix
    where rating = 1
    group by scenario_id
),

final as (
    select
        trajectories.trajectory_id,
        trajectories.scenario_id,
        trajectories.replicate,
        trajectories.random_seed,
        years.simulation_year,
        years.simulation_year = years.start_year as is_first_year,
        make_date(years.simulation_year, 1, 1) as year_start,
        make_date(years.simulation_year, 12, 31) as year_end,
        (
            make_date(years.simulation_year, 12, 31)
            - make_date(years.simulation_year, 1, 1) + 1
        )::integer as days_in_year,
        -- Hired on or after this date waits for the raise of the next year.
        make_date(
            years.simulation_year - 1,
            scenarios.raise_cutoff_month,
            scenarios.raise_cutoff_day
        ) as raise_cutoff_date,
        -- The lower half of the ids of this trajectory's events of the year.
        md5_number_lower(
            trajectories.scenario_id || '|' || trajectories.replicate
            || '|' || years.simulation_year
        ) as event_digest,
        by_scenario.* exclude (scenario_id),
        by_distribution.* exclude (scenario_id),
        by_position.merit_places
    from trajectories
    cross join years
    inner join scenarios on trajectories.scenario_id = scenarios.scenario_id
    inner join by_scenario on trajectories.scenario_id = by_scenario.scenario_id
    inner join by_distribution
        on trajectories.scenario_id = by_distribution.scenario_id
    inner join by_position on trajectories.scenario_id = by_position.scenario_id
)

select * from final
