-- docs/method/limits.md
-- The limits of each simulated year: as published, or indexed from the last published
-- amount, unrounded in between. The increase over it is rounded down to the statutory
-- multiple; where the law rounds the amount itself, to the nearest. A year before the
-- first published one takes the first.
with recursive plans as (
    select * from {{ source("inputs", "benefit_plans") }}
),

-- With the year before the first: pay in it decides who is highly compensated.
parameters as (
    select
        scenario_id,
        simulation_year,
        limits_price_index_rate,
        limits_wage_index_rate
    from plans

    union all by name

    select
        scenario_id,
        min(simulation_year) - 1 as simulation_year,
        arg_min(limits_price_index_rate, simulation_year) as limits_price_index_rate,
        arg_min(limits_wage_index_rate, simulation_year) as limits_wage_index_rate
    from plans
    group by scenario_id
),

overrides as (
    select * from {{ source("inputs", "plan_limit_overrides") }}
),

published as (
    select * from {{ ref("plan_limits") }}
),

rules as (
    select * from {{ ref("plan_limit_rules") }}
),

spans as (
    select
        rules.limit_name,
        rules.multiple,
        rules.rounding,
        rules.index_name,
        min(published.plan_year) as first_year,
        max(published.plan_year) as last_year,
        map(
            list(published.plan_year order by published.plan_year),
            list(published.amount order by published.plan_year)
        ) as amounts
    from rules
    inner join published on rules.limit_name = published.limit_name
    group by rules.limit_name, rules.multiple, rules.rounding, rules.index_name
),

simulated as (
    select
        scenario_id,
        min(simulation_year) as first_year,
        max(simulation_year) as last_year
    from parameters
    group by scenario_id
),

index_starts as (
    select distinct
        index_name,
        last_year
    from spans
),

-- The index since the last published year: 1, 1 + rate, .. A year before the first
-- simulated one grows by that one's rate.
indices as (
    select
        simulated.scenario_id,
        simulated.first_year,
        simulated.last_year,
        index_starts.index_name,
        index_starts.last_year as published_until,
        index_starts.last_year as index_year,
        1::decimal(24, 12) as factor
    from simulated
    cross join index_starts

    union all

    select
        indices.scenario_id,
        indices.first_year,
        indices.last_year,
        indices.index_name,
        indices.published_until,
        indices.index_year + 1 as index_year,
        round(
            indices.factor * (1 + case indices.index_name
                when 'wage' then parameters.limits_wage_index_rate
                else parameters.limits_price_index_rate
            end)::decimal(8, 6), 12
        )::decimal(24, 12) as factor
    from indices
    inner join parameters
        on
            indices.scenario_id = parameters.scenario_id
            and greatest(indices.index_year + 1, indices.first_year)
            = parameters.simulation_year
    where indices.index_year < indices.last_year
),

placed as (
    select
        parameters.scenario_id,
        parameters.simulation_year,
        spans.limit_name,
        spans.multiple,
        spans.rounding,
        spans.last_year,
        spans.amounts[spans.last_year]::bigint as last_amount,
        spans.amounts,
        spans.index_name,
        -- The published year to look up; beyond the last, the years to index.
        least(greatest(parameters.simulation_year, spans.first_year), spans.last_year)
            as published_year,
        greatest(parameters.simulation_year, spans.last_year) as index_year,
        (
            parameters.simulation_year < spans.first_year
            or parameters.simulation_year > spans.last_year
        ) as is_estimate
    from parameters
    cross join spans
),

-- Twice the unrounded amount in whole dollars: enough to tell what rounds down, and
-- which side of half a multiple an amount is on.
indexed as (
    select
        placed.*,
        floor(2 * placed.last_amount::decimal(12, 0) * indices.factor)::bigint
            as doubled
    from placed
    inner join indices
        on
            placed.scenario_id = indices.scenario_id
            and placed.index_name = indices.index_name
            and placed.last_year = indices.published_until
            and placed.index_year = indices.index_year
),

final as (
    select
        indexed.scenario_id,
        indexed.simulation_year,
        indexed.limit_name,
        case
            when overrides.amount is not null then overrides.amount
            when indexed.index_year = indexed.last_year
                then indexed.amounts[indexed.published_year]
            when indexed.rounding = 'nearest'
                then
                    (indexed.doubled + indexed.multiple)
                    // (2 * indexed.multiple) * indexed.multiple
            else
                indexed.last_amount
                + (indexed.doubled - 2 * indexed.last_amount)
                // (2 * indexed.multiple) * indexed.multiple
        end::bigint as amount,
        indexed.is_estimate and overrides.amount is null as is_estimate
    from indexed
    left join overrides
        on
            indexed.scenario_id = overrides.scenario_id
            and indexed.simulation_year = overrides.plan_year
            and indexed.limit_name = overrides.limit_name
)

select * from final
