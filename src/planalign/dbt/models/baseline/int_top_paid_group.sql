-- docs/method/highly-compensated.md
-- The top 20 % by pay of the year before, for the plans that have elected to look at
-- them: section 414(q)(3). Equal pay is ordered by the employee's key.
with plans as (
    select * from {{ ref("int_plan_provisions") }}
    where highly_compensated_top_paid_group
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

census as (
    select * from {{ ref("stg_census_data") }}
    where is_opening
),

paid as (
    select
        plans.trajectory_id,
        census.employee_key,
        {{ prior_year_pay("census", "plans.year_start") }} as compensation
    from plans
    inner join trajectories
        on
            plans.trajectory_id = trajectories.trajectory_id
            and trajectories.is_first_year
    cross join census

    union all by name

    select
        plans.trajectory_id,
        last_year.employee_key,
        last_year.prorated_annual_compensation as compensation
    from {{ prior_snapshot() }} as last_year
    inner join trajectories
        on
            last_year.scenario_id = trajectories.scenario_id
            and last_year.replicate = trajectories.replicate
            and not trajectories.is_first_year
    inner join plans on trajectories.trajectory_id = plans.trajectory_id
),

final as (
    select
        trajectory_id,
        employee_key
    from paid
    qualify row_number() over (
        partition by trajectory_id
        order by compensation desc, employee_key asc
    ) <= (2 * count(*) over (partition by trajectory_id) + 5) // 10
)

select * from final
