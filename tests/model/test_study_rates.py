"""Over many seeds, the rates are those configured and vary as independent draws do.

Seeds and census are fixed: the verdict is the same every time.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from planalign.config import Compensation, Hiring, default_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Studies
    from planalign.results import Run

SEEDS, EMPLOYEES = 200, 2000
UNLIKELY = 1e-3
# Part of the year that is left to a hire on average, who starts in any month alike: from the
# middle of January on 350 days, of February 320.5, ..
DAYS_LEFT = (350, 320.5, 291, 260.5, 230, 199.5, 169, 138, 107.5, 77, 46.5, 16)
LEFT = sum(DAYS_LEFT) / 12 / 365
RATES = {
    "total_termination_rate": 0.12,
    "new_hire_termination_rate": 0.25,
    "promotion_rate": 0.06,
    # As many are promoted as the rate says, whether or not there is room.
    "promotions": "rates",
    "hiring": {"levels": "weights"},
    "target_growth_rate": 0.03,
}
YEARS = [2025, 2026]

Table = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def run(shared_studies: Studies) -> Run:
    return shared_studies.simulate(
        shared_studies.generated(EMPLOYEES),
        simulation={"start_year": 2025, "end_year": 2026, "random_seed": 42, "replicates": SEEDS},
        workforce=RATES,
        # So that the lowest rating, which earns no merit raise, has one too.
        compensation={"cola_rate": 0.02},
    )


@pytest.fixture
def probabilities(
    studies: Studies, scaled: Callable[..., list[tuple[float, float]]]
) -> list[tuple[float, float]]:
    """Each employee's probabilities of the first year, the same under every seed."""
    return scaled(studies.generated(EMPLOYEES), workforce=RATES)


@pytest.fixture(scope="session")
def summary(run: Run) -> Callable[[int], Table]:
    def of(year: int) -> Table:
        return (
            run.relation("fct_financial_summary")
            .filter(f"simulation_year = {year}")
            .order("replicate")
            .fetchnumpy()
        )

    return of


def query(run: Run, text: str) -> list[tuple[Any, ...]]:
    return run.sql(text).fetchall()


def is_mean(values: np.ndarray, expected: float) -> bool:
    """Say whether the mean is within three standard errors, and these are not zero."""
    error = values.std(ddof=1) / len(values) ** 0.5
    return 0 < abs(values.mean() - expected) < 3 * error


def fits(found: dict[Any, int], weights: dict[Any, float]) -> bool:
    """Say whether counts by class follow the weights; nothing falls elsewhere."""
    weights = {key: float(weight) for key, weight in weights.items() if weight}
    if not found.keys() <= weights.keys():
        return False
    counts = np.array([found.get(key, 0) for key in weights])
    shares = np.array(list(weights.values())) / sum(weights.values())
    return bool(stats.chisquare(counts, shares * counts.sum()).pvalue > UNLIKELY)


@pytest.mark.parametrize("year", YEARS)
def test_rates_are_those_configured(summary: Callable[[int], Table], year: int) -> None:
    found = summary(year)
    opening = found["opening_headcount"]
    assert len(opening) == SEEDS
    assert is_mean(found["experienced_terminations"] / opening, 0.12)
    assert is_mean(found["new_hire_terminations"] / found["hires"], 0.25 * LEFT)
    assert is_mean(found["promotions"] / opening, 0.06)
    target = found["target_closing_headcount"]
    assert (target == np.floor(opening * 1.03 + 0.5)).all()
    assert abs((found["closing_headcount"] / target).mean() - 1) < 0.01


def test_counts_vary_as_independent_draws_do(
    run: Run, summary: Callable[[int], Table], probabilities: list[tuple[float, float]]
) -> None:
    """`probabilities` are those of leaving and, for who stays, of being promoted."""
    leaving, promoted = np.array(probabilities).T
    found = summary(2025)

    def in_bounds(counts: np.ndarray, each: np.ndarray) -> bool:
        ratio = (len(counts) - 1) * counts.var(ddof=1) / (each * (1 - each)).sum()
        below = stats.chi2.cdf(ratio, len(counts) - 1)
        return UNLIKELY < below < 1 - UNLIKELY

    assert in_bounds(found["experienced_terminations"], leaving)
    assert in_bounds(found["promotions"], (1 - leaving) * promoted)
    # Hires who leave: binomial, given how many were hired.
    hires, left = found["hires"], found["new_hire_terminations"]
    chance = 0.25 * LEFT
    deviations = ((left - hires * chance) ** 2 / (hires * chance * (1 - chance))).sum()
    assert UNLIKELY < stats.chi2.cdf(deviations, SEEDS) < 1 - UNLIKELY
    # Another seed is another future: no two have the same counts throughout.
    assert len({*zip(found["payroll"].tolist(), hires.tolist(), strict=True)}) == SEEDS


def test_employees_leave_as_often_as_their_hazard_says(
    run: Run, probabilities: list[tuple[float, float]]
) -> None:
    # In ten groups of rising hazard; `probabilities` are in the order of the id.
    by_employee = query(
        run,
        "select count(termination_date), count(*) filter (where detailed_status = "
        "'experienced_termination') from fct_workforce_snapshot where simulation_year = 2025 "
        "and detailed_status in ('continuous_active', 'experienced_termination') "
        "group by employee_id order by employee_id",
    )
    left = np.array([count for count, _ in by_employee])
    leaving = np.array([probability for probability, _ in probabilities])
    assert len(left) == len(leaving)
    for group in np.array_split(np.argsort(leaving), 10):
        chances = leaving[group]
        deviation = left[group].sum() - SEEDS * chances.sum()
        assert abs(deviation) < 3.5 * (SEEDS * chances * (1 - chances)).sum() ** 0.5


def test_dates_are_spread_over_the_year(run: Run) -> None:
    leavers = query(
        run,
        "select termination_date - make_date(simulation_year, 1, 1), count(*) "
        "from fct_workforce_snapshot where detailed_status = 'experienced_termination' group by 1",
    )
    assert fits(dict(leavers), dict.fromkeys(range(365), 1))
    hires = query(
        run,
        "select month(hire_date), count(*), count(distinct day(hire_date)) "
        "from fct_workforce_snapshot where detailed_status like 'new_hire%' group by 1 order by 1",
    )
    assert fits({month: count for month, count, _ in hires}, dict.fromkeys(range(1, 13), 1))
    assert [days for *_, days in hires] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    # Hires leave on any day from their first one on.
    [(mean, error)] = query(
        run,
        "select avg(place), stddev_samp(place) / sqrt(count(*)) from (select (0.5 + "
        "(termination_date - hire_date)) / (make_date(simulation_year, 12, 31) - hire_date + 1) "
        "as place from fct_workforce_snapshot where detailed_status = 'new_hire_termination')",
    )
    assert abs(mean - 0.5) < 3 * error


def test_hires_leave_by_the_part_of_the_year_that_is_left(run: Run) -> None:
    months = query(
        run,
        "select count(*), count(termination_date), month(hire_date) from fct_workforce_snapshot "
        "where detailed_status like 'new_hire%' group by all order by 3",
    )
    for (hires, left, _), days in zip(months, DAYS_LEFT, strict=True):
        chance = 0.25 * days / 365
        assert abs(left - hires * chance) < 3.5 * (hires * chance * (1 - chance)) ** 0.5


def test_hires_follow_the_weights(run: Run) -> None:
    hires = "fct_workforce_snapshot where detailed_status like 'new_hire%'"
    levels = query(run, f"select job_level, count(*) from {hires} group by 1")
    assert fits(dict(levels), {n: one.hire_share for n, one in enumerate(default_levels(), 1)})
    age = (
        "simulation_year - year(birth_date) - (strftime(birth_date, '%m%d') "
        "> strftime(hire_date, '%m%d'))::integer"
    )
    ages = dict(query(run, f"select {age}, count(*) from {hires} group by 1"))
    bands = Hiring().age_bands
    in_band = {
        str(band): sum(ages.get(age, 0) for age in range(band.low, band.high + 1))
        for band, _ in bands
    }
    assert sum(in_band.values()) == sum(ages.values())
    assert fits(in_band, {str(band): weight for band, weight in bands})
    # Pay is spread evenly between the percentiles of the band, each year's own.
    places = query(
        run,
        "select (opening_compensation - band_minimum)::double / (band_maximum - band_minimum) "
        "from fct_workforce_snapshot join int_effective_parameters "
        "using (scenario_id, simulation_year, job_level) where detailed_status like 'new_hire%'",
    )
    spread = np.array(places).ravel()
    assert 0.2 <= spread.min() < 0.201
    assert 0.799 < spread.max() <= 0.8
    assert stats.kstest(spread, stats.uniform(0.2, 0.6).cdf).pvalue > UNLIKELY


def test_raises_follow_ratings_and_budget(run: Run) -> None:
    raises = "fct_yearly_events where event_type = 'raise'"
    ratings = query(run, f"select event_payload->>'$.rating', count(*) from {raises} group by 1")
    assert fits(dict(ratings), {r.rating: r.share for r in Compensation().performance})
    # Merit raises spend the budget: 3 % on average, over the raise that everybody gets.
    [(merit, error, cola)] = query(
        run,
        "select avg((event_payload->>'$.merit_rate')::double), "
        "stddev_samp((event_payload->>'$.merit_rate')::double) / sqrt(count(*)), "
        f"any_value(event_payload->>'$.cola_rate') from {raises}",
    )
    assert abs(merit - 0.03) < 3 * error
    assert Decimal(cola) == Decimal("0.02")


def test_raise_and_promotion_months_follow_their_weights(run: Run) -> None:
    # Of who is there all year, so that nobody leaves before the day.
    for kind, weights in (
        ("raise", Compensation().raise_months),
        ("promotion", Compensation().promotion_months),
    ):
        months = query(
            run,
            "select month(effective_date), count(*) from fct_yearly_events "
            "join fct_workforce_snapshot using (scenario_id, replicate, simulation_year, "
            f"employee_id) where event_type = '{kind}' and employment_status = 'active' group by 1",
        )
        assert fits(dict(months), dict(enumerate(weights, start=1))), kind


def test_only_old_enough_employees_retire(run: Run) -> None:
    ages = query(
        run,
        "select event_payload->>'$.reason', min(current_age), count(*) from fct_yearly_events "
        "join fct_workforce_snapshot using (scenario_id, replicate, simulation_year, employee_id) "
        "where event_type = 'termination' group by 1 order by 1",
    )
    assert [reason for reason, *_ in ages] == ["new_hire", "retirement", "voluntary"]
    by_reason = {reason: (youngest, count) for reason, youngest, count in ages}
    assert by_reason["retirement"][0] >= 55
    assert by_reason["voluntary"][0] < 30
    assert by_reason["retirement"][1] > 1000


def test_exact_alignment_meets_the_rounded_numbers(studies: Studies) -> None:
    run = studies.simulate(
        studies.generated(517, 3),
        simulation={"start_year": 2025, "end_year": 2027, "replicates": 15},
        workforce={**RATES, "alignment": "exact"},
    )

    def rounded(number: Decimal) -> int:
        return int(number.quantize(Decimal(1), ROUND_HALF_UP))

    found = run.summary()
    share = Decimal(LEFT) / 4
    assert len(found) == 45
    for year in found:
        opening, hires = year.opening_headcount, year.hires
        assert year.experienced_terminations == rounded(opening * Decimal("0.12"))
        assert year.promotions == rounded(opening * Decimal("0.06"))
        assert year.new_hire_terminations == rounded(hires * share)
        target = rounded(opening * Decimal("1.03"))
        needed = target - opening + year.experienced_terminations
        assert hires == rounded(needed / (1 - share))
        assert year.closing_headcount == target
    # Who it is differs by seed.
    assert len({year.payroll for year in found}) == 45
