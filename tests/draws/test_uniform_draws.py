"""Draws of employees with sequential ids look independent and uniform.

The data is fixed, so that each test gives the same verdict every time: limits are
those that independent draws would pass but for one study in many thousands.
"""

from __future__ import annotations

import hashlib
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from conftest import Macros

    Draw = Callable[..., dict[str, np.ndarray]]

MANY = 2_000_000
BILLION = 1_000_000_000
UNLIKELY = 1e-4
# Standard deviations that one of a few hundred correlations reaches with that chance.
FAR = 5.0


def sequential(count: int, pattern: str = "'E' || lpad(n::varchar, 7, '0')") -> str:
    return f"select n, {pattern} as employee_id from range(1, {count} + 1) as r(n)"


def likelihood(found: np.ndarray) -> float:
    """Return the probability of counts as far from equal as these, on both sides."""
    upper = float(stats.chisquare(found).pvalue)
    return 2 * min(upper, 1 - upper)


def surplus(draws: np.ndarray) -> float:
    """Return coincident draws beyond the birthday expectation, in standard deviations."""
    coincident = int(np.count_nonzero(np.diff(np.sort(draws)) == 0))
    expected = len(draws) - BILLION * (1 - (1 - 1 / BILLION) ** len(draws))
    return (coincident - expected) / expected**0.5


def furthest_correlation(draws: dict[str, np.ndarray]) -> float:
    """Return the largest correlation of two of the series, in standard deviations."""
    matrix = np.corrcoef(np.array([series.astype(float) for series in draws.values()]))
    pairs = combinations(range(len(draws)), 2)
    size = len(next(iter(draws.values())))
    return max(abs(matrix[a, b]) for a, b in pairs) * size**0.5


@pytest.fixture(
    scope="module", params=["'E' || lpad(n::varchar, 7, '0')", "n::varchar", "'H2025-' || n"]
)
def many(request: pytest.FixtureRequest, draws: Draw) -> np.ndarray:
    """Two million draws of one decision, by number of the employee."""
    return draws(sequential(MANY, request.param), ["termination"], [(42, 2025)])["termination"]


@pytest.fixture(scope="module")
def all_decisions(macros: Macros, draws: Draw) -> dict[str, np.ndarray]:
    """Every decision of 200,000 employees, by number of the employee."""
    found = draws(sequential(200_000), macros.draw_decisions(), [(42, 2025)])
    return {name: found[name] for name in macros.draw_decisions()}


def test_uniform_in_every_digit(many: np.ndarray) -> None:
    assert len(many) == MANY
    assert many.min() >= 0
    assert many.max() < BILLION
    # Leading, middle and last three digits.
    for part in (many // 1_000_000, many // 1000 % 1000, many % 1000):
        assert likelihood(np.bincount(part, minlength=1000)) > UNLIKELY


def test_neighbours_are_independent(many: np.ndarray) -> None:
    values = many / BILLION
    for lag in range(1, 17):
        correlation = np.corrcoef(values[:-lag], values[lag:])[0, 1]
        assert abs(correlation) * (MANY - lag) ** 0.5 < FAR, f"lag {lag}"
    # Beyond correlation: disjoint pairs fall evenly on a grid, and so do triples.
    cells = (many * 32) // BILLION
    assert likelihood(np.bincount(cells[0::2] * 32 + cells[1::2], minlength=32**2)) > UNLIKELY
    cells = (many[: MANY // 3 * 3] * 16) // BILLION
    triples = cells[0::3] * 256 + cells[1::3] * 16 + cells[2::3]
    assert likelihood(np.bincount(triples, minlength=16**3)) > UNLIKELY


def test_runs_are_as_long_as_chance_makes_them(many: np.ndarray) -> None:
    # Gaps between leavers at a hazard of 12 %: geometric.
    leavers = np.flatnonzero(many < 120_000_000)
    gaps = np.minimum(np.diff(leavers), 40)
    chances = 0.12 * 0.88 ** np.arange(39)
    expected = np.append(chances, 1 - chances.sum()) * len(gaps)
    found = np.bincount(gaps, minlength=41)[1:]
    assert stats.chisquare(found, expected).pvalue > UNLIKELY


def test_coincidences_are_those_of_birthdays(many: np.ndarray) -> None:
    assert abs(surplus(many)) < 4


def test_no_two_employees_share_the_words_of_a_draw(
    macros: Macros, connection: duckdb.DuckDBPyConnection
) -> None:
    # The 64 bits behind the nine digits: of 2 * 10^12 pairs none should meet.
    key = macros.employee_key("'E' || n")
    words = macros.philox(
        f"(select {key} & 4294967295 as x_left, {key} >> 32 as x_right, 7::ubigint as x_key "
        f"from range({MANY}) as r(n))",
        ["x"],
    )
    distinct = connection.execute(
        f"select count(distinct (x_left, x_right)) from {words}"
    ).fetchone()
    assert distinct == (MANY,)


def test_decisions_are_independent(all_decisions: dict[str, np.ndarray]) -> None:
    assert len(all_decisions) * 200_000 >= MANY
    for name, values in all_decisions.items():
        assert likelihood(np.bincount(values * 1000 // BILLION, minlength=1000)) > UNLIKELY, name
    # Nor does a decision foretell another one of one of the next employees.
    shifted = {
        f"{name} {shift}": np.roll(values, shift)
        for name, values in all_decisions.items()
        for shift in (0, 1, 2)
    }
    assert furthest_correlation(shifted) < FAR


def test_decisions_meet_as_often_as_birthdays(all_decisions: dict[str, np.ndarray]) -> None:
    every = np.concatenate(list(all_decisions.values()))
    assert abs(surplus(every)) < 4
    # The same employee does not meet the same draw twice more often than by chance.
    same = sum(
        int(np.count_nonzero(one == other))
        for one, other in combinations(all_decisions.values(), 2)
    )
    assert same <= 3


@pytest.mark.parametrize(
    "trajectories",
    [
        pytest.param([(42, year) for year in range(2025, 2035)], id="years"),
        pytest.param([(seed, 2025) for seed in range(42, 52)], id="seeds"),
        # The sum of seed and year is the same in all.
        pytest.param([(42 - n, 2025 + n) for n in range(10)], id="seeds and years"),
        pytest.param([(2**n, 2025) for n in range(52, 62)], id="large seeds"),
    ],
)
def test_trajectories_are_independent(draws: Draw, trajectories: list[tuple[int, int]]) -> None:
    count = 200_000
    found = draws(sequential(count), ["promotion"], trajectories)["promotion"]
    series = {
        f"{trajectory} {shift}": np.roll(found[n * count : (n + 1) * count], shift)
        for n, trajectory in enumerate(trajectories)
        for shift in (0, 1)
    }
    assert len(found) == 2_000_000
    assert furthest_correlation(series) < FAR
    assert abs(surplus(found)) < 4


def test_other_decisions_and_rows_change_no_draw(macros: Macros, draws: Draw) -> None:
    decisions = macros.draw_decisions()
    trajectories = [(42, 2025), (43, 2025), (42, 2026)]

    def by_row(employees: str, names: list[str], of: list[tuple[int, int]]) -> dict[tuple, tuple]:
        found = draws(employees, names, of)
        rows = zip(
            *(found[name].tolist() for name in ("trajectory_id", "n", *decisions[:2])), strict=True
        )
        return {(of[trajectory], n): rest for trajectory, n, *rest in rows}

    alone = by_row(sequential(3000), decisions[:2], trajectories)
    assert len(alone) == 9000
    among_all = by_row(sequential(3000), decisions, trajectories)
    assert among_all == alone
    backwards = by_row(sequential(3000), decisions[1::-1], trajectories[::-1])
    assert backwards == alone
    shuffled = by_row(f"{sequential(5000)} order by md5(employee_id)", decisions[:2], trajectories)
    assert {key: shuffled[key] for key in alone} == alone
    fewer = by_row(f"{sequential(3000)} where n % 7 = 0", decisions[:2], trajectories[:1])
    assert len(fewer) == 428
    assert fewer.items() <= alone.items()


def test_a_name_that_is_no_decision_is_refused(macros: Macros) -> None:
    with pytest.raises(ValueError, match="unknown decision 'luck'"):
        macros.with_draws("somewhere", ["luck"])


def test_draws_are_what_they_were(macros: Macros, draws: Draw) -> None:
    """Computed here from the definition alone: MD5 of the id and of the stream."""

    def lower_half(text: str) -> int:
        # DuckDB reads the digest in little-endian halves.
        return int.from_bytes(hashlib.md5(text.encode()).digest()[8:], "little")  # noqa: S324

    def draw(seed: int, year: int, decision: str, employee: str) -> int:
        key, stream = lower_half(employee), lower_half(f"{seed}|{year}|{decision}")
        left, right, salt = key & 0xFFFFFFFF, (key >> 32) ^ (stream >> 32), stream & 0xFFFFFFFF
        for _ in range(7):
            product = 0xD256D193 * left
            left, right = (product >> 32) ^ salt ^ right, product & 0xFFFFFFFF
            salt = (salt + 0x9E3779B9) & 0xFFFFFFFF
        return (left * 1_000_000 >> 32) * 1000 + (right * 1000 >> 32)

    decisions = macros.draw_decisions()
    trajectories = [(42, 2025), (2**62 + 99_999, 2150), (0, 1950)]
    found = draws(sequential(50), decisions, trajectories)
    for name in decisions:
        assert found[name].tolist() == [
            draw(seed, year, name, f"E{n:07}") for seed, year in trajectories for n in range(1, 51)
        ]
