"""Settings of a plan that exclude each other, by law or because one undoes the other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from planalign.config.lists import IMMEDIATE, MOST_SHARES, VestedShares
from planalign.config.scalars import fault, plain
from planalign.config.schedule import Faults, change_years, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

_SAFE_HARBOR_401K12 = {"safe_harbor_basic", "safe_harbor_enhanced"}
_SAFE_HARBORS = _SAFE_HARBOR_401K12 | {"qaca"}


def _shares(*shares: str) -> VestedShares:
    return tuple(Decimal(share) for share in shares)


# Vesting may be no slower than one of these: section 411(a)(2)(B).
_CLIFF = _shares("0", "0", "0", "1")
_GRADED = _shares("0", "0", "0.2", "0.4", "0.6", "0.8", "1")
_TWO_YEARS = _shares("0", "0", "1")


@dataclass(frozen=True)
class Contradiction:
    """Settings of a plan that cannot be used together.

    `keys` are below `plan`; the first is where it is reported. `holds` is asked
    with their values in one year, and `message` may show them by position.
    """

    keys: tuple[str, ...]
    holds: Callable[..., bool]
    message: str
    remedy: str


def _slower(schedule: VestedShares, other: VestedShares) -> bool:
    """Return whether a schedule ever vests less than another."""
    return any(
        schedule[min(years, len(schedule) - 1)] < other[min(years, len(other) - 1)]
        for years in range(MOST_SHARES)
    )


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
_CORE_EXCESS = ("core.excess_rate", "core.rate")

CONTRADICTIONS = (
    Contradiction(
        ("match.last_day", "match.formula"),
        lambda last_day, formula: last_day and formula in _SAFE_HARBORS,
        _NO_MATCH_CONDITION,
        f"Write false, or {_NO_SAFE_HARBOR}",
    ),
    Contradiction(
        ("match.hours", "match.formula"),
        lambda hours, formula: hours > 0 and formula in _SAFE_HARBORS,
        _NO_MATCH_CONDITION,
        f"Write 0, or {_NO_SAFE_HARBOR}",
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
        lambda vesting, formula: formula in _SAFE_HARBOR_401K12 and _slower(vesting, IMMEDIATE),
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
        Contradiction(
            (f"vesting.{source}",),
            lambda vesting: _slower(vesting, _CLIFF) and _slower(vesting, _GRADED),
            "is slower than both schedules of section 411(a)(2)(B)",
            "Write [0, 0, 0, 1], [0, 0, 0.2, 0.4, 0.6, 0.8, 1] or faster",
        )
        for source in ("match", "core")
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
    Contradiction(
        ("escalation.enabled", "match.formula", "automatic_enrollment.default_rate"),
        lambda escalated, formula, rate: (
            formula == "qaca" and rate < Decimal("0.06") and not escalated
        ),
        "must be true with a qaca match that begins at {2}, to reach 0.06 "
        "(section 401(k)(13)(C)(iii))",
        "Write true, or raise automatic_enrollment.default_rate to 0.06",
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


def refuse_contradictions(plan: BaseModel, rules: Iterable[Contradiction] = CONTRADICTIONS) -> None:
    """Raise every contradiction of a plan, each for the first year in which it holds."""
    faults = Faults()
    for rule in rules:
        settings = [attrgetter(key)(plan) for key in rule.keys]
        years = change_years(*settings)
        for year in years or [0]:
            values = [value_at(setting, year) for setting in settings]
            if rule.holds(*values):
                when = f", in {year}" if years else ""
                message = rule.message.format(*map(_shown, values))
                error = fault(message + when, rule.remedy)
                faults.add(error, values[0], *rule.keys[0].split("."))
                break
    faults.check()


def _shown(value: Any) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
