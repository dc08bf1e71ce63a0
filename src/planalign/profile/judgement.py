"""Whether a change made a run faster, from pairs of runs with it and without."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import median_high
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Seconds without the change, and with it.
Pair = tuple[float, float]

# Chance that a change which does nothing wins as many pairs, at each of two looks: after
# the pairs planned, where it must win all of them, and after twice as many, where a
# machine that others use may have spoilt two of twelve.
SIGNIFICANCE = 0.02
LOOKS = 2
# A smaller part of the seconds is not worth a change, however sure.
LEAST_GAIN = 0.03
# The fewest that can be significant: six of six by chance are 1/64.
PAIRS = 6


@dataclass(frozen=True)
class Judgement:
    """What pairs say: seconds without and with, and their `ratio`, are of the middle pair.

    The middle one by ratio; of two, the one that gains less. `p_value` is the one-sided
    sign test's: the chance of as many faster pairs if the change did nothing.
    """

    seconds_without: float
    seconds_with: float
    ratio: float
    faster: int
    pairs: int
    p_value: float

    @property
    def helps(self) -> bool:
        """Say whether the change is faster, beyond noise and by enough."""
        return self.p_value <= SIGNIFICANCE and self.ratio <= 1 - LEAST_GAIN


def judge(pairs: Sequence[Pair]) -> Judgement:
    """Judge pairs, at least one. What slows the machine slows both runs of a pair."""
    faster = sum(after < before for before, after in pairs)
    ratio, before, after = median_high((after / before, before, after) for before, after in pairs)
    return Judgement(
        before,
        after,
        ratio,
        faster,
        len(pairs),
        sign_test(faster, len(pairs)),
    )


def sign_test(successes: int, trials: int) -> float:
    """Return the chance of that many successes or more, each as likely as a failure."""
    ways: int = sum(comb(trials, k) for k in range(successes, trials + 1))
    return ways / (1 << trials)


def is_decided(pairs: Sequence[Pair], planned: int) -> bool:
    """Say whether to measure no more: it helps, or cannot be found to, or all looks are taken."""
    most = LOOKS * planned
    if len(pairs) >= most or (len(pairs) == planned and judge(pairs).helps):
        return True
    lost = sum(after >= before for before, after in pairs)
    return sign_test(most - lost, most) > SIGNIFICANCE
