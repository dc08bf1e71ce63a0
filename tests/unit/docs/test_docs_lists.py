"""Lists on the pages have what the code declares: nothing is missing, nothing is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from planalign.census.warnings import WARNINGS
from planalign.cli.bench import BenchName
from planalign.config.models import CENSUS_COLUMNS
from planalign.config.plan import LIMIT_NAMES, EntryDates, ForfeitureUse, MatchFormula
from planalign.engine import dbt_rules
from planalign.engine.pipeline import Materialization, Step
from planalign.engine.statements import PURE_TABLE_FUNCTIONS
from planalign.errors import ExitCode
from planalign.profile.findings.finding import Kind
from planalign.results import Run
from planalign.studio.runs import State

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def table(page: str, heading: str) -> list[str]:
    """Return the first cells of the only table whose first heading is that."""
    [after] = re.findall(
        rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text_of(page), re.MULTILINE
    )
    return [line.split("|")[1].strip() for line in after.splitlines()]


def names(page: str, heading: str) -> set[str]:
    return {name for cell in table(page, heading) for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize(
    ("page", "heading", "declared"),
    [
        ("docs/how-to/make-it-faster.md", "kind", get_args(Kind)),
        ("docs/reference/commands.md", "name", [one.value for one in BenchName]),
        ("docs/method/limits.md", "limit", LIMIT_NAMES),
        ("docs/reference/census.md", "warning", [one.code for one in WARNINGS]),
        ("docs/method/eligibility.md", "`entry_dates`", get_args(EntryDates)),
        ("docs/method/vesting.md", "`forfeitures.use`", get_args(ForfeitureUse)),
    ],
)
def test_a_table_has_what_is_declared(page: str, heading: str, declared: list[str]) -> None:
    assert names(page, heading) == set(declared)


def test_the_formulas_of_the_law_are_in_their_table() -> None:
    cells = table("docs/reference/configuration.md", "formula")
    assert {*cells, "none", "tiers"} == set(get_args(MatchFormula))


def test_the_exit_codes_are_those_of_the_commands() -> None:
    codes = table("docs/reference/commands.md", "code")
    assert codes == [str(code.value) for code in ExitCode]


def test_the_columns_of_a_census_are_those_that_are_read() -> None:
    page, _, checks = text_of("docs/reference/census.md").partition("## Checks")
    listed = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert listed == list(CENSUS_COLUMNS)
    checked = re.findall(r"^\| (`.*?) \|", checks.partition("\nWarnings")[0], re.MULTILINE)
    used = {name for cell in checked for name in re.findall(r"`(\w+)`", cell)}
    assert len(used) > 10
    assert used <= set(CENSUS_COLUMNS)


def test_what_of_dbt_is_refused_is_what_the_code_refuses() -> None:
    lines = text_of("docs/reference/dbt.md").partition("## Refused")[2].splitlines()
    rows = [tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| ")]
    assert rows[1:] == [(rule.what, rule.remedy) for rule in dbt_rules.RULES.values()]
    [listed] = [line for line in lines if line.startswith("Names of dbt's Jinja")]
    assert re.findall(r"`([\w.]+)`", listed) == sorted(
        f"{name}.{attribute}".rstrip(".")
        for name, called in dbt_rules._TAKEN_OF_JINJA.items()
        for attribute in called
    )


def test_what_of_dbt_is_taken_is_what_the_code_takes() -> None:
    page = text_of("docs/reference/dbt.md").partition("## Refused")[0]
    rows = {
        what: re.findall(r"`(\w+)`", how)
        for what, how in re.findall(r"^\| (.*) \| (.*) \|$", page, re.MULTILINE)
    }
    assert rows["models"] == [*dbt_rules._BUILT]
    assert rows["`materialized`"] == [*Materialization]
    assert set(rows["table functions"]) == PURE_TABLE_FUNCTIONS
    listed = {name for what in rows for name in re.findall(r"`(\w+)", what)}
    of_dbt_itself = {"static_analysis", "store_failures_as"}
    taken = dbt_rules._DESCRIBING.union(*dbt_rules._TAKEN.values())
    assert listed == taken - of_dbt_itself


def test_the_steps_are_those_of_a_year() -> None:
    [listed] = re.findall(
        r"The steps are (.*?)\. ", text_of("docs/reference/telemetry.md").replace("\n", " ")
    )
    assert re.findall(r"`(\w+)`", listed) == [step.value for step in Step]


def test_the_states_of_a_run_are_those_of_the_dashboard() -> None:
    assert table("docs/how-to/dashboard.md", "state") == [state.value for state in State]


def test_the_members_of_a_run_are_those_that_are_public() -> None:
    listed = {
        re.match(r"\w+", name.removeprefix("run."))[0]  # type: ignore[index]
        for name in names("docs/how-to/read-results.md", "member")
    }
    public = {name for name in dir(Run) if not name.startswith("_")} - {"close"}
    assert listed == public | {"path", "config_text", "provenance"}


def test_the_environment_variables_are_those_that_are_read() -> None:
    sources = [
        path
        for ending in ("*.py", "*.yml", "*.sql")
        for path in (ROOT / "src" / "planalign").rglob(ending)
    ]
    read = {
        name
        for path in sources
        for name in re.findall(r"[\"'](PLANALIGN_[A-Z_]+)[\"']", path.read_text(encoding="utf-8"))
    }
    assert names("docs/reference/commands.md", "variable") == read | {"PLANALIGN_DEBUG"}


def test_every_mart_is_in_the_table_of_marts() -> None:
    page = text_of("docs/reference/results.md")
    assert re.findall(r"^\| \[(\w+)\]", page, re.MULTILINE) == re.findall(
        r"^## (\w+)$", page, re.MULTILINE
    )


@pytest.mark.parametrize("folder", ["tests", "src/planalign"])
def test_contributing_names_every_folder_with_code(folder: str) -> None:
    rows = [line for line in text_of("CONTRIBUTING.md").splitlines() if f"| `{folder}" in line]
    named = {name.rpartition("/")[2] for row in rows for name in re.findall(r"`([\w/]+)`", row)}
    there = {path.parent.name for path in (ROOT / folder).glob("*/*.py")}
    assert there <= named
