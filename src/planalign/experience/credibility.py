"""Limited-fluctuation credibility and intervals, all in closed form.

What each formula is, and where it comes from: docs/method/experience.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.90
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Standard:
    """How near own experience has to be before it counts alone.

    Args:
        within: the largest error, as a share of the value, with probability `CONFIDENCE`.

    """

    within: float

    @property
    def events(self) -> float:
        """Expected events at which a rare event's rate is fully credible."""
        return (Z / self.within) ** 2


# The better what stands in place of own experience, the more it takes to overrule it: a
# default knows nothing of the company, its own total knows the level, its own margins nearly all.
TOTAL = Standard(0.30)  # 30 events
MARGIN = Standard(0.10)  # 271
CELL = Standard(0.05)  # 1,082


@dataclass(frozen=True)
class Blend:
    """Own experience, what stands in its place, and what is used.

    Args:
        own: the estimate from the files; None without exposure.
        prior: what is in force without them.
        credibility: weight of `own`, 0 to 1.
        low: of the interval of `own` with probability `CONFIDENCE`; None without.
        high: the other end.

    """

    own: float | None
    prior: float
    credibility: float
    low: float | None
    high: float | None

    @property
    def blended(self) -> float:
        """The weighted mean."""
        if self.own is None:
            return self.prior
        return self.credibility * self.own + (1 - self.credibility) * self.prior

    @property
    def error(self) -> float:
        """The standard error of `own`, from the width of its interval."""
        if self.low is None or self.high is None:
            return 0.0
        return (self.high - self.low) / (2 * Z)


def rate(events: float, exposure: float, prior: float, standard: Standard) -> Blend:
    """Blend a rate per person and year.

    The events of the standard are those that happened, or that the prior expects if those
    are more: none among many is experience too.
    """
    if exposure <= 0:
        return Blend(None, prior, 0.0, None, None)
    counted = max(events, exposure * prior)
    full = standard.events * max(0.0, 1 - prior)
    credibility = 1.0 if full == 0 else min(1.0, math.sqrt(counted / full))
    low, high = wilson(events, exposure)
    return Blend(events / exposure, prior, credibility, low, high)


def ratio(actual: float, expected: float, prior: float, standard: Standard) -> Blend:
    """Blend a ratio of actual to expected events."""
    if expected <= 0:
        return Blend(None, prior, 0.0, None, None)
    credibility = min(1.0, math.sqrt(max(actual, expected) / standard.events))
    low, high = byar(actual)
    return Blend(actual / expected, prior, credibility, low / expected, high / expected)


def mean(value: float, error: float, prior: float, standard: Standard, scale: float) -> Blend:
    """Blend a mean, of which `standard.within` is a share of `scale`.

    Args:
        value: the mean of own experience.
        error: its standard error.
        prior: what is in force without it.
        standard: of the share.
        scale: what the share is of, such as the mean itself.

    """
    credibility = 1.0
    if error > 0:
        credibility = min(1.0, standard.within * abs(scale) / (Z * error))
    return Blend(value, prior, credibility, value - Z * error, value + Z * error)


def wilson(events: float, exposure: float) -> tuple[float, float]:
    """Return the interval of a proportion: Wilson (1927)."""
    share = events / exposure
    below = 1 + Z**2 / exposure
    centre = (share + Z**2 / (2 * exposure)) / below
    half = Z / below * math.sqrt(share * (1 - share) / exposure + Z**2 / (4 * exposure**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def byar(events: float) -> tuple[float, float]:
    """Return the interval of the mean of a Poisson count: Byar's approximation."""
    more = events + 1
    high = more * (1 - 1 / (9 * more) + Z / (3 * math.sqrt(more))) ** 3
    if events <= 0:
        return 0.0, high
    low = events * max(0.0, 1 - 1 / (9 * events) - Z / (3 * math.sqrt(events))) ** 3
    return low, high


def between_years(values: list[float], errors: list[float]) -> float:
    """Return the variance of a yearly value beyond what the errors of its years explain."""
    if len(values) < 2:
        return 0.0
    centre = sum(values) / len(values)
    spread = sum((value - centre) ** 2 for value in values) / (len(values) - 1)
    return max(0.0, spread - sum(error**2 for error in errors) / len(errors))
