"""Credibility and intervals: known values, and what a few events must not become."""

from __future__ import annotations

import pytest

from planalign.experience import credibility
from planalign.experience.credibility import CELL, MARGIN, TOTAL, Standard


def test_the_standards_are_those_that_are_known() -> None:
    assert round(CELL.events) == 1082
    assert round(MARGIN.events) == 271
    assert round(TOTAL.events) == 30
    assert round(Standard(0.025).events) == 4329


def test_one_leaver_of_two_does_not_become_half() -> None:
    blend = credibility.rate(1, 2, 0.12, TOTAL)
    assert blend.own == 0.5
    assert 0.12 < blend.blended < 0.2
    assert credibility.rate(2, 2, 0.12, TOTAL).blended < 0.4
    assert credibility.rate(1, 2, 0.12, CELL).blended < 0.14


def test_nobody_of_many_is_experience_too() -> None:
    assert credibility.rate(0, 500, 0.12, TOTAL).blended == 0
    assert credibility.rate(0, 10, 0.12, TOTAL).blended == pytest.approx(0.12 * 0.7868, abs=2e-3)


def test_without_exposure_the_prior_stands() -> None:
    blend = credibility.rate(0, 0, 0.12, TOTAL)
    assert (blend.own, blend.blended, blend.low) == (None, 0.12, None)
    assert credibility.ratio(0, 0, 1.0, CELL).blended == 1.0


def test_full_credibility_takes_own_experience_alone() -> None:
    blend = credibility.rate(2_000, 10_000, 0.12, CELL)
    assert (blend.credibility, blend.blended) == (1.0, 0.2)
    # The square-root rule: a quarter of the events, half of the weight.
    assert credibility.ratio(270.5, 270.5, 1.0, CELL).credibility == pytest.approx(0.5, abs=1e-3)


def test_a_mean_is_credible_by_its_error() -> None:
    assert credibility.mean(0.04, 0.0001, 0.03, MARGIN, 0.04).credibility == 1.0
    # 10 % of 0.04 over 1.645 * 0.00486: a half.
    half = credibility.mean(0.04, 0.004863, 0.03, MARGIN, 0.04)
    assert half.blended == pytest.approx(0.035, abs=1e-5)


def test_wilson_and_byar_are_those_of_the_books() -> None:
    # As scipy.stats.binomtest(15, 148).proportion_ci(0.9, "wilson") says.
    low, high = credibility.wilson(15, 148)
    assert (round(low, 4), round(high, 4)) == (0.0674, 0.1496)
    assert credibility.wilson(0, 20)[0] == 0
    assert credibility.wilson(20, 20)[1] == pytest.approx(1)
    # The exact 90 % interval of 10 events is 5.43 to 16.96.
    low, high = credibility.byar(10)
    assert low == pytest.approx(5.43, abs=0.03)
    assert high == pytest.approx(16.96, abs=0.03)
    assert credibility.byar(0)[0] == 0


def test_years_differ_only_by_what_their_errors_do_not_explain() -> None:
    assert credibility.between_years([0.1], [0.0]) == 0
    assert credibility.between_years([0.10, 0.12], [0.02, 0.02]) == 0
    assert credibility.between_years([0.10, 0.20], [0.0, 0.0]) == pytest.approx(0.005)
