-- docs/method/vesting.md
-- What leavers forfeit in the year, and what becomes of it, all in the year itself.
with trajectories as (
    select trajectory_id from {{ ref("int_trajectories") }}
),

plans as (
    select
        trajectory_id,
        forfeitures_use,
        forfeitures_expense_per_participant
    from {{ ref("int_plan_provisions") }}
),

contributions as (
    select * from {{ ref("int_plan_contributions") }}
),

added as (
    select
        trajectory_id,
        sum(forfeited_match + forfeited_core) as forfeitures,
        sum(match_contribution + true_up_contribution + core_contribution)
            as employer_contribution,
        count(*) filter (where match_account + core_account > 0 or deferral_rate > 0)
            as participants,
        sum(allocation_compensation) as allocation_base
    from contributions
    where is_covered or match_account + core_account > 0
    group by trajectory_id
),

spent as (
    select
        trajectories.trajectory_id,
        plans.forfeitures_use,
        coalesce(added.forfeitures, 0)::decimal(18, 2) as forfeitures,
        coalesce(added.employer_contribution, 0)::decimal(18, 2)
            as employer_contribution,
        coalesce(added.allocation_base, 0)::decimal(18, 2) as allocation_base,
        case
            when plans.forfeitures_use = 'pay_expenses'
                then least(
                    coalesce(added.forfeitures, 0),
                    plans.forfeitures_expense_per_participant
                    * coalesce(added.participants, 0)
                )
            else 0
        end::decimal(18, 2) as expenses_paid
    from trajectories
    inner join plans on trajectories.trajectory_id = plans.trajectory_id
    left join added on trajectories.trajectory_id = added.trajectory_id
),

final as (
    select
        trajectory_id,
        forfeitures,
        allocation_base,
        expenses_paid,
        -- What expenses leave over reduces the employer's contributions.
        case
            when forfeitures_use = 'reallocate' then 0
            else least(forfeitures - expenses_paid, employer_contribution)
        end::decimal(18, 2) as cost_reduction,
        case when forfeitures_use = 'reallocate' then forfeitures else 0 end
        ::decimal(18, 2) as to_allocate
    from spent
)

select * from final
