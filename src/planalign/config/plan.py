"""The section `plan` of planalign.yaml: what the retirement plan grants and to whom.

Sections of law are those of the Internal Revenue Code. Rates are fractions held
as exact decimals. A default without a source named beside it is an assumption to
start from. See `sections` for what a declaration says.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from planalign.config.contradictions import refuse_contradictions
from planalign.config.formulas import FORMULAS, tier
from planalign.config.frozen import FrozenDict
from planalign.config.lists import (
    IMMEDIATE,
    MOST_GROUPS,
    MOST_SHARES,
    MOST_TIERS,
    Tier,
    VestedShares,
    core_tiers,
    distinct,
    match_tiers,
    vested_shares,
)
from planalign.config.scalars import (
    Kind,
    calendar_date,
    fault,
    month_day,
    number,
    one_of,
    optional,
    text,
    truth,
    whole,
)
from planalign.config.schedule import (
    LEVELS,
    YEAR_PATTERN,
    YEARS,
    ByYear,
    Faults,
    Read,
    Setting,
    by_year,
    single,
    value_at,
)
from planalign.config.sections import Section

PayFrequency = Literal["weekly", "biweekly", "semimonthly", "monthly"]
EntryDates = Literal["immediate", "monthly", "quarterly", "semiannual"]
EnrollmentScope = Literal["all", "new_hires"]
EscalationScope = Literal["automatic", "all"]
MatchFormula = Literal["none", "tiers", "safe_harbor_basic", "safe_harbor_enhanced", "qaca"]
MatchBy = Literal["everyone", "service", "points"]
MatchBasis = Literal["pay_period", "annual"]
CoreBy = Literal["everyone", "service", "age", "points"]
ForfeitureUse = Literal["reduce_cost", "pay_expenses", "reallocate"]

_LEVELS = distinct(whole(LEVELS[0], LEVELS[-1], "job level"), "Write a list, for example [1, 2]")


def _levels_of_the_study(found: ByYear[tuple[int, ...]], where: Setting) -> ByYear[tuple[int, ...]]:
    faults = Faults()
    given: list[tuple[tuple[int, ...], tuple[int, ...]]] = (
        [((year,), levels) for year, levels in found.items()]
        if isinstance(found, Mapping)
        else [((), found)]
    )
    for path, levels in given:
        for level in levels:
            if not where.is_level(level):
                faults.add(where.no_level(), level, *path)
    faults.check()
    return found


LIMIT_NAMES = (
    "elective_deferral",
    "catch_up",
    "catch_up_60_to_63",
    "compensation",
    "annual_additions",
    "highly_compensated",
    "key_employee",
    "wage_base",
    "roth_catch_up_wages",
)


Flag = Annotated[ByYear[bool], by_year(truth)]
Share = Annotated[ByYear[Decimal], by_year(number("0", "1", "0.1"))]
# Deferral rates have four places: a hundredth of a percent.
DeferralRate = Annotated[ByYear[Decimal], by_year(number("0", "1", "0.1", places=4))]
Factor = Annotated[ByYear[Decimal], by_year(number("0", "10", "1.2", "times"))]
Hours = Annotated[ByYear[int], by_year(whole(0, 1000, "hours"))]
IndexRate = Annotated[ByYear[Decimal], by_year(number("0", "0.2", "0.03"))]
VestingSchedule = Annotated[ByYear[VestedShares], by_year(vested_shares)]


class Eligibility(Section):
    """Who may enter the plan, and when.

    A plan may ask for at most age 21 and one year of service, in which 1,000
    hours may be asked for: sections 410(a)(1) and 410(a)(3). It may leave out a
    bargaining unit, and classes not defined by age or service: section 410(b).
    """

    minimum_age: Annotated[
        ByYear[int],
        by_year(whole(0, 21, "years")),
        Field(
            description="Completed years of age an employee must have reached, {values}, the most "
            "that section 410(a)(1) allows."
        ),
    ] = 21
    months_of_service: Annotated[
        ByYear[int],
        by_year(whole(0, 12, "months")),
        Field(
            description="Completed months of service since hire, {values}: section 410(a)(1) "
            "allows one year."
        ),
    ] = 3
    hours_of_service: Annotated[
        Hours,
        Field(
            description="Hours a year an employee must be scheduled for, {values}: section "
            "410(a)(3)."
        ),
    ] = 0
    entry_dates: Annotated[
        ByYear[EntryDates],
        by_year(one_of(EntryDates)),
        Field(
            description="When those who meet all of it may enter: `immediate`, or on the first day "
            "of the next month (`monthly`), quarter (`quarterly`) or half-year "
            "(`semiannual`)."
        ),
    ] = "quarterly"
    exclude_union: Annotated[
        Flag,
        Field(description="Whether members of a bargaining unit are kept out, {values}."),
    ] = False
    excluded_departments: Annotated[
        ByYear[tuple[str, ...]],
        by_year(distinct(text("a department"), "Write a list, for example [Sales, Legal]")),
        Field(
            description="Departments that are kept out, as the census names them: `[Sales, Legal]`."
        ),
    ] = ()
    excluded_levels: Annotated[
        ByYear[tuple[int, ...]],
        Read(_LEVELS, by_year=True, check=_levels_of_the_study),
        Field(title="Excluded job levels", description="Job levels that are kept out: `[1, 2]`."),
    ] = ()


class AutomaticEnrollment(Section):
    """Employees who choose nothing defer a default: sections 414(w) and 401(k)(13)(C)."""

    enabled: Annotated[
        Flag,
        Field(description="Whether employees who choose nothing defer a default, {values}."),
    ] = False
    scope: Annotated[
        ByYear[EnrollmentScope],
        by_year(one_of(EnrollmentScope)),
        Field(
            description="Whom it is for: `all`, or `new_hires`, those hired since `hired_since`."
        ),
    ] = "all"
    hired_since: Annotated[
        ByYear[datetime.date],
        by_year(calendar_date),
        Field(
            description="With scope `new_hires`: the first day of hire that counts, as "
            "year-month-day. With a `qaca` match, section 401(k)(13)(C)(iv) spares of "
            "the others only who was eligible before the match began and had then "
            "chosen to defer or not to."
        ),
    ] = datetime.date(2025, 1, 1)
    default_rate: Annotated[
        ByYear[Decimal],
        by_year(number("0", "0.15", "0.06", places=4)),
        Field(description="Share of pay that is deferred by default, {values}."),
    ] = Decimal("0.06")
    window_days: Annotated[
        ByYear[int],
        by_year(whole(0, 90, "days")),
        Field(description="Days from plan entry until the default takes effect, {values}."),
    ] = 30
    opt_out_rate: Annotated[
        Share,
        Field(
            title="Opt-out rate",
            description="Share that opts out, {values}, of employees aged 35 to 44 with middle "
            "pay; the young and the low paid do so more often.",
        ),
    ] = Decimal("0.05")
    reenrollment: Annotated[
        Flag,
        Field(
            description="Whether those who have opted out are enrolled again on January 1, "
            "{values}."
        ),
    ] = False
    reenrollment_opt_out_rate: Annotated[
        Share,
        Field(
            title="Opt-out rate of reenrollment",
            description="Share of the reenrolled that opts out again, {values}.",
        ),
    ] = Decimal("0.5")


class Escalation(Section):
    """Yearly automatic increases of deferral rates: section 401(k)(13)(C)(iii)."""

    enabled: Annotated[
        Flag,
        Field(description="Whether deferral rates rise by a step once a year, {values}."),
    ] = False
    scope: Annotated[
        ByYear[EscalationScope],
        by_year(one_of(EscalationScope)),
        Field(
            description="Whose rates rise: `automatic` (of the automatically enrolled) or `all`."
        ),
    ] = "automatic"
    step: Annotated[
        ByYear[Decimal],
        by_year(number("0", "0.05", "0.01", places=4)),
        Field(description="Rise a year, as a share of pay, {values}."),
    ] = Decimal("0.01")
    cap: Annotated[
        DeferralRate,
        Field(description="Rate at which rises end, {values}."),
    ] = Decimal("0.10")
    date: Annotated[
        str,
        single(month_day),
        Field(description="Month and day of the rise, in quotes."),
    ] = "01-01"
    opt_out_rate: Annotated[
        Share,
        Field(
            title="Opt-out rate",
            description="Share of employees who decline to be escalated, {values}.",
        ),
    ] = Decimal("0.1")


class Deferrals(Section):
    """What employees may defer, within sections 402(g), 414(v) (catch-up) and 402A (Roth)."""

    maximum_rate: Annotated[
        DeferralRate,
        Field(description="Most that an employee may defer, as a share of pay, {values}."),
    ] = Decimal("0.75")
    highly_compensated_maximum_rate: Annotated[
        Share,
        Field(
            title="Maximum rate of the highly compensated",
            description="Most that a highly compensated employee may defer, as a share of pay, "
            "where it is less, {values}.",
        ),
    ] = Decimal(1)
    catch_up: Annotated[
        Flag,
        Field(
            title="Catch-up contributions",
            description="Whether catch-up contributions are allowed (section 414(v)), {values}.",
        ),
    ] = True
    roth: Annotated[
        Flag,
        Field(
            title="Roth contributions",
            description="Whether Roth contributions are allowed (section 402A), {values}.",
        ),
    ] = True
    roth_share: Annotated[
        Share,
        Field(
            title="Roth share",
            description="Share of the deferrals that are Roth, {values}; 0 where `roth` is "
            "`false`.",
        ),
    ] = Decimal("0.15")


class Behavior(Section):
    """How employees use the plan, over what the published studies found."""

    participation_factor: Annotated[
        Factor,
        Field(description="Multiplies the participation that published studies found, {values}."),
    ] = Decimal(1)
    deferral_factor: Annotated[
        Factor,
        Field(description="Multiplies the deferral rates that published studies found, {values}."),
    ] = Decimal(1)
    own_choice_share: Annotated[
        Share,
        Field(
            description="Share of the automatically enrolled who choose a rate of their own, "
            "{values}."
        ),
    ] = Decimal("0.4")
    change_rate: Annotated[
        Share,
        Field(description="Share of participants who change their rate in a year, {values}."),
    ] = Decimal("0.1")
    full_match_share: Annotated[
        Share,
        Field(
            description="Share of choices raised to the rate that earns the full match, {values}."
        ),
    ] = Decimal("0.25")


class Match(Section):
    """The matching contribution: sections 401(m), 401(k)(12) and 401(k)(13)."""

    formula: Annotated[
        ByYear[MatchFormula],
        by_year(one_of(MatchFormula)),
        Field(
            description="The formula: `none`; `tiers`, as given below; or one that the law names: "
            "`safe_harbor_basic` (100 % of the first 3 % of pay, 50 % of the next 2 %) "
            "and `safe_harbor_enhanced` (100 % of the first 4 %) of section 401(k)(12); "
            "`qaca` (100 % of the first 1 %, 50 % of the next 5 %) of section "
            "401(k)(13)."
        ),
    ] = "none"
    by: Annotated[
        ByYear[MatchBy],
        by_year(one_of(MatchBy)),
        Field(
            title="Tiers by",
            description="What selects the tiers: `everyone` (the same for all), `service` "
            "(completed years), or `points` (age plus service).",
        ),
    ] = "everyone"
    tiers: Annotated[
        ByYear[tuple[Tier, ...]],
        by_year(match_tiers),
        Field(
            description="With formula `tiers`. Deferrals up to the share `up_to` of pay (above 0 "
            "to 1, ascending) earn `rate` dollars per dollar (0 to 10) beyond the tier before; "
            "both have at most four decimals. With `by` service or points, the key `from` says "
            "from how many (0 to 200) a group of tiers holds; 0 if left out, and one group "
            f"begins there. At most {MOST_GROUPS} groups of at most {MOST_TIERS} tiers."
        ),
    ] = (tier("0.06", "0.5"),)
    maximum_rate: Annotated[
        Share,
        Field(description="Most that an employee may get, as a share of counted pay, {values}."),
    ] = Decimal(1)
    maximum_amount: Annotated[
        ByYear[Decimal | None],
        by_year(optional(number("0", "10000000", "5000", "dollars", places=2))),
        Field(
            description="Most that an employee may get, in dollars, {values}; `null` for no such "
            "bound."
        ),
    ] = None
    basis: Annotated[
        ByYear[MatchBasis],
        by_year(one_of(MatchBasis)),
        Field(
            description="What is matched: the deferrals of each pay period (`pay_period`) or of "
            "the year (`annual`)."
        ),
    ] = "pay_period"
    true_up: Annotated[
        Flag,
        Field(
            title="True-up",
            description="Whether a match by pay period is made up to that of the year at its end, "
            "{values}.",
        ),
    ] = True
    last_day: Annotated[
        Flag,
        Field(
            title="Last-day rule",
            description="Whether only those employed on the last day of the year get the match, "
            "{values}.",
        ),
    ] = False
    hours: Annotated[
        Hours,
        Field(
            title="Hours in the year",
            description="Hours in the year below which nobody gets the match, {values}.",
        ),
    ] = 0

    def tiers_in(self, year: int) -> tuple[Tier, ...]:
        """Return the tiers that hold in a year, those of a named formula where it is one."""
        formula = value_at(self.formula, year)
        return FORMULAS[formula] if formula in FORMULAS else value_at(self.tiers, year)


class Core(Section):
    """The nonelective (core) contribution, whether or not an employee defers.

    May be integrated with Social Security: section 401(l).
    """

    rate: Annotated[
        Share,
        Field(
            description="Nonelective contribution of the employer for everybody who has entered "
            "the plan, as a share of the pay since entry, {values}."
        ),
    ] = Decimal(0)
    by: Annotated[
        ByYear[CoreBy],
        by_year(one_of(CoreBy)),
        Field(
            title="Tiers by",
            description="What it depends on: `everyone` (`rate` is for all), or the tiers below by "
            "completed years of `service`, by `age` or by `points` (age plus service).",
        ),
    ] = "everyone"
    tiers: Annotated[
        ByYear[tuple[Tier, ...]],
        by_year(core_tiers),
        Field(
            description="With `by` other than `everyone`: `from` (0 to 200, the first 0, "
            "ascending) and the `rate` from there on, 0 to 1: `[{from: 0, rate: 0.02}, {from: "
            "10, rate: 0.04}]`."
        ),
    ] = ()
    excess_rate: Annotated[
        ByYear[Decimal | None],
        by_year(optional(number("0", "1", "0.05"))),
        Field(
            description="Rate on pay above the integration level (section 401(l)), {values}; "
            "`rate` is that on all other pay. At most twice `rate`, and at most 0.057 above it, "
            "or less by `integration_level`. `null`: the same rate on all pay."
        ),
    ] = None
    integration_level: Annotated[
        ByYear[Decimal],
        by_year(number("0", "1", "0.8", above=True)),
        Field(
            description="The integration level as a share of the Social Security wage base, "
            "{values}."
        ),
    ] = Decimal(1)
    last_day: Annotated[
        Flag,
        Field(
            title="Last-day rule",
            description="Whether only those employed on the last day of the year get the core "
            "contribution, {values}.",
        ),
    ] = False
    hours: Annotated[
        Hours,
        Field(
            title="Hours in the year",
            description="Hours in the year below which nobody gets the core contribution, "
            "{values}.",
        ),
    ] = 0

    def tiers_in(self, year: int) -> tuple[Tier, ...]:
        """Return the tiers that hold in a year, none where everyone gets the rate."""
        return () if value_at(self.by, year) == "everyone" else value_at(self.tiers, year)


class Vesting(Section):
    """What a leaver keeps of the employer's contributions: section 411(a)(2)(B)."""

    match: Annotated[
        VestingSchedule,
        Field(
            description="What leavers keep of the match: `immediate` (everything), or the vested "
            "shares after 0, 1, 2, .. completed years of service, the last day "
            f"included: at most {MOST_SHARES}, not falling, the last one 1: `[0, 0.2, 0.4, "
            "0.6, 0.8, 1]`. No slower than section 411(a)(2)(B) allows."
        ),
    ] = IMMEDIATE
    core: Annotated[
        VestingSchedule,
        Field(description="What leavers keep of the core contribution, given as for the match."),
    ] = IMMEDIATE


class Forfeitures(Section):
    """What is done with what leavers lose: Treas. Reg. 1.401-7, as proposed in 2023."""

    use: Annotated[
        ByYear[ForfeitureUse],
        by_year(one_of(ForfeitureUse)),
        Field(
            title="Use of forfeitures",
            description="What is done with what leavers lose: `reduce_cost` (of the employer's "
            "contributions), `pay_expenses` (of the plan) or `reallocate` (to the "
            "participants).",
        ),
    ] = "reduce_cost"
    expense_per_participant: Annotated[
        ByYear[Decimal],
        by_year(number("0", "10000", "60", "dollars", places=2)),
        Field(
            description="With `pay_expenses`: expenses a year in dollars per participant, {values}."
        ),
    ] = Decimal(60)


class HighlyCompensated(Section):
    """Who counts as highly compensated: section 414(q)."""

    top_paid_group: Annotated[
        Flag,
        Field(
            title="Top-paid group",
            description="Whether only the top-paid fifth counts as highly compensated by pay, the "
            "election of section 414(q)(1)(B)(ii), {values}.",
        ),
    ] = False


def _amounts(value: object) -> FrozenDict[str, FrozenDict[int, int]]:
    example = "for example {elective_deferral: {2027: 25000}}"
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", f"Write limits by name and year, {example}")
    faults = Faults()
    found = {}
    for name, amounts in value.items():
        if name not in LIMIT_NAMES:
            near = difflib.get_close_matches(str(name)[:64], LIMIT_NAMES, 1)
            lead = f"Did you mean {near[0]}? " if near else ""
            remedy = f"{lead}Limits: {', '.join(LIMIT_NAMES)}"
            faults.add(fault("is not the name of a limit", remedy), amounts, name)
        elif not isinstance(amounts, Mapping):
            error = fault("must be a mapping", f"Write dollars by year, {example}")
            faults.add(error, amounts, name)
        else:
            found[name] = _dollars_by_year(name, amounts, faults)
    faults.check()
    return FrozenDict({name: found[name] for name in LIMIT_NAMES if name in found})


def _dollars_by_year(
    name: str, amounts: Mapping[Any, object], faults: Faults
) -> FrozenDict[int, int]:
    found = {}
    for year, amount in amounts.items():
        if isinstance(year, int) and year in YEARS:
            found[year] = faults.take(_AMOUNT, amount, name, year) or 0
        else:
            remedy = f"Use years from {YEARS[0]} to {YEARS[-1]}, without quotes"
            faults.add(fault("is not a year", remedy), amount, name, year)
    return FrozenDict(sorted(found.items()))


_AMOUNT = whole(0, 10_000_000, "dollars")
_limit_amounts = Kind(
    _amounts,
    "",
    {
        "type": "object",
        "properties": {
            name: {
                "type": "object",
                "patternProperties": {YEAR_PATTERN: dict(_AMOUNT.schema)},
                "additionalProperties": False,
            }
            for name in LIMIT_NAMES
        },
        "additionalProperties": False,
    },
)


class Limits(Section):
    """The limits of the law: their growth beyond the last published year, and amounts given."""

    price_index_rate: Annotated[
        IndexRate,
        Field(
            description="Growth over the year before of the legal limits that follow prices, "
            "beyond the last published year, 2026: {values}. Each limit is then rounded down as "
            "the law says and marked as an estimate."
        ),
    ] = Decimal("0.025")
    wage_index_rate: Annotated[
        IndexRate,
        Field(
            description="Growth over the year before of the Social Security wage base, which "
            "follows wages, beyond the last published year: {values}."
        ),
    ] = Decimal("0.035")
    amounts: Annotated[
        Mapping[str, Mapping[int, int]],
        single(_limit_amounts),
        Field(
            title="Amounts of limits",
            description="Limits instead of the published or projected ones, in whole dollars by "
            f"name and year: `{{elective_deferral: {{2027: 25000}}}}`. Names: "
            f"{', '.join(LIMIT_NAMES)}.",
        ),
    ] = FrozenDict()


class Plan(Section):
    """The retirement plan."""

    offered: Annotated[
        ByYear[bool],
        by_year(truth),
        Field(
            description="Whether there is a plan at all, {values}: `false` to compare with none; "
            "nobody becomes eligible then, and no account grows but by its return."
        ),
    ] = True
    pay_frequency: Annotated[
        ByYear[PayFrequency],
        by_year(one_of(PayFrequency)),
        Field(description="How often employees are paid: {values}."),
    ] = "biweekly"
    investment_return_rate: Annotated[
        ByYear[Decimal],
        by_year(number("-0.5", "1", "0.05")),
        Field(
            description="Yearly return of the accounts, {values}; counts for what leavers forfeit."
        ),
    ] = Decimal("0.05")
    eligibility: Eligibility = Eligibility()
    automatic_enrollment: AutomaticEnrollment = AutomaticEnrollment()
    escalation: Escalation = Escalation()
    deferrals: Deferrals = Deferrals()
    behavior: Behavior = Behavior()
    match: Match = Match()
    core: Core = Core()
    vesting: Vesting = Vesting()
    forfeitures: Forfeitures = Forfeitures()
    highly_compensated: HighlyCompensated = HighlyCompensated()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _without_contradictions(self, info: ValidationInfo) -> Plan:
        refuse_contradictions(self, info.context or Setting())
        return self
