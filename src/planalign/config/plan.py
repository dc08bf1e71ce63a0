"""The section `plan` of planalign.yaml: what the retirement plan grants and to whom.

Sections of law are those of the Internal Revenue Code. Rates are fractions held
as exact decimals. A default without a source named beside it is an assumption to
start from.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import ValidationInfo, model_validator

from planalign.config.contradictions import refuse_contradictions
from planalign.config.formulas import FORMULAS, tier
from planalign.config.frozen import FrozenDict
from planalign.config.lists import (
    IMMEDIATE,
    Tier,
    VestedShares,
    distinct,
    read_core_tiers,
    read_match_tiers,
    read_vested_shares,
)
from planalign.config.scalars import (
    calendar_date,
    choice,
    fault,
    month_day,
    number,
    optional,
    text,
    truth,
    whole,
)
from planalign.config.schedule import (
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


def _one_of(words: Any) -> Read:
    return by_year(choice(*get_args(words)))


Flag = Annotated[ByYear[bool], by_year(truth)]
Share = Annotated[ByYear[Decimal], by_year(number("0", "1", "0.1"))]
# Deferral rates have four places: a hundredth of a percent.
DeferralRate = Annotated[ByYear[Decimal], by_year(number("0", "1", "0.1", places=4))]
Factor = Annotated[ByYear[Decimal], by_year(number("0", "10", "1.2"))]
Hours = Annotated[ByYear[int], by_year(whole(0, 1000))]
IndexRate = Annotated[ByYear[Decimal], by_year(number("0", "0.2", "0.03"))]
VestingSchedule = Annotated[ByYear[VestedShares], by_year(read_vested_shares)]


class Eligibility(Section):
    """Who may enter the plan, and when.

    A plan may ask for at most age 21 and one year of service, in which 1,000
    hours may be asked for: sections 410(a)(1) and 410(a)(3). It may leave out a
    bargaining unit, and classes not defined by age or service: section 410(b).
    """

    minimum_age: Annotated[ByYear[int], by_year(whole(0, 21))] = 21
    months_of_service: Annotated[ByYear[int], by_year(whole(0, 12))] = 3
    # Scheduled hours a year.
    hours_of_service: Hours = 0
    entry_dates: Annotated[ByYear[EntryDates], _one_of(EntryDates)] = "quarterly"
    exclude_union: Flag = False
    excluded_departments: Annotated[
        ByYear[tuple[str, ...]],
        by_year(distinct(text("a department"), "Write a list, for example [Sales, Legal]")),
    ] = ()
    excluded_levels: Annotated[
        ByYear[tuple[int, ...]], by_year(distinct(whole(1, 5), "Write a list, for example [1, 2]"))
    ] = ()


class AutomaticEnrollment(Section):
    """Employees who choose nothing defer a default: sections 414(w) and 401(k)(13)(C)."""

    enabled: Flag = False
    scope: Annotated[ByYear[EnrollmentScope], _one_of(EnrollmentScope)] = "all"
    # With scope new_hires: who was hired on or after this day.
    hired_since: Annotated[ByYear[datetime.date], by_year(calendar_date)] = datetime.date(
        2025, 1, 1
    )
    default_rate: Annotated[ByYear[Decimal], by_year(number("0", "0.15", "0.06", places=4))] = (
        Decimal("0.06")
    )
    # Days from plan entry until the default takes effect.
    window_days: Annotated[ByYear[int], by_year(whole(0, 90))] = 30
    # Of employees aged 35 to 44 with middle pay; others by factors of a seed.
    opt_out_rate: Share = Decimal("0.05")
    # On January 1, of those who have opted out.
    reenrollment: Flag = False
    reenrollment_opt_out_rate: Share = Decimal("0.5")


class Escalation(Section):
    """Yearly automatic increases of deferral rates: section 401(k)(13)(C)(iii)."""

    enabled: Flag = False
    scope: Annotated[ByYear[EscalationScope], _one_of(EscalationScope)] = "automatic"
    step: Annotated[ByYear[Decimal], by_year(number("0", "0.05", "0.01", places=4))] = Decimal(
        "0.01"
    )
    cap: DeferralRate = Decimal("0.10")
    date: Annotated[str, single(month_day)] = "01-01"
    opt_out_rate: Share = Decimal("0.1")


class Deferrals(Section):
    """What employees may defer, within sections 402(g), 414(v) (catch-up) and 402A (Roth)."""

    maximum_rate: DeferralRate = Decimal("0.75")
    highly_compensated_maximum_rate: Share = Decimal(1)
    catch_up: Flag = True
    roth: Flag = True
    # Share of the deferrals that are Roth.
    roth_share: Share = Decimal("0.15")


class Behavior(Section):
    """How employees use the plan, over what the published studies found."""

    participation_factor: Factor = Decimal(1)
    deferral_factor: Factor = Decimal(1)
    # Share of the automatically enrolled who choose a rate of their own.
    own_choice_share: Share = Decimal("0.4")
    # Share of participants who change their rate in a year.
    change_rate: Share = Decimal("0.1")
    # Share of choices raised to the rate that earns the full match.
    full_match_share: Share = Decimal("0.25")


class Match(Section):
    """The matching contribution: sections 401(m), 401(k)(12) and 401(k)(13)."""

    formula: Annotated[ByYear[MatchFormula], _one_of(MatchFormula)] = "none"
    by: Annotated[ByYear[MatchBy], _one_of(MatchBy)] = "everyone"
    tiers: Annotated[ByYear[tuple[Tier, ...]], by_year(read_match_tiers)] = (tier("0.06", "0.5"),)
    # Share of counted pay.
    maximum_rate: Share = Decimal(1)
    maximum_amount: Annotated[
        ByYear[Decimal | None], by_year(optional(number("0", "10000000", "5000", places=2)))
    ] = None
    basis: Annotated[ByYear[MatchBasis], _one_of(MatchBasis)] = "pay_period"
    true_up: Flag = True
    last_day: Flag = False
    hours: Hours = 0

    def tiers_in(self, year: int) -> tuple[Tier, ...]:
        """Return the tiers that hold in a year, those of a named formula where it is one."""
        formula = value_at(self.formula, year)
        return FORMULAS[formula] if formula in FORMULAS else value_at(self.tiers, year)


class Core(Section):
    """The nonelective (core) contribution, whether or not an employee defers.

    May be integrated with Social Security: section 401(l).
    """

    # Share of the pay since plan entry, up to the limit of section 401(a)(17).
    rate: Share = Decimal(0)
    by: Annotated[ByYear[CoreBy], _one_of(CoreBy)] = "everyone"
    tiers: Annotated[ByYear[tuple[Tier, ...]], by_year(read_core_tiers)] = ()
    # On pay above the integration level.
    excess_rate: Annotated[ByYear[Decimal | None], by_year(optional(number("0", "1", "0.05")))] = (
        None
    )
    # Share of the Social Security wage base.
    integration_level: Annotated[ByYear[Decimal], by_year(number("0", "1", "0.8", above=True))] = (
        Decimal(1)
    )
    last_day: Flag = False
    hours: Hours = 0

    def tiers_in(self, year: int) -> tuple[Tier, ...]:
        """Return the tiers that hold in a year, none where everyone gets the rate."""
        return () if value_at(self.by, year) == "everyone" else value_at(self.tiers, year)


class Vesting(Section):
    """What a leaver keeps of the employer's contributions: section 411(a)(2)(B)."""

    match: VestingSchedule = IMMEDIATE
    core: VestingSchedule = IMMEDIATE


class Forfeitures(Section):
    """What is done with what leavers lose: Treas. Reg. 1.401-7, as proposed in 2023."""

    use: Annotated[ByYear[ForfeitureUse], _one_of(ForfeitureUse)] = "reduce_cost"
    # Dollars a year, with pay_expenses.
    expense_per_participant: Annotated[
        ByYear[Decimal], by_year(number("0", "10000", "60", places=2))
    ] = Decimal(60)


class HighlyCompensated(Section):
    """Who counts as highly compensated: section 414(q)."""

    # The election of section 414(q)(1)(B)(ii).
    top_paid_group: Flag = False


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
            found[year] = faults.take(whole(0, 10_000_000), amount, name, year) or 0
        else:
            remedy = f"Use years from {YEARS[0]} to {YEARS[-1]}, without quotes"
            faults.add(fault("is not a year", remedy), amount, name, year)
    return FrozenDict(sorted(found.items()))


class Limits(Section):
    """The limits of the law: their growth beyond the last published year, and amounts given."""

    # Over the year before.
    price_index_rate: IndexRate = Decimal("0.025")
    wage_index_rate: IndexRate = Decimal("0.035")
    # By name and year, instead of the published or projected ones.
    amounts: Annotated[Mapping[str, Mapping[int, int]], single(_amounts)] = FrozenDict()


class Plan(Section):
    """The retirement plan."""

    # Without a plan nobody becomes eligible, and no account grows but by its return.
    offered: Annotated[ByYear[bool], by_year(truth)] = True
    pay_frequency: Annotated[ByYear[PayFrequency], _one_of(PayFrequency)] = "biweekly"
    # Of the accounts; for forfeitures only.
    investment_return_rate: Annotated[ByYear[Decimal], by_year(number("-0.5", "1", "0.05"))] = (
        Decimal("0.05")
    )
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
