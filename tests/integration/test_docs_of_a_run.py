"""The lists of docs/reference are what a run leaves: nothing more, nothing less.

One company, with plans of which every part is at work.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from planalign.config.plan import EntryDates
from planalign.config.sections import Alignment

if TYPE_CHECKING:
    from conftest import Studies
    from planalign.results import Run

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
AUTOMATIC = {"enabled": True, "opt_out_rate": 0.3, "window_days": 60, "reenrollment": True}
RISING = {"enabled": True, "scope": "all"}
PLAN: dict[str, Any] = {
    "pay_frequency": "monthly",
    "eligibility": {"months_of_service": 6, "excluded_levels": [5]},
    "behavior": {"change_rate": 0.3},
    "match": {"formula": "tiers", "tiers": [{"up_to": 0.1, "rate": 1}]},
    "core": {"rate": 0.03},
    "vesting": {"match": [0, 0.2, 0.4, 0.6, 0.8, 1], "core": [0, 0, 0, 1]},
    "forfeitures": {"use": "reallocate"},
}
SCENARIOS = {
    "voluntary": {"plan": PLAN},
    "automatic": {
        "plan": {**PLAN, "automatic_enrollment": AUTOMATIC, "escalation": RISING}
    },
}


@pytest.fixture(scope="module")
def run(shared_studies: Studies) -> Run:
    return shared_studies.simulate(
        shared_studies.generated(400, 3),
        simulation={"start_year": 2025, "end_year": 2027},
        # A pay at which the limit on deferrals is met, so that there is a true-up.
        plan={"limits": {"amounts": {"elective_deferral": {2025: 6_000}}}},
        scenarios=SCENARIOS,
    )


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables of a text, without headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    titles = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|- ")}
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for number, line in enumerate(lines)
        if number not in titles and number - 1 not in titles
    ]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def payloads() -> dict[str, dict[str, set[str]]]:
    """Return the keys of each type's payload with the words that their meaning lists."""
    found: dict[str, dict[str, set[str]]] = {}
    names: list[str] = []
    for event, keys, meaning in rows(page("events.md")):
        names = quoted(event) or names
        [name] = names
        if keys.startswith("as "):
            found[name] = {key: set(words) for key, words in found["enrollment"].items()}
            [status] = re.findall("status `(\\w+)`", meaning) or [None]
            [reason] = re.findall("reason `(\\w+)`", meaning)
            found[name]["reason"] = {reason}
            if status:
                found[name]["status"] = {status}
            continue
        for key in quoted(keys):
            found.setdefault(name, {})[key] = set(quoted(meaning))
    return found


def test_every_event_that_occurs_is_documented_with_its_payload(run: Run) -> None:
    found: dict[str, dict[str, set[str]]] = {}
    for name, payload in run.sql(
        "select distinct event_type, event_payload from fct_yearly_events"
    ).fetchall():
        for key, value in json.loads(payload).items():
            words = found.setdefault(name, {}).setdefault(key, set())
            if isinstance(value, str) and key in {"status", "reason"}:
                words.add(value)
    documented = payloads()
    assert {name: set(keys) for name, keys in found.items()} == {
        name: set(keys) for name, keys in documented.items()
    }
    for name, keys in found.items():
        for key in keys.keys() & {"status", "reason"}:
            assert keys[key] == documented[name][key], (name, key)


# What only settings other than those of the run bring about, by column.
CHOICES = {"alignment": set(get_args(Alignment)), "entry_dates": set(get_args(EntryDates))}
# Listed are the groups of one dimension; the others are bands, described at their columns.
OF_DIMENSION = {"group_name": "where dimension = 'compensation_group'"}


def listed() -> list[tuple[str, str, set[str]]]:
    """Return each text column of a mart whose meaning lists its values."""
    found = []
    for part in page("results.md").split("\n## ")[1:]:
        mart = part.splitlines()[0]
        for column, kind, _, meaning in rows(part):
            words = quoted(meaning)
            if kind == "VARCHAR" and len(words) > 1:
                found.append((mart, column.strip("`"), set(words)))
    return found


def test_the_values_that_are_listed_are_those_that_occur(run: Run) -> None:
    columns = listed()
    assert {"employment_status", "limit_name", "dimension"} <= {column for _, column, _ in columns}
    for mart, column, words in columns:
        values = {
            value
            for (value,) in run.sql(
                f"select distinct {column} from {mart} {OF_DIMENSION.get(column, '')}"
            ).fetchall()
        }
        allowed = CHOICES.get(column, values)
        assert values <= allowed, (mart, column)
        assert words == allowed, (mart, column)


def test_columns_with_few_values_list_them(run: Run) -> None:
    """A text column with a handful of values that no census gives says which."""
    known = {(mart, column) for mart, column, _ in listed()}
    elsewhere = {"scenario_id", "employee_id", "department", "event_type"}
    for mart in run.marts:
        for column in run.columns(mart):
            if column.type == "VARCHAR" and column.name not in elsewhere:
                assert (mart, column.name) in known


def test_the_provenance_has_the_documented_keys(run: Run) -> None:
    [text] = [
        part for part in page("run-folder.md").split("\n## ") if part.startswith("provenance.json")
    ]
    documented = {key for key, *_ in rows(text)}
    [versions] = [quoted(meaning) for key, meaning in rows(text) if key == "`versions`"]
    recorded = dict(run.provenance)
    assert set(versions) == set(recorded.pop("versions"))
    assert documented - {"`versions`"} == {
        f"`{above}.{key}`" if isinstance(values, dict) else f"`{above}`"
        for above, values in recorded.items()
        for key in (values if isinstance(values, dict) else [""])
    }


def test_the_run_folder_has_the_documented_files(run: Run) -> None:
    listing = {cell.strip("`") for cell, *_ in rows(page("run-folder.md").split("\n## ")[0])}
    assert listing - {"dbt/"} == {file.name for file in run.path.iterdir()}


def test_the_database_has_the_documented_schemas_and_tables(run: Run) -> None:
    [text] = [
        part for part in page("run-folder.md").split("\n## ") if part.startswith("results.duckdb")
    ]
    there = set(
        run.sql(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'results' union select schema_name || '.' || view_name "
            "from duckdb_views() where database_name = 'results' and not internal"
        ).fetchall()
    )
    documented = {cell.strip("`") for cell, _ in rows(text)}
    assert {name.partition(".")[0] for (name,) in there} == {
        name.partition(".")[0] for name in documented
    }
    assert {name for name in documented if "." in name} <= {name for (name,) in there}
