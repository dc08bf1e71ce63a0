"""Settings of a plan that exclude each other, by law or because one undoes the other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from planalign.config import qaca
from planalign.config.formulas import (
    SAFE_HARBORS,
    SAFE_HARBORS_401K12,
    full_match,
    full_match_deferral,
)
from planalign.config.lists import IMMEDIATE, MOST_SHARES, VestedShares
from planalign.config.scalars import fault, plain
from planalign.config.schedule import YEARS, Faults, Setting, change_years, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import BaseModel


def _shares(*shares: str) -> VestedShares:
    return tuple(Decimal(share) for share in shares)


# Vesting may be no slower than one of these: section 411(a)(2)(B).
_CLIFF = _shares("0", "0", "0", "1")
_GRADED = _shares("0", "0", "0.2", "0.4", "0.6", "0.8", "1")
_TWO_YEARS = _shares("0", "0", "1")


@dataclass(frozen=True)
class Contradiction:
    """Settings of a plan that cannot be used together in a year.

    `keys` are below `plan`; the first is where it is reported. `holds` is asked
    with their values in one year, and `message` may show them by position.
    """

    keys: tuple[str, ...]
    holds: Callable[..., bool]
    message: str
    remedy: str

    @property
    def place(self) -> str:
        """The key at which it is reported."""
        return self.keys[0]

    def first(self, settings: list[Any], _: Setting) -> tuple[int, tuple[Any, ...]] | None:
        """Return the first year in which it holds, and what the message shows."""
        for year in change_years(*settings) or [0]:
            values = tuple(value_at(setting, year) for setting in settings)
            if self.holds(*values):
                return year, values
        return None


@dataclass(frozen=True)
class OverYears:
    """Settings of a plan whose course over the years is not allowed.

    `breaches` is asked with the years to look at and what each of `keys` is in a year;
    `message` may show by position what it found, of the breaches at `place`. The plan
    begins with the simulation, unless the values by year tell of an earlier time.
    """

    place: str
    keys: tuple[str, ...]
    breaches: Callable[..., Iterator[qaca.Breach]]
    message: str
    remedy: str
    is_above: bool = False

    def first(self, settings: list[Any], where: Setting) -> tuple[int, tuple[Any, ...]] | None:
        """Return the first year in which it is not allowed, and what the message shows."""
        changes = change_years(*settings)
        start = min([*changes, where.start_year or YEARS[-1]])
        years = range(start, max([start, *changes]) + qaca.YEARS_TO_LAST)
        by_key = dict(zip(self.keys, settings, strict=True))
        known = cache(lambda key, year: value_at(by_key[key], year))
        found = [
            breach
            for breach in self.breaches(years, known)
            if breach.key == self.place and breach.is_above == self.is_above
        ]
        if not found:
            return None
        earliest = min(found, key=lambda breach: breach.year)
        return earliest.year, earliest.shown


def _slower(schedule: VestedShares, other: VestedShares) -> bool:
    """Return whether a schedule ever vests less than another."""
    return any(
        schedule[min(years, len(schedule) - 1)] < other[min(years, len(other) - 1)]
        for years in range(MOST_SHARES)
    )


def _taken_back(key: str, years: range, at: qaca.Settings) -> Iterator[qaca.Breach]:
    """Yield the years whose vesting is slower than that of a year before.

    A schedule counts for whole accounts, so what a slower one leaves open had vested.
    """
    for year in years:
        before = range(years.start, year)
        faster = next((one for one in before if _slower(at(key, year), at(key, one))), None)
        if faster is not None:
            yield qaca.Breach(year, key, (faster,))


def _disparity(level: Decimal) -> Decimal:
    """Return the most by which the excess rate may exceed the base rate.

    Treas. Reg. 1.401(l)-2(d), for an integration level that is a share of the
    Social Security wage base.
    """
    if level == 1 or level <= Decimal("0.2"):
        return Decimal("0.057")
    return Decimal("0.054") if level > Decimal("0.8") else Decimal("0.043")


_NO_MATCH_CONDITION = "cannot be a condition of a safe harbor match (Treas. Reg. 1.401(k)-3(c)(6))"
_NO_SAFE_HARBOR = "set match.formula to tiers"
_MATCH_SECTIONS = "(sections 401(k)(12)(B) and 401(k)(13)(D))"
_QUALIFIED = "(section 401(k)(13)(C)(iii))"
_LEAST_AT_LAST = plain(qaca.LEAST_AT_LAST)
_MOST_DAYS = ", ".join(f"{days} ({frequency})" for frequency, days in qaca.MOST_DAYS.items())
_CORE_EXCESS = ("core.excess_rate", "core.rate")

CONTRADICTIONS: tuple[Contradiction | OverYears, ...] = (
    Contradiction(
        ("match.last_day", "match.formula"),
        lambda last_day, formula: last_day and formula in SAFE_HARBORS,
        _NO_MATCH_CONDITION,
        f"Write false, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("match.hours", "match.formula"),
        lambda hours, formula: hours > 0 and formula in SAFE_HARBORS,
        _NO_MATCH_CONDITION,
        f"Write 0, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("match.maximum_rate", "match.formula"),
        lambda most, formula: formula in SAFE_HARBORS and most < full_match(formula),
        f"is below what match.formula {{1}} grants, which may not be bounded {_MATCH_SECTIONS}",
        f"Write 1, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("match.maximum_amount", "match.formula"),
        # The formula counts pay up to the limit of its year, and has no amount of its own.
        lambda most, formula: formula in SAFE_HARBORS and most is not None,
        f"bounds what match.formula {{1}} grants, which may not be bounded {_MATCH_SECTIONS}",
        f"Write null, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("deferrals.maximum_rate", "match.formula"),
        lambda most, formula: formula in SAFE_HARBORS and most < full_match_deferral(formula),
        "is below the deferral that earns the full match of {1}, which everyone must be free to "
        "choose (Treas. Reg. 1.401(k)-3(c)(6)(iii))",
        f"Raise it, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("match.by", "match.formula"),
        lambda by, formula: by != "everyone" and formula != "tiers",
        "does not go with match.formula {1}, which is the same for everyone",
        "Write everyone, or set match.formula to tiers",
    ),
    Contradiction(
        ("match.tiers", "match.by", "match.formula"),
        lambda tiers, by, formula: (
            formula == "tiers" and by == "everyone" and any(tier["from"] for tier in tiers)
        ),
        "has tiers from above 0, although match.by is everyone",
        "Set match.by to service or points, or keep the tiers from 0 only",
    ),
    Contradiction(
        ("vesting.match", "match.formula"),
        lambda vesting, formula: formula in SAFE_HARBORS_401K12 and _slower(vesting, IMMEDIATE),
        "must be immediate with a safe harbor match (section 401(k)(12)(E)(i))",
        f"Write immediate, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("vesting.match", "match.formula"),
        lambda vesting, formula: formula == "qaca" and _slower(vesting, _TWO_YEARS),
        "is slower than two years, the most with a qaca match (section 401(k)(13)(D)(iii))",
        f"Write [0, 0, 1] or faster, or {_NO_SAFE_HARBOR}",
    ),
    *(
        rule
        for source in ("match", "core")
        for rule in (
            Contradiction(
                (f"vesting.{source}",),
                lambda vesting: _slower(vesting, _CLIFF) and _slower(vesting, _GRADED),
                "is slower than both schedules of section 411(a)(2)(B)",
                "Write [0, 0, 0, 1], [0, 0, 0.2, 0.4, 0.6, 0.8, 1] or faster",
            ),
            OverYears(
                f"vesting.{source}",
                (f"vesting.{source}",),
                partial(_taken_back, f"vesting.{source}"),
                "vests less after some years of service than in {0}, and would take back what has "
                "vested (section 411(a)(10)(A))",
                "Write a schedule that vests no less after any number of years",
            ),
        )
    ),
    Contradiction(
        ("automatic_enrollment.enabled", "match.formula"),
        lambda enabled, formula: formula == "qaca" and not enabled,
        "must be true with a qaca match (section 401(k)(13)(C))",
        f"Write true, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("automatic_enrollment.default_rate", "match.formula"),
        lambda rate, formula: formula == "qaca" and not Decimal("0.03") <= rate <= Decimal("0.10"),
        "must be from 0.03 to 0.10 with a qaca match (section 401(k)(13)(C)(iii))",
        f"Write a rate from 0.03 to 0.10, or {_NO_SAFE_HARBOR}",
    ),
    *(
        OverYears(
            f"escalation.{key}",
            qaca.DEFAULT_SETTINGS,
            qaca.default_breaches,
            f"{leaves} the default deferral at {{0}} in an employee's plan year {{1}}, where a "
            f"qaca match asks for {{2}} {_QUALIFIED}",
            f"{remedy}, or raise automatic_enrollment.default_rate to {_LEAST_AT_LAST}",
        )
        for key, leaves, remedy in (
            ("enabled", "is not always true, and leaves", "Write true for every year"),
            ("step", "leaves", "Raise it, for example to 0.01"),
            ("cap", "leaves", f"Raise it to {_LEAST_AT_LAST} or above"),
        )
    ),
    *(
        OverYears(
            key,
            qaca.DEFAULT_SETTINGS,
            qaca.default_breaches,
            "brings the default deferral to {0} in an employee's plan year {1}, where a qaca match "
            f"allows {{2}} {_QUALIFIED}",
            f"Lower it, or {_NO_SAFE_HARBOR}",
            is_above=True,
        )
        for key in ("escalation.cap", "automatic_enrollment.default_rate")
    ),
    Contradiction(
        ("escalation.cap", "match.formula", "escalation.enabled"),
        lambda cap, formula, escalated: escalated and formula == "qaca" and cap > qaca.MOST,
        f"is above {plain(qaca.MOST)}, the most with a qaca match {_QUALIFIED}",
        f"Write {plain(qaca.MOST)} or less, or {_NO_SAFE_HARBOR}",
    ),
    OverYears(
        qaca.UNIFORM_SETTINGS[0],
        qaca.UNIFORM_SETTINGS,
        qaca.uniform_breaches,
        "is below the default deferral, which comes to {0} and with a qaca match is the same for "
        f"everyone {_QUALIFIED}",
        f"Raise it, lower escalation.cap, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("automatic_enrollment.window_days", "match.formula", "pay_frequency"),
        lambda days, formula, frequency: formula == "qaca" and days > qaca.MOST_DAYS[frequency],
        "is later than the second {2} pay period, or the first pay date after 30 days, by which "
        "the default of a qaca match has to begin (Treas. Reg. 1.401(k)-3(k)(4)(iii))",
        f"Write at most {_MOST_DAYS}, or {_NO_SAFE_HARBOR}",
    ),
    OverYears(
        qaca.SPARED_SETTINGS[0],
        qaca.SPARED_SETTINGS,
        qaca.spared_breaches,
        "leaves out who is hired from {0} on, when the qaca match begins: section "
        "401(k)(13)(C)(iv) spares only who was eligible before, and had then elected to defer "
        "or not to",
        "Write that day or an earlier one, or set automatic_enrollment.scope to all, which "
        "leaves alone who saves or has opted out",
    ),
    Contradiction(
        (
            "automatic_enrollment.default_rate",
            "deferrals.maximum_rate",
            "automatic_enrollment.enabled",
        ),
        lambda rate, maximum, enabled: enabled and rate > maximum,
        "is above deferrals.maximum_rate, which is {1}",
        "Lower it, or raise deferrals.maximum_rate",
    ),
    Contradiction(
        (
            "escalation.cap",
            "automatic_enrollment.default_rate",
            "escalation.enabled",
            "automatic_enrollment.enabled",
        ),
        lambda cap, rate, escalated, enrolled: escalated and enrolled and cap < rate,
        "is below automatic_enrollment.default_rate, which is {1}",
        "Raise it, or lower automatic_enrollment.default_rate",
    ),
    Contradiction(
        ("deferrals.roth_share", "deferrals.roth"),
        lambda share, roth: share > 0 and not roth,
        "is above 0, although deferrals.roth is false",
        "Write 0, or set deferrals.roth to true",
    ),
    Contradiction(
        ("core.tiers", "core.by"),
        lambda tiers, by: by != "everyone" and not tiers,
        "has no tier, although core.by is {1}",
        "Write tiers, for example [{from: 0, rate: 0.02}], or set core.by to everyone",
    ),
    Contradiction(
        ("core.excess_rate", "core.by"),
        lambda excess, by: excess is not None and by != "everyone",
        "does not go with core.by {1}: tiers are not integrated",
        "Write null, or set core.by to everyone",
    ),
    Contradiction(
        _CORE_EXCESS,
        lambda excess, rate: excess is not None and rate == 0,
        "is given, but no core.rate for pay below the integration level",
        "Give core.rate, or write null",
    ),
    Contradiction(
        _CORE_EXCESS,
        lambda excess, rate: excess is not None and excess < rate,
        "is below core.rate, which is {1}",
        "Raise it to core.rate or above, or write null",
    ),
    Contradiction(
        _CORE_EXCESS,
        lambda excess, rate: excess is not None and excess > 2 * rate > 0,
        "is above twice core.rate, which is {1} (section 401(l)(2))",
        "Lower it, or raise core.rate",
    ),
    Contradiction(
        (*_CORE_EXCESS, "core.integration_level"),
        lambda excess, rate, level: (
            excess is not None and rate > 0 and excess > rate + _disparity(level)
        ),
        "exceeds core.rate {1} by more than an integration level of {2} allows "
        "(Treas. Reg. 1.401(l)-2(d))",
        "Keep the difference within 0.057 for a level of 1 or at most 0.2, "
        "0.054 above 0.8, 0.043 in between",
    ),
)


def refuse_contradictions(
    plan: BaseModel,
    where: Setting,
    rules: Iterable[Contradiction | OverYears] = CONTRADICTIONS,
) -> None:
    """Raise every contradiction of a plan, each for the first year in which it holds."""
    faults = Faults()
    for rule in rules:
        settings = [attrgetter(key)(plan) for key in rule.keys]
        if found := rule.first(settings, where):
            year, shown = found
            when = f", in {year}" if change_years(*settings) else ""
            error = fault(rule.message.format(*map(_shown, shown)) + when, rule.remedy)
            value = value_at(attrgetter(rule.place)(plan), year)
            faults.add(error, value, *rule.place.split("."))
    faults.check()


def _shown(value: Any) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
