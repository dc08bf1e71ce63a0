-- The snapshot has the opening workforce and the hires, and nobody else.
with expected as (
    select
        trajectories.scenario_id,
        trajectories.replicate,
        requirements.opening_headcount + requirements.hires as headcount
    from {{ ref("int_hiring_requirements") }} as requirements
    inner join {{ ref("int_trajectories") }} as trajectories
        on requirements.trajectory_id = trajectories.trajectory_id
),

found as (
    select
        scenario_id,
        replicate,
        count(*) as headcount
    from {{ ref("fct_workforce_snapshot") }}
    where simulation_year = {{ year_in_hand() }}
    group by scenario_id, replicate
)

select
    expected.scenario_id,
    expected.replicate,
    expected.headcount as expected_headcount,
    found.headcount
from expected
left join found
    on
        expected.scenario_id = found.scenario_id
        and expected.replicate = found.replicate
where expected.headcount <> coalesce(found.headcount, 0)
