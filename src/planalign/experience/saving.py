"""Who saves, how much, and who changes: against what the models of saving expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.config import value_at
from planalign.experience import credibility
from planalign.experience.credibility import MARGIN, TOTAL
from planalign.experience.estimates import Estimate, compared
from planalign.experience.leaving import Found

if TYPE_CHECKING:
    import duckdb

    from planalign.config import Plan

# The longest wait for the next entry date, in months.
_WAITS = {"immediate": 0, "monthly": 1, "quarterly": 3, "semiannual": 6}
_DIMENSIONS = ("age_band", "tenure_band", "pay_band")


def fit_saving(
    connection: duckdb.DuckDBPyConnection, plan: Plan, year: int
) -> tuple[Found, dict[str, dict[str, dict[str, float]]]]:
    """Fit participation, deferrals, changes, and what automatic enrolment does.

    Args:
        connection: with `people`, `exposed` and the models of saving.
        plan: of the study, which says who may take part.
        year: of the plan's provisions that count.

    Returns:
        What was found, and the factors by table column, dimension and class.

    """
    found = Found()
    factors: dict[str, dict[str, dict[str, float]]] = {}
    (told,) = connection.execute("select count(deferral_rate) from people").fetchall()[0]
    if not told:
        for key in ("participation_factor", "deferral_factor", "change_rate"):
            found.untold[f"plan.behavior.{key}"] = "the censuses have no deferral rates"
        return found, factors
    _build_savers(connection, plan, year)
    _fit_changes(connection, plan, year, found)
    automatic, statuses = connection.execute(
        "select count(*) filter (enrollment_status = 'automatic'), count(enrollment_status) "
        "from people where is_active"
    ).fetchall()[0]
    is_automatic = bool(automatic) or bool(value_at(plan.automatic_enrollment.enabled, year))
    if is_automatic:
        _fit_automatic(connection, plan, year, found, statuses)
        found.untold["plan.behavior.participation_factor"] = (
            "people are enrolled automatically: how many would enrol unasked cannot be seen"
        )
    else:
        factors["participation_rate"] = _fit_participation(connection, plan, year, found)
    factors["deferral_rate"] = _fit_deferral(connection, plan, year, found)
    return found, factors


def _build_savers(connection: duckdb.DuckDBPyConnection, plan: Plan, year: int) -> None:
    """Make the table `eligible`: who may take part on each census day, and for sure.

    `savers` are those of the last census: the same people in each are seen once. Of who
    may have to wait for an entry date it is not known whether they did; they are left out,
    with those whom the plan excludes.
    """
    eligibility = plan.eligibility
    months = (
        value_at(eligibility.months_of_service, year)
        + _WAITS[value_at(eligibility.entry_dates, year)]
    )
    connection.execute(
        """
        create or replace table eligible as
        with told as (
            select
                people.*,
                (year(end_day) - year(birth_date) - (
                    month(end_day) * 32 + day(end_day)
                    < month(birth_date) * 32 + day(birth_date)
                )::integer)::integer as age,
                greatest(0, year(end_day) - year(hire_date) - (
                    month(end_day) * 32 + day(end_day)
                    < month(hire_date) * 32 + day(hire_date)
                )::integer)::integer as tenure
            from people
            where
                is_active and not is_filled and deferral_rate is not null
        ),

        -- Of the year, or the last one published before it.
        wage_bases as (
            select years.number, arg_max(amount, plan_year) as amount
            from years
            inner join plan_limits
                on limit_name = 'wage_base' and plan_year <= years.experience_year
            group by years.number
        )

        select
            told.*,
            age_bands.age_band,
            tenure_bands.tenure_band,
            behavior.pay_band,
            behavior.participation_rate::double as usual_participation,
            behavior.deferral_rate::double as usual_deferral,
            behavior.opt_out_factor::double as usual_opting_out,
            told.deferral_rate > 0 as is_saver
        from told
        inner join wage_bases on told.number = wage_bases.number
        inner join stg_age_bands as age_bands
            on least(told.age, 130) = age_bands.age
        inner join stg_tenure_bands as tenure_bands
            on least(told.tenure, 130) = tenure_bands.tenure
        inner join stg_savings_behavior as behavior
            on
                age_bands.age_band = behavior.age_band
                and tenure_bands.tenure_band = behavior.tenure_band
                and behavior.pay_band = (
                    select count(*) from savings_pay_bands as bands
                    where bands.minimum_share * wage_bases.amount
                        <= told.annual_compensation
                )
        where
            (birth_date + to_months(12 * $age + $wait))::date <= end_day
            and (hire_date + to_months($months))::date <= end_day
            and not ($union and coalesce("union", false))
            and not coalesce(list_contains($departments::varchar[], department), false)
            and not list_contains($levels::integer[], job_level)
        """,
        {
            "age": value_at(eligibility.minimum_age, year),
            "wait": _WAITS[value_at(eligibility.entry_dates, year)],
            "months": months,
            "union": value_at(eligibility.exclude_union, year),
            "departments": [*value_at(eligibility.excluded_departments, year)],
            "levels": [*value_at(eligibility.excluded_levels, year)],
        },
    )
    connection.execute(
        "create or replace table savers as from eligible "
        "where number = (select max(number) from people)"
    )


def _fit_participation(
    connection: duckdb.DuckDBPyConnection, plan: Plan, year: int, found: Found
) -> dict[str, dict[str, float]]:
    prior = float(value_at(plan.behavior.participation_factor, year))
    connection.execute(
        "create or replace table compared as select *, is_saver::integer::double as actual, "
        "least(1, usual_participation * ?) as expected from savers",
        [prior],
    )
    exposure, actual, expected = connection.execute(
        "select count(*), sum(actual), sum(expected) from compared"
    ).fetchall()[0]
    if not exposure:
        found.untold["plan.behavior.participation_factor"] = "nobody is surely eligible"
        return {}
    stock = credibility.rate(actual, exposure, expected / exposure, TOTAL).blended * exposure
    # How people who have just come decide is what the model asks for: whoever saves goes
    # on, so that all savers together tell of earlier years too. These stand in for few.
    hired, joined, willing = connection.execute(
        "select count(*), count(*) filter (is_saver), coalesce(sum(usual_participation), 0) "
        "from (from eligible where hire_date >= (select min(start_day) from years) "
        "qualify row_number() over (partition by person order by number) = 1)"
    ).fetchall()[0]
    of_stock = stock / expected * prior
    key = "plan.behavior.participation_factor"
    note = (
        f"{actual / exposure:.1%} of {exposure:,} surely eligible save, {expected / exposure:.1%} "
        f"would by the tables in force: a factor of {actual / expected * prior:.3f}, which stands "
        "in for own experience of those hired in these years where they are few."
    )
    if willing > 0:
        usual = min(1.0, of_stock * willing / hired)
        full = credibility.rate(joined, hired, usual, TOTAL)
        scale = hired / willing
        low, high = credibility.wilson(joined, hired)
        blend = credibility.Blend(
            joined / willing, of_stock, full.credibility, low * scale, high * scale
        )
    else:
        blend = credibility.Blend(None, of_stock, 0.0, None, None)
    found.estimates.append(Estimate(key, blend, hired, joined, error=blend.error, note=note))
    if actual:
        connection.execute("update compared set expected = expected * ?", [actual / expected])
    factors = {}
    for dimension in _DIMENSIONS:
        cells, factors[dimension] = compared(connection, "participation", dimension, MARGIN)
        found.cells += cells
    return factors


def _fit_deferral(
    connection: duckdb.DuckDBPyConnection, plan: Plan, year: int, found: Found
) -> dict[str, dict[str, float]]:
    prior = float(value_at(plan.behavior.deferral_factor, year))
    # The default rate says nothing about what somebody would choose.
    connection.execute(
        "create or replace table compared as select *, deferral_rate::double as actual, "
        "usual_deferral * ? as expected from savers "
        "where is_saver and coalesce(enrollment_status <> 'automatic', true)",
        [prior],
    )
    savers, average, spread, expected = connection.execute(
        "select count(*), avg(actual), coalesce(stddev_samp(actual / expected), 0), "
        "avg(expected) from compared"
    ).fetchall()[0]
    key = "plan.behavior.deferral_factor"
    if not savers:
        found.untold[key] = "nobody saves at a rate of their own"
        return {}
    error = prior * max(spread, 0.5 / savers**0.5) / savers**0.5
    of_all = prior * average / expected
    of_stock = credibility.mean(of_all, error, prior, TOTAL, of_all).blended
    # Rates that were chosen in these years, over what the models expect of a choice: who
    # chose long ago was younger then.
    chosen, own, spread = connection.execute(
        """
        with choosers as (
            select person, number
            from (
                from eligible
                where hire_date >= (select min(start_day) from years)
                qualify row_number() over (partition by person order by number) = 1
            )
            where is_saver
            union
            select person, number from changes where is_choice
        )

        select
            count(*),
            avg(deferral_rate / usual_deferral)
            / (select sum(share * multiple) / sum(share) from deferral_choices),
            coalesce(stddev_samp(deferral_rate / usual_deferral), 0)
        from choosers inner join eligible using (person, number)
        where coalesce(enrollment_status <> 'automatic', true)
        """
    ).fetchall()[0]
    note = (
        f"{savers:,} savers defer {average:.2%} of pay on average, {expected:.2%} by the tables in "
        f"force: a factor of {of_all:.3f}, which stands in for the rates chosen in these years "
        "where they are few."
    )
    if chosen:
        error = max(spread, 0.5 / chosen**0.5) / chosen**0.5
        blend = credibility.mean(own, error, of_stock, TOTAL, own)
    else:
        blend = credibility.Blend(None, of_stock, 0.0, None, None)
    found.estimates.append(Estimate(key, blend, chosen, error=blend.error, note=note))
    connection.execute("update compared set expected = expected * ?", [average / expected])
    # Of a saver's rate over the usual one: it spreads less than a count of events does, so
    # that a class of savers is believed no more than one of as many events.
    factors = {}
    connection.execute("alter table compared rename actual to rate")
    connection.execute("alter table compared rename expected to usual")
    connection.execute("alter table compared add column actual double")
    connection.execute("alter table compared add column expected double")
    connection.execute("update compared set actual = rate / usual, expected = 1")
    for dimension in _DIMENSIONS:
        cells, factors[dimension] = compared(
            connection, "deferral", dimension, MARGIN, are_counts=False
        )
        found.cells += cells
    return factors


def _fit_changes(
    connection: duckdb.DuckDBPyConnection, plan: Plan, year: int, found: Found
) -> None:
    """Fit the share of savers who choose another rate in a year, without escalation."""
    step = float(value_at(plan.escalation.step, year))
    escalates = bool(value_at(plan.escalation.enabled, year))
    # Whose rate may rise by itself is left out, as far as others are known: a rise by
    # exactly the step could be either.
    connection.execute(
        """
        create or replace table changes as
        select
            person, number, deferral_before, deferral_after,
            abs(deferral_after - deferral_before - $step) < 1e-6 as is_step,
            case
                when status_before is not null and not $all
                    then status_before = 'automatic'
                else $escalates
            end as may_rise,
            deferral_after > 0
            and abs(deferral_after - deferral_before) > 1e-6
            and not (may_rise and is_step) as is_choice
        from exposed where is_stayer
        """,
        {
            "step": step,
            "escalates": escalates,
            "all": escalates and value_at(plan.escalation.scope, year) == "all",
        },
    )
    both, steps, stopped, began, silent, others = connection.execute(
        """
        select
            count(*) filter (deferral_before > 0 and deferral_after > 0),
            count(*) filter (deferral_before > 0 and is_step),
            count(*) filter (deferral_before > 0 and deferral_after = 0),
            count(*) filter (deferral_before = 0 and deferral_after > 0),
            count(*) filter (deferral_before = 0 and deferral_after is not null),
            count(*) filter (deferral_before > 0 and deferral_after > 0 and not may_rise)
        from changes
        """
    ).fetchall()[0]
    savers, changes = connection.execute(
        """
        select
            count(*),
            count(*) filter (is_choice)
        from changes
        where deferral_before > 0 and deferral_after > 0 and not (may_rise and $others > 0)
        """,
        {"others": others},
    ).fetchall()[0]
    key = "plan.behavior.change_rate"
    if not savers:
        found.untold[key] = "nobody saves in two censuses that follow each other"
        return
    prior = float(value_at(plan.behavior.change_rate, year))
    blend = credibility.rate(changes, savers, prior, TOTAL)
    found.estimates.append(Estimate(key, blend, savers, changes, error=blend.error))
    found.notes.append(
        f"Of {both + stopped} savers who stayed a year, {steps} rose by exactly {step:.1%}, "
        f"{stopped} stopped; {changes} of {savers} whose rate does not rise by itself chose "
        f"another one. Of {silent} others {began} "
        "began to save. The model lets nobody stop; who begins follows from age, tenure and pay."
    )
    if steps > both / 3 and not escalates:
        found.notes.append(
            f"{steps} of {both} savers rose by exactly {step:.1%}: escalation, it seems. Give "
            "--config with plan.escalation.enabled: true, and it is told from changes."
        )


def _fit_automatic(
    connection: duckdb.DuckDBPyConnection, plan: Plan, year: int, found: Found, statuses: int
) -> None:
    """Fit opting out and own choice among those whom automatic enrolment is for."""
    keys = (
        "plan.automatic_enrollment.opt_out_rate",
        "plan.behavior.own_choice_share",
        "plan.escalation.opt_out_rate",
    )
    if not statuses:
        for key in keys:
            found.untold[key] = "the censuses do not say who was enrolled automatically"
        return
    automatic, opted_out, voluntary, opting, willing = connection.execute(
        """
        -- How those hired in the years of the censuses decided when they could first: later
        -- some choose anew, and then count as having chosen.
        with first_told as (
            select *
            from eligible
            where
                enrollment_status in ('automatic', 'opted_out', 'voluntary')
                and hire_date >= (select min(start_day) from years)
            qualify row_number() over (partition by person order by number) = 1
        )

        select
            count(*) filter (enrollment_status = 'automatic'),
            count(*) filter (enrollment_status = 'opted_out'),
            count(*) filter (enrollment_status = 'voluntary'),
            coalesce(sum(usual_opting_out), 0),
            coalesce(sum(usual_participation), 0)
        from first_told
        """
    ).fetchall()[0]
    in_all = automatic + opted_out + voluntary
    if not in_all:
        for key in keys:
            found.untold[key] = "nobody hired in these years is surely eligible and has a status"
        return
    for key, events, expected, prior in (
        (keys[0], opted_out, opting, plan.automatic_enrollment.opt_out_rate),
        (keys[1], voluntary, willing, plan.behavior.own_choice_share),
    ):
        if expected <= 0:
            continue
        in_force = float(value_at(prior, year))
        low, high = credibility.wilson(events, in_all)
        full = credibility.rate(events, in_all, min(1.0, in_force * expected / in_all), TOTAL)
        scale = in_all / expected
        blend = credibility.Blend(
            events / expected, in_force, full.credibility, low * scale, high * scale
        )
        found.estimates.append(Estimate(key, blend, in_all, events, error=blend.error))
    step = float(value_at(plan.escalation.step, year))
    cap = float(value_at(plan.escalation.cap, year))
    escalated, exposed = connection.execute(
        "select count(*) filter (deferral_after > deferral_before), count(*) from exposed "
        "where is_stayer and status_before = 'automatic' and status_after = 'automatic' "
        "and deferral_before <= ? and tenure >= 1",
        [cap - step],
    ).fetchall()[0]
    if not exposed or not escalated:
        found.untold[keys[2]] = "nobody who was enrolled automatically is seen to escalate"
        return
    in_force = float(value_at(plan.escalation.opt_out_rate, year))
    blend = credibility.rate(exposed - escalated, exposed, in_force, TOTAL)
    found.estimates.append(
        Estimate(keys[2], blend, exposed, exposed - escalated, error=blend.error)
    )
