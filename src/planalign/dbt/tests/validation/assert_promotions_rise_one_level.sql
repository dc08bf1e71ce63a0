-- One level up, never above the highest, and never to less pay than the new band's
-- minimum.
select changes.*
from {{ ref("int_workforce_changes") }} as changes
inner join {{ ref("int_trajectories") }} as trajectories
    on changes.trajectory_id = trajectories.trajectory_id
where
    changes.promotion_date is not null
    and (
        changes.job_level <> changes.opening_job_level + 1
        or changes.job_level > len(trajectories.band_minimums)
        or changes.compensation_after_promotion
        < trajectories.band_minimums[changes.job_level]
    )
