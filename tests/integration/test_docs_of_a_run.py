"""The lists of docs/reference are what a run leaves: nothing more, nothing less.

One company, with plans of which every part is at work.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from typer.testing import CliRunner

from planalign.cli.app import app
from planalign.config.plan import EntryDates
from planalign.config.sections import Alignment, HireLevels, Promotions
from planalign.profile.advice import Advice
from planalign.profile.findings import Finding
from planalign.profile.judgement import judge
from planalign.profile.suggestions import SUGGESTION, Proposal, Threads
from planalign.profile.trial import Outcome, Trial
from planalign.results.verify import Comparison, MartDifference

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
    "automatic": {"plan": {**PLAN, "automatic_enrollment": AUTOMATIC, "escalation": RISING}},
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


def payloads() -> dict[str, dict[str, tuple[str, set[str]]]]:
    """Return the keys of each event's payload with their type and the words that are quoted."""
    found: dict[str, dict[str, tuple[str, set[str]]]] = {}
    name = ""
    for event, key, kind, meaning in rows(page("events.md").partition("| payload of ")[2]):
        name = event.strip("`") or name
        found.setdefault(name, {})[key.strip("`")] = (kind, set(quoted(meaning)))
    return found


# What a value of a type looks like, where fractions are kept as their text.
TYPES = {
    "INTEGER": (int, r"-?\d+"),
    "DECIMAL(15,2)": (str, r"-?\d+\.\d{2}"),
    "DECIMAL(9,6)": (str, r"-?\d+\.\d{6}"),
    "BOOLEAN": (bool, "True|False"),
    "VARCHAR": (str, ".+"),
    "DATE": (str, r"\d{4}-\d{2}-\d{2}"),
}


def test_every_event_that_occurs_is_documented_with_its_payload(run: Run) -> None:
    documented = payloads()
    found: dict[str, dict[str, set[str]]] = {}
    for name, payload in run.sql(
        "select distinct event_type, event_payload from fct_yearly_events"
    ).fetchall():
        values = json.loads(payload, parse_float=str)
        places = [[*documented[name]].index(key) for key in values]
        assert places == sorted(places)
        for key, value in values.items():
            kind, words = TYPES[documented[name][key][0]]
            assert type(value) is kind
            assert re.fullmatch(words, str(value)), (name, key, value)
            found.setdefault(name, {}).setdefault(key, set()).add(value)
    assert {name: set(keys) for name, keys in found.items()} == {
        name: set(keys) for name, keys in documented.items()
    }
    for name, keys in found.items():
        for key in keys.keys() & {"status", "reason"}:
            assert keys[key] == documented[name][key][1], (name, key)


# What only settings other than those of the run bring about, by column.
CHOICES = {
    "alignment": set(get_args(Alignment)),
    "entry_dates": set(get_args(EntryDates)),
    "promotions": set(get_args(Promotions)),
    "hiring_levels": set(get_args(HireLevels)),
    "group_name": {"highly_compensated", "other", "(none)"},
    "dimension": {
        "age_band",
        "tenure_band",
        "job_level",
        "compensation_group",
        "grade",
        "location",
    },
}
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
            if value is not None
        }
        allowed = CHOICES.get(column, values)
        assert values <= allowed, (mart, column)
        assert words == allowed, (mart, column)


def test_columns_with_few_values_list_them(run: Run) -> None:
    """A text column with a handful of values that no census gives says which."""
    known = {(mart, column) for mart, column, _ in listed()}
    elsewhere = {"scenario_id", "employee_id", "department", "event_type", "grade", "location"}
    for mart in run.compared:
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


def section(command: str) -> str:
    [text] = [
        part for part in page("commands.md").split("\n## ") if part.splitlines()[0] == command
    ]
    return text


def keys_of(text: str, heading: str) -> set[str]:
    """Return the keys in the first column of the table with a heading."""
    _, _, table = text.partition(f"| {heading} | meaning |\n|---|---|\n")
    lines = table.partition("\n\n")[0].splitlines()
    return {key for line in lines for key in quoted(line.split("|")[1])}


def meaning_of(text: str, key: str) -> set[str]:
    """Return what is quoted in the meaning of a key."""
    [meaning] = [cells[1] for cells in rows(text) if cells[0] == f"`{key}`"]
    return set(quoted(meaning))


def printed(*arguments: object) -> Any:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_json_of_each_command_has_the_documented_keys(run: Run) -> None:
    for command, more in (
        ("show", set()),
        ("compare", set()),
        ("profile", {"comparison"}),
        ("advise", set()),
        ("verify", {"changes"}),  # with --against
    ):
        runs = [run.path] * (2 if command == "verify" else 1)
        documented = keys_of(section(f"planalign {command}"), "JSON key")
        assert documented - more == printed(command, *runs).keys(), command
    [employee] = run.sql("select min(employee_id) from fct_yearly_events").fetchall()
    [sentence] = re.findall("JSON keys: (.*?);", section("planalign employee"), re.DOTALL)
    assert set(quoted(sentence)) == printed("employee", run.path, *employee).keys()
    assert {*run.compared, "all"} == printed("fingerprint", run.path).keys()


def test_the_json_of_a_census_and_of_a_simulation_has_the_documented_keys(
    studies: Studies, tmp_path: Path
) -> None:
    census = studies.generated(20)
    text, checked = section("planalign census check"), printed("census", "check", census)
    assert keys_of(text, "JSON key") == checked.keys()
    assert meaning_of(text, "summary") == checked["summary"].keys()
    output = tmp_path / "run"
    text = section("planalign simulate")
    done = printed("simulate", "2025", "--census", census, "--output", output, "--no-cache")
    assert keys_of(text, "JSON key") == done.keys()
    assert meaning_of(text, "years") == done["years"][0].keys()


def test_the_parts_of_each_document_are_documented(run: Run) -> None:
    finding = Finding("spill", "", None, None, (), "", "", None, "low")
    proposal = Proposal(Threads(threads=1), "")
    trial = Trial((2025, 2025), 6, (Outcome(proposal, "no_gain", "", judge([(2.0, 1.0)])),))
    advice = Advice(run.path, has_plans=True, findings=(finding,), trial=trial).as_dict()
    [outcome] = advice["trial"]["outcomes"]
    [difference] = Comparison({}, {}, (MartDifference("mart"),)).as_dict()["differences"]
    advise = section("planalign advise")
    for text, heading, part in (
        (advise, "a finding", advice["findings"][0]),
        (advise, "`trial`", advice["trial"]),
        (advise, "an outcome", outcome),
        (section("planalign verify"), "a difference", difference),
        (
            section("planalign profile"),
            "`comparison`",
            printed("profile", run.path, "--compare", run.path)["comparison"],
        ),
    ):
        assert keys_of(text, f"key of {heading}") == part.keys(), heading
    assert meaning_of(advise, "judgement") == outcome["judgement"].keys()
    kinds = {
        one["properties"]["kind"]["const"] for one in SUGGESTION.json_schema()["$defs"].values()
    }
    assert meaning_of(advise, "suggestion") == kinds | {"kind"}
