"""Starting a project, and the census commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from planalign.cli.app import app
from planalign.config import json_schema, load
from planalign.engine.overlay import project_of
from planalign.engine.project import Project
from planalign.errors import EnvironmentFaultError
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from pathlib import Path


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_init_writes_a_project_whose_parts_are_valid(tmp_path: Path) -> None:
    project = tmp_path / "new" / "project"
    result = planalign("init", project)
    assert (result.exit_code, result.stdout) == (0, "")
    assert {path.name for path in project.iterdir()} == {"planalign.yaml", "census.parquet"}
    checked = planalign(
        "census", "check", project / "census.parquet", "--config", project / "planalign.yaml"
    )
    assert checked.exit_code == 0
    assert "1,000 employees" in checked.stdout


@pytest.mark.parametrize("name", ["planalign.yaml", "census.parquet"])
def test_init_overwrites_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    result = planalign("init", tmp_path)
    assert result.exit_code == 2
    assert f"{name} exists already" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_init_writes_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(employees: int, *, seed: int, output: Path) -> None:
        output.write_text("half")
        raise EnvironmentFaultError("Disk full")

    monkeypatch.setattr("planalign.census.generate_census", fail)
    assert planalign("init", tmp_path).exit_code == 4
    assert not list(tmp_path.iterdir())


def test_init_where_nobody_may_write_exits_4(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert planalign("init", tmp_path / "file" / "inside").exit_code == 4


def test_the_schema_is_one_json_document() -> None:
    result = planalign("config", "schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()


def test_generate_never_overwrites_a_census(tmp_path: Path) -> None:
    arguments = ("census", "generate", "--employees", 50, "--seed", 7, "--output")
    first = planalign(*arguments, tmp_path / "one.csv")
    second = planalign(*arguments, tmp_path / "one.csv")
    assert (first.exit_code, second.exit_code) == (0, 2)
    assert planalign(*arguments, tmp_path / "two.csv").exit_code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_check_prints_every_problem_and_exits_2(tmp_path: Path) -> None:
    census = tmp_path / "census.csv"
    census.write_text(
        "employee_id,birth_date,hire_date,annual_compensation,job_level\n"
        "A,1980-01-01,2010-01-01,50000,1\n"
        "A,1980-01-01,2010-01-01,50000,9\n"
        "B,1980-13-01,2010-01-01,50000,1\n"
    )
    text = planalign("census", "check", census)
    document = planalign("census", "check", census, "--json")
    assert (text.exit_code, document.exit_code) == (2, 2)
    content = json.loads(document.stdout)
    assert content["ok"] is False
    assert {problem["column"] for problem in content["problems"]} >= {"birth_date", "job_level"}
    for problem in content["problems"]:
        assert problem["value"] in text.stdout
    for kind in content["kinds"]:
        assert kind["message"] in text.stdout


def test_check_of_a_good_census_summarises_it(tmp_path: Path) -> None:
    planalign("census", "generate", "--employees", 50, "--output", tmp_path / "census.parquet")
    content = json.loads(planalign("census", "check", tmp_path / "census.parquet", "--json").stdout)
    assert (content["ok"], content["problems"]) == (True, [])
    assert content["summary"]["rows"] == 50


def test_check_of_an_absent_census_or_configuration_exits_2(tmp_path: Path) -> None:
    assert planalign("census", "check", tmp_path / "absent.csv").exit_code == 2
    result = planalign("census", "check", tmp_path / "absent.csv", "--config", tmp_path / "no.yaml")
    assert result.exit_code == 2


def test_init_writes_the_tables_that_it_names(tmp_path: Path) -> None:
    project = tmp_path / "project"
    assert planalign("init", project, "--tables").exit_code == 0
    packaged = sorted((PACKAGED / "seeds").glob("*.csv"))
    assert sorted(path.name for path in project.iterdir()) == [
        "census.parquet",
        "planalign.yaml",
        "tables",
    ]
    config = load(project / "planalign.yaml")
    assert dict(config.tables) == {file.stem: project / "tables" / file.name for file in packaged}
    assert [file.read_bytes() for file in config.tables.values()] == [
        file.read_bytes() for file in packaged
    ]
    assert project_of(config).files_fingerprint == Project.at(None).files_fingerprint


def test_init_overwrites_no_tables(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    result = planalign("init", tmp_path, "--tables")
    assert result.exit_code == 2
    assert "tables exists already" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]


def test_a_census_follows_the_job_levels_of_a_study(tmp_path: Path) -> None:
    levels = [
        {
            "name": name,
            "band_minimum": 40_000.5 * number,
            "band_maximum": 50_000.5 * number,
            "termination_factor": 1,
            "promotion_hazard": 0.1,
            "hire_share": 1,
        }
        for number, name in enumerate(("Hand", "Lead", "Chief", "Head", "Dean", "Duke", "King"), 1)
    ]
    config = tmp_path / "planalign.yaml"
    config.write_text(json.dumps({"job_levels": levels}))
    census = tmp_path / "census.csv"
    made = planalign(
        "census", "generate", "--employees", 3000, "--output", census, "--config", config
    )
    assert made.exit_code == 0
    checked = planalign("census", "check", census, "--config", config)
    assert checked.exit_code == 0
    assert "7 King" in checked.stdout
    profile = json.loads(planalign("census", "check", census, "--config", config, "--json").stdout)[
        "profile"
    ]["pay_by_level"]
    assert [one["job_level"] for one in profile] == [1, 2, 3, 4, 5, 6, 7]
    for one in profile:
        bounds = [40_000.5 * one["job_level"], 50_000.5 * one["job_level"]]
        assert sorted([*bounds, float(one["lowest"]), float(one["highest"])])[::3] == bounds
    default = planalign("census", "check", census)
    assert default.exit_code == 2
    assert "outside 1 to 5" in default.stdout
