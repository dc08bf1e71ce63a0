"""The formulas of the match that the law names, and what they amount to."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from planalign.config.frozen import FrozenDict

if TYPE_CHECKING:
    from planalign.config.lists import Tier


def tier(up_to: str, rate: str) -> Tier:
    """Return a tier for everyone: `rate` dollars per dollar deferred up to a share of pay."""
    return FrozenDict({"from": 0, "up_to": Decimal(up_to), "rate": Decimal(rate)})


# Section 401(k)(12)(B), the basic match and the usual enhanced one; 401(k)(13)(D).
FORMULAS: dict[str, tuple[Tier, ...]] = {
    "none": (),
    "safe_harbor_basic": (tier("0.03", "1"), tier("0.05", "0.5")),
    "safe_harbor_enhanced": (tier("0.04", "1"),),
    "qaca": (tier("0.01", "1"), tier("0.06", "0.5")),
}
SAFE_HARBORS_401K12 = frozenset({"safe_harbor_basic", "safe_harbor_enhanced"})
SAFE_HARBORS = SAFE_HARBORS_401K12 | {"qaca"}


def full_match_deferral(formula: str) -> Decimal:
    """Return the deferral that earns all of a formula, as a share of pay."""
    return Decimal(FORMULAS[formula][-1]["up_to"])


def full_match(formula: str) -> Decimal:
    """Return the match of who defers enough for all of a formula, as a share of pay."""
    starts = (Decimal(0), *(step["up_to"] for step in FORMULAS[formula]))
    widths = (end - start for start, end in pairwise(starts))
    return sum(
        (width * step["rate"] for width, step in zip(widths, FORMULAS[formula], strict=True)),
        Decimal(0),
    )
