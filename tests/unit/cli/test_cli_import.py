"""What the commands that import files print, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
import yaml
from typer.testing import CliRunner, Result

from planalign.cli.app import app
from planalign.config import load

CLIENT = Path(__file__).parents[3] / "examples" / "client"
FILE = CLIENT / "Census_2024.csv"
ANSWERS = {
    "active_with_termination_date": "left",
    "birth_date_missing": "leave_out",
    "leave_pay": "pay_of_year",
}


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answers(given: dict[str, str] = ANSWERS) -> list[str]:
    return [part for key, value in given.items() for part in ("--answer", f"{key}={value}")]


def ids(path: Path) -> set[str]:
    with duckdb.connect() as connection:
        query = "select employee_id from read_parquet($path)"
        return {one for (one,) in connection.execute(query, {"path": str(path)}).fetchall()}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("import")
    done = planalign(
        "census", "import", FILE, "--yes", *answers(), "--output", folder / "census.parquet",
        "--recipe", folder / "import.yaml",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    return folder


def test_while_a_question_is_open_nothing_but_the_page_is_written(tmp_path):
    output, page = tmp_path / "census.parquet", tmp_path / "import.html"
    done = planalign("census", "import", FILE, "--yes", "--output", output, "--page", page)
    assert done.exit_code == 2
    assert {path.name for path in tmp_path.iterdir()} == {"import.html"}
    assert "3 open questions; nothing was written" in done.stdout
    assert '--answer "active_with_termination_date=left"' in done.stdout
    assert page.read_text(encoding="utf-8").count("<code>--answer") == 3


def test_a_whole_import_says_what_became_of_every_row(made):
    journal = json.loads((made / "census.journal.json").read_text(encoding="utf-8"))
    assert journal["rows_in"] == journal["people"] + sum(journal["dropped"].values())
    assert journal["answers"]["grade_levels"].startswith("E1:1")
    assert {rule["rule"] for rule in journal["files"][0]["rules"]} >= {"status_leave", "leave_pay"}
    assert {path.name for path in made.iterdir()} == {
        "census.parquet", "census.journal.json", "import.yaml",
    }  # fmt: skip


def test_an_answer_that_does_not_fit_is_refused_with_those_that_do(tmp_path):
    wrong = {"leave_pay": "guess", "active_with_termination_date": "perhaps"}
    done = planalign("census", "import", FILE, *answers(wrong), "--output", tmp_path / "c.parquet")
    assert done.exit_code == 2
    assert "leave_pay: an answer that does not fit (is 'guess')" in done.stderr
    assert "active_with_termination_date" in done.stderr
    assert "Answer one of: left, employed" in done.stderr


def test_an_answer_that_nothing_asked_for_is_said(tmp_path):
    given = ANSWERS | {"leave_pays": "pay_of_year"}
    done = planalign(
        "census", "import", FILE, "--yes", *answers(given), "--output", tmp_path / "c.parquet"
    )
    assert done.exit_code == 0
    assert "Not asked: leave_pays" in done.stderr


def test_a_census_that_is_there_is_not_replaced(made):
    before = (made / "census.parquet").read_bytes()
    done = planalign(
        "census", "import", FILE, "--yes", *answers(), "--output", made / "census.parquet"
    )
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert (made / "census.parquet").read_bytes() == before


def test_a_recipe_answers_for_the_next_file(made, tmp_path):
    output = tmp_path / "census.parquet"
    recipe = tmp_path / "import.yaml"
    recipe.write_bytes((made / "import.yaml").read_bytes())
    done = planalign("census", "import", FILE, "--recipe", recipe, "--output", output)
    assert done.exit_code == 0, done.stdout
    assert output.read_bytes() == (made / "census.parquet").read_bytes()
    assert recipe.read_bytes() == (made / "import.yaml").read_bytes()


def test_what_a_recipe_does_not_fit_is_said_by_column(made, tmp_path):
    text = FILE.read_bytes().replace(b";Dept;", b";Unit;").replace(b";Union;", b";Member;")
    changed = tmp_path / "Census_2024.csv"
    changed.write_bytes(text)
    done = planalign(
        "census", "import", changed, "--recipe", made / "import.yaml", "--json",
        "--output", tmp_path / "c.parquet",
    )  # fmt: skip
    assert done.exit_code == 2
    document = json.loads(done.stdout)
    assert {
        'Census_2024.csv: column "Unit" is new',
        'Census_2024.csv: column "Dept" is no longer there',
        'Census_2024.csv: column "Union" is no longer there',
    } <= set(document["recipe_changes"])
    (question,) = [one for one in document["questions"] if one["key"] == "recipe_columns"]
    assert question["columns"] == ["Dept", "Union"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipe: 9\n", "is no recipe"),
        ("answers: [\n", "cannot be read"),
        ("- a\n", "is no recipe"),
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path, text, said):
    recipe = tmp_path / "import.yaml"
    recipe.write_text(text)
    done = planalign("census", "import", FILE, "--recipe", recipe)
    assert done.exit_code == 2
    assert said in done.stderr
    assert recipe.read_text() == text


def test_hashed_ids_are_the_same_with_the_same_salt_and_no_others(made, tmp_path):
    found = []
    for number, salt in enumerate(["salt", "salt", "other"]):
        output = tmp_path / f"{number}.parquet"
        done = planalign(
            "census", "import", FILE, "--yes", *answers(), "--output", output,
            "--hash-ids", tmp_path / salt,
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        found.append(ids(output))
    assert found[0] == found[1]
    assert not found[0] & found[2]
    assert not found[0] & ids(made / "census.parquet")
    assert len(found[0]) == len(ids(made / "census.parquet"))
    assert (tmp_path / "salt").stat().st_mode & 0o077 == 0


def test_a_salt_that_can_be_guessed_is_refused(tmp_path):
    (tmp_path / "salt").write_text("short")
    done = planalign("census", "import", FILE, "--hash-ids", tmp_path / "salt")
    assert done.exit_code == 2
    assert "fewer than 16" in done.stderr


def test_init_begins_a_study_from_a_file(tmp_path):
    project = tmp_path / "study"
    refused = planalign("init", project, "--census", FILE)
    assert refused.exit_code == 2
    assert not project.exists()
    assert "open questions" in refused.stdout
    given = ANSWERS | {
        "rehired_hire_date": "original",
        "grade_levels": "E1:1, E2:1, E3:2, E4:2, E5:3, E6:3, E7:4, E8:4, E9:5, E10:5",
    }
    done = planalign("init", project, "--census", FILE, *answers(given))
    assert done.exit_code == 0, done.stderr
    assert {path.name for path in project.iterdir()} == {
        "planalign.yaml", "census.parquet", "census.journal.json", "import.yaml",
    }  # fmt: skip
    config = load(project / "planalign.yaml")
    assert str(config.effective_census_date) == "2024-12-31"
    assert [*config.simulation.years] == [2025, 2026, 2027, 2028, 2029]
    assert yaml.safe_load((project / "import.yaml").read_text())["recipe"] == 1
    checked = planalign(
        "census", "check", project / "census.parquet", "--config", project / "planalign.yaml"
    )
    assert checked.exit_code == 0
