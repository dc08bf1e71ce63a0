"""The job levels of a study: from the key, from a table, and what follows them."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from planalign.config import default_levels, job_levels, load, parse, to_yaml
from planalign.config.document import parse_document
from planalign.config.levels import as_tables
from planalign.errors import InputError
from planalign.marts.packaged import PACKAGED

BASE = Path("/study")
SEEDS = PACKAGED / "seeds"


def level(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "name": f"Grade {number}",
        "band_minimum": 30_000 * number,
        "band_maximum": 45_000 * number,
        "termination_factor": 1,
        "promotion_hazard": 0.1,
        "hire_share": 1,
        **changes,
    }


def levels(count: int) -> list[dict[str, Any]]:
    return [level(number) for number in range(1, count + 1)]


def faults(data: dict[str, Any], base: Path = BASE) -> list[tuple[str | None, str]]:
    with pytest.raises(InputError) as refused:
        parse(data, base)
    return [(problem.column, problem.message) for problem in refused.value.problems]


def test_the_default_levels_are_those_of_the_packaged_tables() -> None:
    config = parse({}, BASE)
    assert config.job_levels == ()
    assert job_levels(config) == default_levels()
    assert config.workforce.hiring.level_weights == {
        number: one.hire_share for number, one in enumerate(default_levels(), start=1)
    }
    for name, content in as_tables(default_levels()).items():
        assert content == (SEEDS / f"{name}.csv").read_bytes()


@pytest.mark.parametrize("count", [1, 8, 30])
def test_all_that_names_a_level_follows_the_study(count: int) -> None:
    by_level = dict.fromkeys(range(1, count + 1), 0.02)
    config = parse(
        {
            "job_levels": levels(count),
            "compensation": {"cola_rate": by_level, "merit_budget": {2025: by_level}},
            "plan": {"eligibility": {"excluded_levels": [count]}},
            "scenarios": {
                "a": {},
                "b": {"workforce": {"hiring": {"levels": "weights", "level_weights": {count: 1}}}},
            },
        },
        BASE,
    )
    assert [one.name for one in job_levels(config)] == [f"Grade {n}" for n in range(1, count + 1)]
    hiring = {name: one.workforce.hiring for name, one in config.scenarios.items()}
    assert hiring["a"].level_weights == dict.fromkeys(range(1, count + 1), 1)
    assert hiring["b"].level_weights == {n: int(n == count) for n in range(1, count + 1)}
    assert load_text(to_yaml(config)) == config
    beyond = {count + 1: 0.02, **by_level}
    assert faults({"job_levels": levels(count), "compensation": {"cola_rate": beyond}})[0] == (
        f"compensation.cola_rate.{count + 1}",
        "is not a job level",
    )


def load_text(text: str) -> Any:
    return parse(parse_document(text).data, Path("/"))


def test_a_level_of_the_study_that_has_no_value_is_named() -> None:
    data = {"job_levels": levels(7), "compensation": {"cola_rate": dict.fromkeys(range(1, 6), 0.1)}}
    assert faults(data) == [("compensation.cola_rate", "has no value for job level 6, 7")]


def test_weights_and_exclusions_beyond_the_levels_are_refused() -> None:
    data: dict[str, Any] = {
        "job_levels": levels(3),
        "workforce": {"hiring": {"level_weights": {1: 1, 4: 1}}},
        "plan": {"eligibility": {"excluded_levels": {2025: [3], 2026: [4, 5]}}},
    }
    assert faults(data) == [
        ("workforce.hiring.level_weights.4", "is not a job level"),
        ("plan.eligibility.excluded_levels.2026", "is not a job level"),
        ("plan.eligibility.excluded_levels.2026", "is not a job level"),
    ]


def test_what_is_wrong_with_levels_is_told_at_once() -> None:
    data = [level(1, band_minimum=50_000), level(1, hire_share=-1), {"name": "Chief"}]
    assert faults({"job_levels": data}) == [
        ("job_levels[0].band_maximum", "is below band_minimum, which is 50000"),
        ("job_levels[1].hire_share", "must be from 0 to 1000000"),
        *(
            (f"job_levels[2].{key}", "is missing")
            for key in (
                "band_minimum",
                "band_maximum",
                "termination_factor",
                "promotion_hazard",
                "hire_share",
            )
        ),
    ]
    assert faults({"job_levels": [level(1), level(1)]}) == [
        ("job_levels[1].name", "is given twice")
    ]
    assert faults({"job_levels": levels(31)}) == [("job_levels", "has 31 levels")]
    assert faults({"job_levels": {1: level(1)}})[0][1].startswith("must be a list of job levels")
    nobody = [level(1, hire_share=0)]
    assert ("job_levels", "has no level with a hire_share above zero") in faults(
        {"job_levels": nobody}
    )


def test_levels_may_come_from_a_table_of_the_study(tmp_path: Path) -> None:
    given = parse({"job_levels": levels(8)}, tmp_path)
    for name, content in as_tables(given.job_levels).items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    tables = {name: f"{name}.csv" for name in ("job_levels", "market_bands")}
    by_level = dict.fromkeys(range(1, 9), 0.02)
    config = parse({"tables": tables, "compensation": {"cola_rate": by_level}}, tmp_path)
    assert job_levels(config) == given.job_levels
    assert config.workforce == given.workforce
    assert config.tables["job_levels"] == tmp_path / "job_levels.csv"


@pytest.mark.parametrize("key", ["models", "dbt_project"])
def test_levels_may_come_from_a_seed_of_the_study(tmp_path: Path, key: str) -> None:
    own = tmp_path / "own"
    shutil.copytree(SEEDS, own / "seeds")
    given = parse({"job_levels": levels(2)}, tmp_path)
    for name, content in as_tables(given.job_levels).items():
        (own / "seeds" / f"{name}.csv").write_bytes(content)
    assert job_levels(parse({key: "own"}, tmp_path)) == given.job_levels


def test_a_project_from_before_names_and_shares_needs_weights(tmp_path: Path) -> None:
    seeds = tmp_path / "copy" / "seeds"
    shutil.copytree(SEEDS, seeds)
    old = "job_level,termination_factor,promotion_hazard\n1,1.15,0.09\n2,1.0,0.0\n"
    (seeds / "job_levels.csv").write_text(old)
    assert faults({"dbt_project": "copy"}, tmp_path)[0] == (
        "workforce.hiring.level_weights",
        "has no value, and the reference table job_levels has no hire_share",
    )
    weights = {"hiring": {"level_weights": {1: 3, 2: 1}}}
    config = parse({"dbt_project": "copy", "workforce": weights}, tmp_path)
    assert [(one.name, one.hire_share) for one in job_levels(config)] == [
        ("Level 1", Decimal(3)),
        ("Level 2", Decimal(1)),
    ]


@pytest.mark.parametrize(
    "content", ["", "job_level,name\n1,A\n3,B\n", "job_level,name\n1,A\n", "\0", "grade\n1\n"]
)
def test_a_table_that_tells_of_no_levels_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "levels.csv").write_text(content)
    weights = {"hiring": {"level_weights": {1: 1}}}
    config = parse({"tables": {"job_levels": "levels.csv"}, "workforce": weights}, tmp_path)
    with pytest.raises(InputError, match=r"levels\.csv") as refused:
        job_levels(config)
    assert len(refused.value.problems) == 2


def test_levels_and_their_tables_exclude_each_other(tmp_path: Path) -> None:
    tables = {"job_levels": "a.csv", "market_bands": "b.csv", "age_bands": "c.csv"}
    assert faults({"job_levels": levels(5), "tables": tables}, tmp_path) == [
        ("tables.job_levels", "stands under job_levels, too"),
        ("tables.market_bands", "stands under job_levels, too"),
    ]


def test_only_reference_tables_have_a_file(tmp_path: Path) -> None:
    (tmp_path / "own" / "seeds").mkdir(parents=True)
    (tmp_path / "own" / "seeds" / "hubs.csv").write_text("hub\nAustin\n")
    tables = {"hubs": "h.csv", "termination_hazard": "t.csv"}
    with pytest.raises(InputError) as refused:
        parse({"models": "own", "tables": tables}, tmp_path)
    (problem,) = refused.value.problems
    assert (problem.column, problem.message) == (
        "tables.termination_hazard",
        "is not a reference table",
    )
    assert problem.remedy.startswith("Did you mean termination_hazards? Reference tables: age_")
    assert ", hubs," in problem.remedy


def test_a_table_outside_the_folder_is_refused(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    (study / "planalign.yaml").write_text("tables:\n  market_bands: ../bands.csv\n")
    with pytest.raises(InputError) as refused:
        load(study / "planalign.yaml")
    (problem,) = refused.value.problems
    assert (problem.column, problem.line) == ("tables.market_bands", 2)
    assert load(study / "planalign.yaml", within=tmp_path).tables
