"""Scenarios side by side: differences by replicate, growth, and who gains or loses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from run_folder import build_run, change_run

from planalign.errors import UsageError
from planalign.results.compare import FIGURES, side_by_side
from planalign.results.summary import Spread

if TYPE_CHECKING:
    from pathlib import Path

# Headcounts of `growth` by year and replicate, against 1030, 1031 (2025) and 1040,
# 1041 (2026) of the baseline.
CLOSING = {(2025, 0): 1040, (2025, 1): 1051, (2026, 0): 1140, (2026, 1): 1101}
CHANGE = "; ".join(
    f"update fct_financial_summary set closing_headcount = {headcount} where scenario_id = 'growth'"
    f" and simulation_year = {year} and replicate = {replicate}"
    for (year, replicate), headcount in CLOSING.items()
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return build_run(tmp_path / "study", change=CHANGE)


def test_differences_are_taken_replicate_by_replicate(study: Path) -> None:
    found = side_by_side([study])
    assert found.baseline == "baseline"
    assert [(year.scenario, year.simulation_year) for year in found.years] == [
        ("baseline", 2025), ("baseline", 2026), ("growth", 2025), ("growth", 2026)
    ]  # fmt: skip
    baseline, *_, growth = found.years
    assert set(baseline.figures) == set(FIGURES)
    assert baseline.figures["closing_headcount"].difference is None
    figure = growth.figures["closing_headcount"]
    assert figure.value is not None
    assert figure.value.mean == 1120.5
    # 1140 - 1040 and 1101 - 1041: from 60 to 100 in ten equal parts.
    assert figure.difference == Spread(80.0, 64.0, 96.0)
    assert figure.percent == pytest.approx(100 * 80 / 1040.5)
    assert growth.figures["payroll"].percent == 0
    assert found.warnings == ()


def test_growth_is_compound_from_the_first_mean_to_the_last(study: Path, tmp_path: Path) -> None:
    one, other = side_by_side([study]).growth
    assert (one.first_year, one.last_year) == (2025, 2026)
    assert one.percent["closing_headcount"] == pytest.approx(100 * (1040.5 / 1030.5 - 1))
    assert other.percent["closing_headcount"] == pytest.approx(100 * (1120.5 / 1045.5 - 1))
    long = build_run(
        tmp_path / "long",
        years=(2025, 2027),
        replicates=1,
        change="update fct_financial_summary set payroll = 100 * 1.1 ^ (simulation_year - 2025); "
        "update fct_financial_summary set payroll = 0 where scenario_id = 'growth'",
    )
    constant, from_nothing = side_by_side([long]).growth
    assert constant.percent["payroll"] == pytest.approx(10)
    assert from_nothing.percent["payroll"] is None


def test_another_baseline_turns_the_differences_round(study: Path) -> None:
    found = side_by_side([study], "growth")
    assert found.baseline == "growth"
    change = found.years[1].figures["closing_headcount"].difference
    assert change is not None
    assert change.mean == -80


def test_the_baseline_is_that_of_its_name_or_the_first(tmp_path: Path) -> None:
    named = build_run(tmp_path / "named", scenarios=("austere", "baseline"))
    assert side_by_side([named]).baseline == "baseline"
    unnamed = build_run(tmp_path / "unnamed", scenarios=("lavish", "austere"))
    assert side_by_side([unnamed]).baseline == "austere"
    assert side_by_side([unnamed, named]).baseline == "unnamed/austere"


PAY = "prorated_annual_compensation"
PAID = f"update fct_workforce_snapshot set {PAY} = {PAY}"


def test_employees_gain_or_lose_by_the_pay_of_all_years(tmp_path: Path) -> None:
    study = build_run(
        tmp_path / "study",
        employees=6,
        change=f"{PAID} + 1000 where scenario_id = 'growth' and employee_id = 'EMP_000001'; "
        f"{PAID} + 500 where scenario_id = 'growth' and employee_id = 'EMP_000002' "
        "and replicate = 0 and simulation_year = 2025; "
        f"{PAID} - 0.01 where scenario_id = 'growth' and employee_id = 'EMP_000003' "
        "and replicate = 1 and simulation_year = 2026; "
        "delete from fct_workforce_snapshot where scenario_id = 'growth' "
        "and employee_id = 'EMP_000004'; "
        "delete from fct_workforce_snapshot where scenario_id = 'baseline' "
        "and employee_id = 'EMP_000005' and replicate = 0",
    )
    [found] = side_by_side([study], most=2).employees
    # Of two replicates: one gains in both, one in one; one loses in one.
    assert (found.better_off, found.worse_off, found.the_same) == (1.5, 0.5, 2.5)
    assert (found.only_in_baseline, found.only_in_scenario) == (1.0, 0.5)
    assert found.mean_gain == pytest.approx((2000 + 2000 + 500) / 3)
    assert found.mean_loss == pytest.approx(-0.01)
    assert [(c.replicate, c.employee_id, c.difference) for c in found.most] == [
        (0, "EMP_000001", Decimal(2000)), (1, "EMP_000001", Decimal(2000))
    ]  # fmt: skip
    [lost] = found.least
    assert (lost.replicate, lost.employee_id) == (1, "EMP_000003")
    assert lost.received - lost.baseline == Decimal("-0.01")


def test_scenarios_of_several_runs_are_named_by_run(study: Path, tmp_path: Path) -> None:
    other = build_run(tmp_path / "other", scenarios=("baseline",), replicates=1, years=(2026, 2027))
    found = side_by_side([study, other])
    assert [growth.scenario for growth in found.growth] == [
        "study/baseline", "study/growth", "other/baseline"
    ]  # fmt: skip
    assert {year.simulation_year for year in found.years} == {2026}
    last = found.years[-1].figures["closing_headcount"]
    # Shift of the first year in one, of the second in the other; only replicate 0 is in both.
    assert last.value == Spread(1030.0, 1030.0, 1030.0)
    assert last.difference == Spread(-10.0, -10.0, -10.0)
    assert any("2025, 2027" in warning for warning in found.warnings)


def test_other_seeds_and_no_common_replicate_are_said(study: Path, tmp_path: Path) -> None:
    seeds = build_run(
        tmp_path / "seeds", change="update dim_scenarios set random_seed = random_seed + 5"
    )
    warnings = side_by_side([study, seeds]).warnings
    assert len([text for text in warnings if "other random seeds" in text]) == 2
    apart = build_run(
        tmp_path / "apart",
        change="".join(
            f"update {table} set replicate = replicate + 7;"
            for table in (
                "fct_financial_summary",
                "fct_plan_costs",
                "dim_scenarios",
                "fct_workforce_snapshot",
            )
        ),
    )
    found = side_by_side([study, apart])
    assert any("no replicate in common" in text for text in found.warnings)
    assert found.years[-1].figures["payroll"].difference is None
    assert [one.scenario for one in found.employees] == ["study/growth"]


def test_contributions_of_the_employer_count(tmp_path: Path) -> None:
    column = (
        "update fct_workforce_snapshot set core_contribution = 10.50 "
        "where scenario_id = 'growth' and employee_id = 'EMP_000001'"
    )
    study = build_run(tmp_path / "study", employees=3, replicates=1, change=column)
    [found] = side_by_side([study], most=1).employees
    assert (found.better_off, found.worse_off, found.the_same) == (1, 0, 2)
    assert found.most[0].difference == Decimal("21.00")


def test_a_run_without_plan_costs_has_all_other_figures(study: Path, tmp_path: Path) -> None:
    old = build_run(tmp_path / "old", change="drop table fct_plan_costs")
    last = side_by_side([study, old]).years[-1]
    assert last.figures["employer_cost"].value is None
    assert last.figures["employer_cost"].difference is None
    assert last.figures["payroll"].percent == 0


def test_what_cannot_be_compared_is_refused(study: Path, tmp_path: Path) -> None:
    single = build_run(tmp_path / "single", scenarios=("baseline",))
    with pytest.raises(UsageError, match="a single scenario, baseline"):
        side_by_side([single])
    with pytest.raises(UsageError, match="no scenario 'grwth'") as caught:
        side_by_side([study], "grwth")
    assert caught.value.remedy == "Use one of baseline, growth."
    with pytest.raises(UsageError, match="named twice"):
        side_by_side([study, study.parent / "." / study.name])
    later = build_run(tmp_path / "later", years=(2030, 2031))
    with pytest.raises(UsageError, match="no year is in all"):
        side_by_side([study, later])


def seeded(folder: Path, shift: int, **more: int) -> Path:
    return build_run(
        folder, change=f"update dim_scenarios set random_seed = random_seed + {shift}", **more
    )


@pytest.mark.parametrize(
    ("shift", "replicates", "shared"),
    [
        (0, 3, None),  # the same seed: paired
        (3, 3, None),  # apart: nothing in common
        (1, 3, "the 2 seeds from 43 to 44 are in both"),
        (-1, 3, "the 2 seeds from 42 to 43 are in both"),
        (2, 3, "seed 44 is in both"),
        (4, 3, None),
        (2, 1, "seed 44 is in both"),
    ],
)
def test_runs_whose_seeds_overlap_are_said_to_share_luck(
    tmp_path: Path, shift: int, replicates: int, shared: str | None
) -> None:
    one = seeded(tmp_path / "one", 0, replicates=3)
    other = seeded(tmp_path / "other", shift, replicates=replicates)
    found = [text for text in side_by_side([one, other]).warnings if "share luck" in text]
    if shared is None:
        assert found == []
    else:
        [text] = found
        assert text.startswith(f"one and other share luck: {shared}, in different replicates")
        assert "3 or more apart" in text


def test_luck_is_shared_by_any_two_runs_and_by_replicates_taken_out(tmp_path: Path) -> None:
    runs = [seeded(tmp_path / name, shift) for name, shift in (("a", 0), ("b", 10), ("c", 11))]
    # Of `b`, replicate 1 alone: its seed is that of replicate 0 of `c`.
    change_run(
        runs[1],
        "".join(
            f"delete from {table} where replicate = 0;"
            for table in (
                "fct_financial_summary",
                "fct_plan_costs",
                "dim_scenarios",
                "fct_workforce_snapshot",
            )
        ),
    )
    [text] = [text for text in side_by_side(runs).warnings if "share luck" in text]
    assert text.startswith("b and c share luck: seed 53 is in both, in different")
