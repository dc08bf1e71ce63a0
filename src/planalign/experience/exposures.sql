-- Who was exposed in each year, and what became of them: from person_years, one row per
-- person and census, and the models of rates. See docs/method/experience.md.

create table years as
select
    number,
    any_value(start_day) as start_day,
    any_value(end_day) as end_day,
    (any_value(end_day) - any_value(start_day) + 1)::integer as days,
    year(any_value(end_day))::integer as experience_year
from person_years
group by number;

-- Somebody absent from one census, and in a later one with the same first day, was
-- employed throughout: the row of the census before stands for the one that is missing.
create table filled as
with gaps as (
    select
        earlier.*,
        later.number as next_number
    from person_years as earlier
    inner join person_years as later
        on
            earlier.person = later.person
            and earlier.number < later.number - 1
            and earlier.told_hire_date = later.told_hire_date
            and coalesce(later.rehire_date <= earlier.end_day, true)
    where
        earlier.is_active
        and later.is_active
        and not exists (
            select 1 from person_years as between_them
            where
                between_them.person = earlier.person
                and between_them.number > earlier.number
                and between_them.number < later.number
        )
),

missing as (
    select unnest(range(gaps.number + 1, gaps.next_number)) as missing_number, *
    from gaps
)

select
    missing.* exclude (missing_number, next_number)
    replace (
        missing.missing_number::integer as number,
        years.start_day as start_day,
        years.end_day as end_day
    ),
    true as is_filled
from missing
inner join years on missing.missing_number = years.number;

create table people as
select *, false as is_filled from person_years
union all by name
select * from filled;

-- The first census shows the opening workforce of its own year only if it lists who left:
-- their level and pay are those of its end.
create table opening as
select
    years.number,
    before.person,
    before.birth_date,
    before.hire_date,
    before.job_level,
    before.department,
    before.annual_compensation as pay_before,
    before.deferral_rate as deferral_before,
    before.enrollment_status as status_before,
    before.is_filled,
    false as is_first
from people as before
inner join years on before.number = years.number - 1
where before.is_active
union all by name
select
    people.number,
    people.person,
    people.birth_date,
    people.hire_date,
    people.job_level,
    people.department,
    false as is_filled,
    true as is_first
from people
inner join years on people.number = years.number
where
    people.number = 0
    and people.hire_date <= years.start_day
    and (
        people.is_active
        or people.termination_date between years.start_day and years.end_day
    );

create table exposed as
with met as (
    select
        opening.*,
        years.experience_year,
        years.start_day,
        years.end_day,
        after.person is null as is_vanished,
        not coalesce(after.is_active, false) as has_left,
        case when not after.is_active then after.termination_date end
            as termination_date,
        after.is_active and not after.is_filled and not opening.is_filled
        and not opening.is_first as is_stayer,
        after.job_level as level_after,
        after.annual_compensation as pay_after,
        after.deferral_rate as deferral_after,
        after.enrollment_status as status_after,
        after.rating,
        regexp_matches(lower(coalesce(after.reason, '')), 'retire')
            as is_called_retired,
        after.reason is not null as has_reason,
        least(130, year(years.start_day) - year(opening.birth_date) - (
            month(years.start_day) * 32 + day(years.start_day)
            < month(opening.birth_date) * 32 + day(opening.birth_date)
        )::integer)::integer as age,
        least(130, greatest(
            0, year(years.start_day) - year(opening.hire_date) - (
                month(years.start_day) * 32 + day(years.start_day)
                < month(opening.hire_date) * 32 + day(opening.hire_date)
            )::integer
        ))::integer as tenure
    from opening
    inner join years on opening.number = years.number
    left join people as after
        on opening.number = after.number and opening.person = after.person
)

select
    met.*,
    age_bands.age_band,
    tenure_bands.tenure_band,
    hazards.voluntary_hazard::double as voluntary_hazard,
    hazards.retirement_hazard::double as retirement_hazard,
    hazards.promotion_hazard::double as promotion_hazard
from met
inner join stg_age_bands as age_bands on met.age = age_bands.age
inner join stg_tenure_bands as tenure_bands on met.tenure = tenure_bands.tenure
inner join stg_hazards as hazards
    on
        met.age = hazards.age
        and tenure_bands.tenure_band = hazards.tenure_band
        and met.job_level = hazards.job_level;

-- Hires of a year, as far as a census shows them: who left again only where it lists leavers.
create table hired as
select
    people.number,
    years.experience_year,
    people.person,
    people.job_level,
    people.department,
    people.hire_date,
    people.annual_compensation as pay,
    month(people.hire_date)::integer as hire_month,
    (year(people.hire_date) - year(people.birth_date) - (
        month(people.hire_date) * 32 + day(people.hire_date)
        < month(people.birth_date) * 32 + day(people.birth_date)
    )::integer)::integer as age_at_hire,
    not people.is_active as has_left,
    (years.end_day - people.hire_date + 1)::double / years.days as exposure
from people
inner join years on people.number = years.number
where
    people.hire_date between years.start_day and years.end_day
    and (people.number > 0 or people.hire_date > years.start_day)
    and not exists (
        select 1 from people as before
        where before.person = people.person and before.number < people.number
    );

-- One row per year: the identity of headcounts, and how much of it the files explain.
create table movement as
with opened as (
    select
        number,
        count(*) as opening_headcount,
        count(*) filter (has_left) as leavers,
        count(*) filter (has_left and is_vanished) as vanished,
        count(*) filter (has_left and termination_date is not null) as dated_leavers
    from exposed
    group by number
),

joined as (
    select
        number,
        count(*) as hires,
        count(*) filter (has_left) as hires_left
    from hired
    group by number
),

closed as (
    select
        people.number,
        count(*) as closing_headcount,
        count(*) filter (people.is_filled) as absent_but_employed,
        -- Employed now, not before, and hired before the year began.
        count(*) filter (
            people.number > 0
            and before.person is null
            and people.hire_date < years.start_day
            and earlier.person is not null
        ) as came_back,
        count(*) filter (
            people.number > 0
            and before.person is null
            and people.hire_date < years.start_day
            and earlier.person is null
        ) as appeared,
        sum(people.annual_compensation) as payroll
    from people
    inner join years on people.number = years.number
    left join people as before
        on
            people.person = before.person
            and before.number = people.number - 1
            and before.is_active
    left join (
        select
            person,
            min(number) as first_number
        from people
        group by person
    ) as earlier
        on
            people.person = earlier.person
            and people.number > earlier.first_number
    where people.is_active
    group by people.number
)

select
    years.*,
    coalesce(opened.opening_headcount, 0) as opening_headcount,
    coalesce(opened.leavers, 0) as leavers,
    coalesce(opened.vanished, 0) as vanished,
    coalesce(opened.dated_leavers, 0) as dated_leavers,
    coalesce(joined.hires, 0) as hires,
    coalesce(joined.hires_left, 0) as hires_left,
    coalesce(closed.came_back, 0) as came_back,
    coalesce(closed.appeared, 0) as appeared,
    coalesce(closed.absent_but_employed, 0) as absent_but_employed,
    coalesce(closed.closing_headcount, 0) as closing_headcount,
    coalesce(closed.payroll, 0) as payroll
from years
left join opened on years.number = opened.number
left join joined on years.number = joined.number
left join closed on years.number = closed.number
order by years.number;
