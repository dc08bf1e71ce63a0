-- docs/method/promotions-and-raises.md#raises
-- Who gets a raise in the year, when, and where pay stands in the band by then.
with workforce as (
    select * from {{ ref("int_baseline_workforce") }}
),

trajectories as (
    select * from {{ ref("int_trajectories") }}
),

terminations as (
    select * from {{ ref("int_termination_events") }}
),

reviewed as (
    select
        workforce.trajectory_id,
        workforce.employee_key,
        workforce.job_level,
        workforce.opening_compensation,
        terminations.termination_date,
        trajectories.merit_places,
        trajectories.band_minimums[workforce.job_level] as band_minimum,
        trajectories.band_maximums[workforce.job_level] as band_maximum,
        make_date(
            trajectories.simulation_year,
            {{ position_of(
                "workforce.draw_raise_month", "trajectories.raise_month_bounds"
            ) }},
            1
        ) as raise_date
    from workforce
    inner join trajectories
        on workforce.trajectory_id = trajectories.trajectory_id
    left join terminations
        on
            workforce.trajectory_id = terminations.trajectory_id
            and workforce.employee_key = terminations.employee_key
    where {{ employed_since("workforce") }} < trajectories.raise_cutoff_date
),

final as (
    select
        trajectory_id,
        employee_key,
        job_level,
        raise_date,
        {{ position_in_band(
            "opening_compensation", "band_minimum", "band_maximum", "merit_places"
        ) }} as band_position
    from reviewed
    -- Who has left by the day of the raise gets none.
    where termination_date is null or raise_date < termination_date
)

select * from final
