"""Published figures and assumptions behind the synthetic census, per year of age."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

# Shares are integers per million from here on, so that every draw is compared
# exactly.
MILLION = 1_000_000
YOUNGEST_HIRE = 16

# First age of each band, and its share of employed people in %: the shape of
# the Current Population Survey, 2024 (BLS, household data, annual averages,
# table 3), rounded.
BAND_STARTS = (16, 20, 25, 35, 45, 55, 65)
BAND_SHARES = (3, 9, 22, 22, 20, 17, 7)

# How many of a band are of each age, relative to the others of the band.
WITHIN_BAND = (
    (10, 20, 30, 40),
    (16, 18, 20, 22, 24),
    (1,) * 10,
    (1,) * 10,
    (1,) * 10,
    (23, 22, 22, 21, 21, 20, 19, 18, 17, 16),
    (20, 16, 13, 10, 8, 7, 6, 5, 4, 3, 3, 2, 1, 1, 1),
)
OLDEST = BAND_STARTS[-1] + len(WITHIN_BAND[-1]) - 1

# BLS, Employee Tenure in 2016 (USDL-16-1867), table 3: distribution of employed
# wage and salary workers by tenure with current employer and age, January 2016,
# %. A row per band of tenure, a column per band of age. First month of each
# band; 12 months or less, 13 to 23 months, 2, 3-4, 5-9, 10-14, 15-19, 20+ years.
TENURE_STARTS = (0, 13, 24, 36, 60, 120, 180, 240)
LONGEST_TENURE = 45 * 12
TENURE_SHARES = (
    (73.7, 50.8, 28.9, 17.1, 12.4, 10.2, 9.9),
    (11.7, 14.2, 9.4, 6.1, 5.0, 3.5, 2.9),
    (7.5, 10.8, 7.8, 4.8, 3.4, 2.9, 2.3),
    (7.0, 19.1, 24.9, 18.4, 13.7, 11.7, 9.8),
    (0.1, 5.0, 21.7, 24.4, 20.6, 18.1, 19.9),
    (0.0, 0.1, 6.7, 16.5, 15.7, 14.4, 15.6),
    (0.0, 0.0, 0.7, 9.4, 11.9, 11.3, 11.6),
    (0.0, 0.0, 0.0, 3.4, 17.3, 28.0, 28.1),
)

# Assumption: % of each age band in five job levels, the lowest first, before tenure moves
# people up. All ages together come to about 40, 28, 18, 10 and 4 %. Of fewer or more levels
# each takes its part of the same ladder.
LEVEL_SHARES = (
    (97.0, 3.0, 0.0, 0.0, 0.0),
    (78.0, 19.0, 3.0, 0.0, 0.0),
    (50.0, 31.0, 15.0, 3.5, 0.5),
    (33.0, 29.5, 21.5, 12.0, 4.0),
    (29.0, 28.0, 22.0, 15.0, 6.0),
    (29.0, 27.0, 21.5, 15.5, 7.0),
    (35.0, 28.0, 20.0, 11.0, 6.0),
)

# Vanguard, How America Saves 2025: average deferral by age in 2024, tenths of a
# % of pay; under 25, 25-34, 35-44, 45-54, 55-64, 65+.
DEFERRAL_TENTHS = (55, 55, 68, 73, 79, 93, 101)

# % of each age band that saves where nobody is enrolled automatically: calibrated to
# Vanguard, How America Saves 2025 (64 % of all, 25 % under 25); assumption between.
SAVING_SHARES = (22, 22, 56, 64, 68, 71, 66)

# Assumption: % of each age band that works part time.
PART_TIME_SHARES = (60, 25, 6, 6, 5, 7, 25)

# Assumption: departments and their share of the workforce, %.
DEPARTMENTS = (
    ("Operations", 28),
    ("Sales", 16),
    ("Engineering", 15),
    ("Customer Service", 13),
    ("Information Technology", 10),
    ("Finance", 8),
    ("Marketing", 6),
    ("Human Resources", 4),
)


@dataclass(frozen=True)
class AgeYear:
    """What the draws of an employee of one age are compared with.

    Shares are cumulative, per million, and leave out the last one, which is
    always a million.

    Args:
        age: completed years.
        share: of employees who are younger.
        tenure: of those with a tenure in the bands before each but the first.
        level: of those in the levels before each but the first.
        saving: who saves.
        deferral_tenths: mean deferral of those who save, tenths of a % of pay.
        part_time: of those who work part time.

    """

    age: int
    share: int
    tenure: tuple[int, ...]
    level: tuple[int, ...]
    saving: int
    deferral_tenths: int
    part_time: int


def age_years(levels: int) -> list[AgeYear]:
    """Return the figures of each age from 16 to the oldest, youngest first.

    Args:
        levels: how many job levels there are.

    """
    ages = range(BAND_STARTS[0], OLDEST + 1)
    weights = [_weight(age) for age in ages]
    younger = _cumulative(weights)
    tenure: list[tuple[int, ...]] = []
    for band in range(len(BAND_STARTS)):
        tenure += map(_cumulative, _tenure_by_age(band))
    return [
        AgeYear(
            age=age,
            share=(0, *younger)[number],
            tenure=tenure[number],
            level=_cumulative(_on_ladder(LEVEL_SHARES[_band(age)], levels)),
            saving=SAVING_SHARES[_band(age)] * MILLION // 100,
            deferral_tenths=DEFERRAL_TENTHS[_band(age)],
            part_time=PART_TIME_SHARES[_band(age)] * MILLION // 100,
        )
        for number, age in enumerate(ages)
    ]


def _band(age: int) -> int:
    return bisect_right(BAND_STARTS, age) - 1


def _weight(age: int) -> float:
    band = _band(age)
    within = WITHIN_BAND[band]
    return BAND_SHARES[band] * within[age - BAND_STARTS[band]] / sum(within)


def _on_ladder(shares: tuple[float, ...], levels: int) -> tuple[float, ...]:
    """Return the shares of another number of levels, even within each of those that are given."""
    if levels == len(shares):
        return shares
    below = [0.0, *accumulate(shares)]

    def up_to(level: int) -> float:
        whole, rest = divmod(level * len(shares), levels)
        return below[whole] + (shares[whole] * rest / levels if rest else 0.0)

    return tuple(up_to(level + 1) - up_to(level) for level in range(levels))


def _cumulative(shares: tuple[float, ...] | list[float]) -> tuple[int, ...]:
    """Return cumulative shares per million of the whole, without the last."""
    total = sum(shares)
    return tuple(round(part * MILLION / total) for part in accumulate(shares))[:-1]


def _tenure_by_age(band: int) -> list[list[float]]:
    """Return the shares of each tenure for each age of a band.

    They are interpolated between the middles of the published bands of age,
    without those that would need a hire before 16, and then scaled in turn by
    tenure and by age until the band as a whole has the published shares
    (iterative proportional fitting).
    """
    start, within = BAND_STARTS[band], WITHIN_BAND[band]
    ages = range(start, start + len(within))
    cells = [
        [
            _interpolated(shares, age + 0.5) * _is_possible(first_month, age)
            for shares, first_month in zip(TENURE_SHARES, TENURE_STARTS, strict=True)
        ]
        for age in ages
    ]
    for _ in range(200):
        for tenure, shares in enumerate(TENURE_SHARES):
            column = sum(row[tenure] * weight for row, weight in zip(cells, within, strict=True))
            if column:
                for row in cells:
                    row[tenure] *= shares[band] * sum(within) / 100 / column
        for row in cells:
            total = sum(row)
            row[:] = [cell / total for cell in row]
    return cells


def _is_possible(first_month: int, age: int) -> bool:
    """Say whether most people of an age can have that tenure, hired at 16 or later."""
    return first_month <= (age - YOUNGEST_HIRE) * 12 + 1


def _interpolated(shares: tuple[float, ...], age: float) -> float:
    middles = [
        start + sum(n * w for n, w in enumerate(within)) / sum(within) + 0.5
        for start, within in zip(BAND_STARTS, WITHIN_BAND, strict=True)
    ]
    after = min(max(bisect_right(middles, age), 1), len(middles) - 1)
    place = (age - middles[after - 1]) / (middles[after] - middles[after - 1])
    place = min(max(place, 0.0), 1.0)
    return shares[after - 1] + place * (shares[after] - shares[after - 1])
