-- docs/method/contributions.md
-- The plan of each scenario and year in one row: provisions, limits of the law, and
-- the behaviour of savers.
with plans as (
    select * from {{ ref("stg_benefit_plans") }}
),

excluded as (
    select
        *,
        case when attribute = 'department' then excluded end as department,
        -- Only levels are cast: the name of a department is no number.
        case when attribute = 'job_level' then excluded::integer end as job_level
    from {{ source("inputs", "plan_exclusions") }}
),

exclusions as (
    select
        scenario_id,
        simulation_year,
        coalesce(
            list(department order by department) filter (where department is not null),
            []::varchar[]
        ) as excluded_departments,
        coalesce(
            list(job_level order by job_level) filter (where job_level is not null),
            []::integer[]
        ) as excluded_levels
    from excluded
    group by scenario_id, simulation_year
),

schedules as (
    select
        scenario_id,
        simulation_year,
        {% for name in ["match", "core"] %}
            any_value(floors) filter (where schedule = '{{ name }}')
                as {{ name }}_floors,
            any_value(rates) filter (where schedule = '{{ name }}_vesting')
                as {{ name }}_vested_rates,
        {% endfor %}
        any_value(rates) filter (where schedule = 'core') as core_rates,
        any_value(spans) filter (where schedule = 'match') as match_spans,
        any_value(tiers) filter (where schedule = 'match') as match_tiers
    from {{ ref("stg_plan_schedules") }}
    group by scenario_id, simulation_year
),

limits as (
    select
        scenario_id,
        simulation_year,
        {% for name in [
            "elective_deferral", "catch_up", "catch_up_60_to_63", "compensation",
            "annual_additions", "wage_base", "roth_catch_up_wages",
        ] %}
            max(amount) filter (where limit_name = '{{ name }}') as {{ name }}_limit,
        {% endfor %}
        max(amount) filter (where limit_name = 'highly_compensated')
            as highly_compensated_limit
    from {{ ref("stg_plan_limits") }}
    group by scenario_id, simulation_year
),

pay_bands as (
    select
        list((minimum_share * 1000000)::bigint order by pay_band)[2:]
            as pay_band_floors
    from {{ ref("savings_pay_bands") }}
),

choices as (
    select
        list(upper_share order by choice)[:-2] as deferral_bounds,
        list(multiple order by choice) as deferral_multiples
    from (
        select
            choice,
            multiple,
            sum(share) over (order by choice)::decimal(10, 9) as upper_share
        from {{ ref("deferral_choices") }}
    )
),

-- Who was eligible before that day may have chosen then.
qaca_matches as (
    select
        scenario_id,
        make_date(min(simulation_year), 1, 1) as qaca_since
    from plans
    where match_formula = 'qaca'
    group by scenario_id
),

final as (
    select
        plans.*,
        make_date(
            plans.simulation_year,
            plans.escalation_date_month,
            plans.escalation_date_day
        ) as escalation_date,
        qaca_matches.qaca_since,
        coalesce(exclusions.excluded_departments, []::varchar[])
            as excluded_departments,
        coalesce(exclusions.excluded_levels, []::integer[]) as excluded_levels,
        schedules.* exclude (scenario_id, simulation_year, match_spans),
        {{ full_match_rates("schedules.match_spans", "plans.match_maximum_rate") }}
            as full_match_rates,
        limits.* exclude (scenario_id, simulation_year, highly_compensated_limit),
        -- Of the year before: its pay decides.
        last_years.highly_compensated_limit as highly_compensated_threshold,
        pay_bands.pay_band_floors,
        choices.deferral_bounds,
        choices.deferral_multiples
    from plans
    inner join schedules
        on
            plans.scenario_id = schedules.scenario_id
            and plans.simulation_year = schedules.simulation_year
    inner join limits
        on
            plans.scenario_id = limits.scenario_id
            and plans.simulation_year = limits.simulation_year
    inner join limits as last_years
        on
            plans.scenario_id = last_years.scenario_id
            and plans.simulation_year - 1 = last_years.simulation_year
    left join exclusions
        on
            plans.scenario_id = exclusions.scenario_id
            and plans.simulation_year = exclusions.simulation_year
    left join qaca_matches on plans.scenario_id = qaca_matches.scenario_id
    cross join pay_bands
    cross join choices
)

select * from final
