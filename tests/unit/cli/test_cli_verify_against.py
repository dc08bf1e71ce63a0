"""`planalign verify --against`: what it accepts, what it tells, and its exit codes."""

from __future__ import annotations

import json
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from planalign.census import generate_census
from planalign.cli.app import app
from planalign.engine.year_cache import YearCache
from planalign.run_format import FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(shared_studies) -> Path:
    census = shared_studies.generated(30)
    simulation = {"start_year": 2025, "end_year": 2025, "replicates": 2}
    scenarios = {"baseline": {}, "growth": {"workforce": {"target_growth_rate": 0.1}}}
    run = shared_studies.simulate(census, simulation=simulation, scenarios=scenarios)
    run.close()
    return run.path


@pytest.fixture
def record(made: Path, tmp_path: Path) -> Path:
    """The provenance of a run that a test may change."""
    return shutil.copytree(made, tmp_path / "archived") / "provenance.json"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def change(path: Path, edit: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_the_same_installation_gives_the_same_bits(record, scratch, monkeypatch):
    monkeypatch.setattr(YearCache, "__init__", lambda *_: pytest.fail("the cache is used"))
    shown = planalign("verify", "--against", record)
    assert (shown.exit_code, shown.stdout.split()[0]) == (0, "Identical:"), shown.stderr
    assert list(scratch.iterdir()) == []
    document = json.loads(planalign("verify", "--against", record.parent, "--json").stdout)
    assert list(document) == [
        "identical", "fingerprint_a", "fingerprint_b", "differences", "changes"
    ]  # fmt: skip
    assert (document["identical"], document["changes"]) == (True, [])


def test_a_part_of_the_run_is_simulated_alone(record):
    part = ("--scenario", "growth", "--replicate", "1")
    shown = planalign("verify", "--against", record, *part, "--json")
    assert shown.exit_code == 0, shown.stdout
    assert json.loads(shown.stdout)["changes"] == []
    expected = json.loads(planalign("fingerprint", record.parent, *part, "--json").stdout)
    assert json.loads(shown.stdout)["fingerprint_b"] == expected
    assert planalign("verify", "--against", record, "--scenario", "absent").exit_code == 2


def test_another_seed_is_a_difference_with_its_rows(record):
    config = record.with_name("config.yaml")
    config.write_text(config.read_text().replace("random_seed: 42", "random_seed: 43"))
    shown = planalign("verify", "--against", record)
    assert shown.exit_code == 3
    assert "Not as recorded: fingerprints of configuration: " in shown.stdout
    assert "\nfct_workforce_snapshot: " in shown.stdout
    assert "random_seed: 42 | 43" in shown.stdout


def test_a_changed_census_is_refused(record, tmp_path):
    other = tmp_path / "other.parquet"
    generate_census(30, 2, other)
    refused = planalign("verify", "--against", record, "--census", other)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"{other} is not the census" in refused.stderr
    gone = planalign("verify", "--against", record, "--census", tmp_path / "gone.parquet")
    assert gone.exit_code == 2


def test_the_census_may_have_moved(record, made, tmp_path):
    document = json.loads(planalign("verify", "--against", record, "--json").stdout)
    census = tmp_path / "moved.parquet"
    generate_census(30, 1, census)
    moved = planalign("verify", "--against", record, "--census", census, "--json")
    assert json.loads(moved.stdout) == document


def test_what_is_not_as_recorded_is_told_and_no_difference_by_itself(record):
    told = [
        "fingerprints.configuration",
        "fingerprints.models",
        "fingerprints.reference_tables",
        "versions.planalign",
        "versions.duckdb",
    ]
    for what in told:
        part, key = what.split(".")
        change(record, lambda content, part=part, key=key: content[part].update({key: "other"}))
    shown = planalign("verify", "--against", record, "--json")
    assert shown.exit_code == 0
    document = json.loads(shown.stdout)
    assert document["identical"] is True
    assert [(one["what"], one["recorded"]) for one in document["changes"]] == [
        (what, "other") for what in told
    ]


def test_a_tampered_fingerprint_of_the_census_is_refused(record):
    change(record, lambda content: content["fingerprints"].update(census="0" * 64))
    refused = planalign("verify", "--against", record)
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_digests_stand_for_results_that_are_gone(record, tmp_path):
    digests = tmp_path / "digests.json"
    digests.write_text(planalign("fingerprint", record.parent, "--json").stdout)
    record.with_name("results.duckdb").unlink()
    arguments = ("verify", "--against", record, "--fingerprints", digests)
    assert planalign(*arguments).exit_code == 0

    change(digests, lambda content: content.update(fct_plan_costs="0" * 64, fct_gone="0" * 64))
    shown = planalign(*arguments, "--json")
    assert shown.exit_code == 3
    document = json.loads(shown.stdout)
    assert document["identical"] is False
    assert [(one["mart"], one["only_in"]) for one in document["differences"]] == [
        ("fct_gone", "a"),
        ("fct_plan_costs", None),
    ]


def test_a_tampered_digest_of_all_is_a_difference(record, tmp_path):
    digests = tmp_path / "digests.json"
    digests.write_text(planalign("fingerprint", record.parent, "--json").stdout)
    change(digests, lambda content: content.update(all="0" * 64))
    shown = planalign("verify", "--against", record, "--fingerprints", digests)
    assert shown.exit_code == 3
    assert "The digest of all that A gives is not that of its marts." in shown.stdout


def no_results(record: Path) -> None:
    record.with_name("results.duckdb").unlink()


def no_configuration(record: Path) -> None:
    record.with_name("config.yaml").unlink()


def no_file(record: Path) -> None:
    record.unlink()


def no_json(record: Path) -> None:
    record.write_text("{")


def no_object(record: Path) -> None:
    record.write_text("[]")


def no_provenance(record: Path) -> None:
    record.write_text('{"fingerprints": {}}')


def no_version(record: Path) -> None:
    change(record, lambda content: content["versions"].pop("duckdb"))


@pytest.mark.parametrize(
    "damage",
    [no_results, no_configuration, no_file, no_json, no_object, no_provenance, no_version],
)
def test_what_is_no_record_is_refused(record, damage):
    damage(record)
    refused = planalign("verify", "--against", record)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert str(record.parent) in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run"],
        ["run", "--against", "provenance.json"],
        ["run", "other", "--config", "planalign.yaml"],
        ["run", "other", "--census", "census.parquet"],
        ["run", "other", "--fingerprints", "digests.json"],
    ],
)
def test_the_two_forms_do_not_mix(arguments):
    refused = planalign("verify", *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Error: " in refused.stderr


def test_another_format_is_told_and_a_later_one_refused(record):
    change(record, lambda content: content.pop("format"))
    shown = planalign("verify", "--against", record)
    assert shown.exit_code == 0
    assert f"Not as recorded: format: 0, now {FORMAT}\n" in shown.stdout
    change(record, lambda content: content.update(format=FORMAT + 1))
    refused = planalign("verify", "--against", record)
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert f"has format {FORMAT + 1}" in refused.stderr
