"""The study of a fit: what is in it, that it holds, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from planalign.cli.app import app
from planalign.config import job_levels, load, parse
from planalign.errors import UsageError
from planalign.experience.backtest import drawn_parameters
from planalign.experience.fitting import fit
from planalign.experience.page import experience_page
from planalign.experience.study_folder import write_study

if TYPE_CHECKING:
    from planalign.experience.fitting import Fit


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def study(fitted: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted") / "study"
    write_study(fitted, {}, folder)
    return folder


def test_a_study_holds_what_was_fitted_and_nothing_else(
    study: Path, fitted: Fit, censuses: list[Path]
) -> None:
    found = {str(path.relative_to(study)) for path in study.rglob("*") if path.is_file()}
    tables = {f"tables/{name}.csv" for name in fitted.tables}
    assert found == {"planalign.yaml", "census.parquet"} | tables
    assert (study / "census.parquet").read_bytes() == censuses[-1].read_bytes()
    config = load(study / "planalign.yaml")
    assert (config.simulation.start_year, config.simulation.end_year) == (2025, 2029)
    assert (
        config.workforce.total_termination_rate == fitted.values["workforce.total_termination_rate"]
    )
    assert config.workforce.promotions == "rates"
    assert config.plan.behavior.change_rate == fitted.values["plan.behavior.change_rate"]
    assert {name: path.parent.name for name, path in config.tables.items()} == dict.fromkeys(
        fitted.tables, "tables"
    )
    assert [float(one.band_minimum) for one in job_levels(config)] == [
        float(row["band_minimum"]) for row in fitted.tables["market_bands"]
    ]


def test_each_value_has_its_number_and_interval_above_it(study: Path) -> None:
    lines = (study / "planalign.yaml").read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if "total_termination_rate:" in line)
    assert "109 of 943: own 0.115589, 90 % interval 0.09955 to 0.1338" in lines[place - 1]


def test_the_same_censuses_give_the_same_bytes(
    study: Path, censuses: list[Path], tmp_path: Path
) -> None:
    given = parse({"census": str(censuses[-1])}, Path.cwd())
    write_study(fit([*reversed(censuses)], given), {}, tmp_path / "again")
    for path in study.rglob("*"):
        if path.is_file():
            assert (tmp_path / "again" / path.relative_to(study)).read_bytes() == path.read_bytes()


def test_a_folder_that_is_there_is_refused(study: Path, fitted: Fit) -> None:
    with pytest.raises(UsageError, match="exists already"):
        write_study(fitted, {}, study)


def test_a_configuration_keeps_what_is_not_fitted(censuses: list[Path], tmp_path: Path) -> None:
    levels = [
        {
            "name": f"Grade {number}", "band_minimum": 30_000 * number,
            "band_maximum": 60_000 * number, "termination_factor": 1,
            "promotion_hazard": 0.05, "hire_share": 1,
        }
        for number in range(1, 6)
    ]  # fmt: skip
    own = tmp_path / "choices.csv"
    own.write_text("choice,share,multiple\n1,1.0,1.0\n")
    given: dict[str, Any] = {
        "census": str(censuses[-1]),
        "simulation": {"start_year": 2025, "end_year": 2026, "random_seed": 7},
        "job_levels": levels,
        "tables": {"deferral_choices": str(own)},
        "plan": {"match": {"formula": "safe_harbor_basic"}, "eligibility": {"minimum_age": 18}},
        "scenarios": {"baseline": None, "more": {"workforce": {"target_growth_rate": 0.1}}},
    }
    found = fit(censuses, parse(given, tmp_path))
    write_study(found, given, tmp_path / "study")
    config = load(tmp_path / "study" / "planalign.yaml")
    assert config.simulation.random_seed == 7
    assert config.plan.match.formula == "safe_harbor_basic"
    assert list(config.scenarios) == ["baseline", "more"]
    assert [one.name for one in config.job_levels] == [one["name"] for one in levels]
    assert float(config.job_levels[0].band_minimum) == float(
        found.tables["market_bands"][0]["band_minimum"]
    )
    assert "market_bands" not in config.tables
    with config.tables["deferral_choices"].open() as stream:
        assert list(csv.DictReader(stream)) == [{"choice": "1", "share": "1.0", "multiple": "1.0"}]


def test_parameters_are_drawn_around_the_fit(fitted: Fit) -> None:
    draws = drawn_parameters(fitted, 400)
    assert draws == drawn_parameters(fitted, 400)
    rates = [float(one["workforce"]["total_termination_rate"]) for one in draws]
    estimate = fitted.estimate("workforce.total_termination_rate")
    assert estimate is not None
    mean = sum(rates) / len(rates)
    deviation = (sum((rate - mean) ** 2 for rate in rates) / len(rates)) ** 0.5
    assert mean == pytest.approx(estimate.value, abs=0.002)
    assert deviation == pytest.approx(estimate.error, rel=0.15)
    assert {len(one["compensation"]["merit_budget"]) for one in draws} == {5}


def test_the_page_shows_every_assumption_and_names_nobody(
    fitted: Fit, censuses: list[Path]
) -> None:
    page = experience_page(fitted)
    assert all(one.key in page for one in fitted.estimates if '"' not in one.key)
    assert "Leavers by years of service" in page
    assert "A/E" in page
    assert "<script" not in page
    assert "01034" not in page


def test_fit_prints_one_document_with_every_cell(censuses: list[Path], tmp_path: Path) -> None:
    result = planalign("fit", *censuses, "--json", "--output", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["confidence"] == 0.9
    assert {"censuses", "years", "ambiguities", "parameters", "cells", "kept", "notes"} <= set(
        document
    )
    assert str(tmp_path / "new" / "planalign.yaml") in document["outputs"]
    cell = next(one for one in document["cells"] if one["dimension"] == "age_and_tenure")
    assert set(cell) == {
        "assumption", "dimension", "cell", "exposure", "events", "expected",
        "actual_to_expected", "own", "prior", "credibility", "blended", "interval",
    }  # fmt: skip
    assert document["censuses"][0]["told_by"] == "year of the file name"
    assert "December 31 assumed" in planalign("fit", *censuses).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit", 0], "1 censuses"),
        (["fit", 0, 1, "--as-of", "2023-13-01", "--as-of", "2024-12-31"], "is no day"),
        (["backtest", 0, 1], "cannot be held out"),
        (["backtest", 0, 1, 2, "--holdout", "2"], "cannot be held out"),
        (
            ["backtest", 0, 1, 2, *(f"--as-of={year}-06-30" for year in (2025, 2026, 2027))],
            "end on December 31",
        ),
    ],
)
def test_what_cannot_be_done_is_said(
    censuses: list[Path], arguments: list[object], words: str
) -> None:
    named = [censuses[one] if isinstance(one, int) else one for one in arguments]
    result = planalign(*named)
    assert result.exit_code == 2
    assert words in result.stderr
