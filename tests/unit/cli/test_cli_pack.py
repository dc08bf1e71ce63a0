"""`planalign pack`, and `planalign verify --against` what it has written."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from planalign.census import generate_census
from planalign.cli.app import app
from planalign.config import load
from planalign.engine.project import Project
from planalign.marts.packaged import PACKAGED

ALWAYS = ["config.yaml", "fingerprints.json", "pack.json", "provenance.json"]


def planalign(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def made(shared_studies) -> Path:
    """A run of one of two scenarios and one of two replicates."""
    run = shared_studies.simulate(
        shared_studies.generated(30),
        simulation={"start_year": 2025, "end_year": 2025, "replicates": 2},
        scenarios={"baseline": {}, "growth": {"workforce": {"target_growth_rate": 0.1}}},
        request={"scenario": "growth", "replicate": 1},
    )
    run.close()
    return run.path


@pytest.fixture
def run(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that a test may change; temporary files and what is written lie beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return shutil.copytree(made, tmp_path / "archived")


def census_of(made: Path) -> Path:
    return load(made / "config.yaml", within=Path("/")).census


def test_a_pack_has_the_same_bytes_each_time_and_no_folder_of_this_machine(run, made, tmp_path):
    packed = planalign("pack", run)
    assert (packed.exit_code, packed.stdout) == (0, "")
    assert "archived.planalign.zip, 4 files" in packed.stderr
    census = census_of(made).read_bytes()
    assert hashlib.sha256(census).hexdigest() in packed.stderr  # for who has to find the file
    content = (tmp_path / "archived.planalign.zip").read_bytes()
    for place in (tmp_path, made, made.parent):
        assert str(place).encode() not in content
    assert planalign("pack", run, "--output", "again.zip").exit_code == 0
    assert (tmp_path / "again.zip").read_bytes() == content

    assert planalign("pack", run, "--output", "whole.zip", "--census").exit_code == 0
    with zipfile.ZipFile("again.zip") as without, zipfile.ZipFile("whole.zip") as whole:
        assert without.namelist() == ALWAYS
        assert whole.namelist() == sorted([*ALWAYS, "census.parquet"])
        assert whole.read("census.parquet") == census
        assert {one.date_time for one in whole.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {oct(one.external_attr >> 16) for one in whole.infolist()} == {"0o100600"}
        digests = json.loads(planalign("fingerprint", run, "--json").stdout)
        assert json.loads(whole.read("fingerprints.json")) == digests
    assert planalign("pack", run).exit_code == 2  # it is there
    assert "does not end in .zip" in planalign("pack", run, "--output", "x.pack").stderr


def test_a_pack_is_verified_elsewhere(run, made, tmp_path):
    planalign("pack", run, "--output", "x.zip", "--census")
    planalign("pack", run, "--output", "y.zip")
    shutil.rmtree(run)
    done = planalign("verify", "--against", "x.zip", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["identical"], document["changes"]) == (True, [])

    refused = planalign("verify", "--against", "y.zip")
    assert refused.exit_code == 2
    assert "y.zip holds no census" in refused.stderr
    generate_census(30, 2, tmp_path / "other.parquet")
    other = planalign("verify", "--against", "y.zip", "--census", "other.parquet")
    assert (other.exit_code, other.stdout) == (2, "")
    assert "is not the census that y.zip was computed from" in other.stderr
    named = planalign("verify", "--against", "y.zip", "--census", census_of(made))
    assert (named.exit_code, named.stdout.split()[0]) == (0, "Identical:")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_copy_of_the_project_goes_with_it(run, tmp_path):
    project = Project.at(None)
    shutil.copytree(project.folder, tmp_path / "copy")
    config = run / "config.yaml"
    text = config.read_text()
    assert "dbt_project: null" in text
    config.write_text(text.replace("dbt_project: null", f"dbt_project: {tmp_path}/copy"))
    packed = planalign("pack", run, "--output", "x.zip", "--census")
    assert packed.exit_code == 0, packed.stderr
    with zipfile.ZipFile("x.zip") as archive:
        assert {name for name in archive.namelist() if "/" in name} == {
            f"dbt_project/{file.relative_to(project.folder)}" for file in project.files
        }
    shutil.rmtree(tmp_path / "copy")
    assert planalign("verify", "--against", "x.zip").exit_code == 0


def test_what_gives_other_results_is_told_by_mart(run, made, tmp_path):
    planalign("pack", run, "--output", "x.zip", "--census")
    with zipfile.ZipFile("x.zip") as sound, zipfile.ZipFile("y.zip", "w") as changed:
        for name in sound.namelist():
            text = sound.read(name)
            if name == "config.yaml":
                text = text.replace(b"random_seed: 42", b"random_seed: 43")
            changed.writestr(name, text)
    shown = planalign("verify", "--against", "y.zip")
    assert shown.exit_code == 3
    assert "Not as recorded: fingerprints of configuration: " in shown.stdout
    assert "fct_workforce_snapshot: another digest" in shown.stdout


@pytest.mark.parametrize(
    "option",
    [
        ["--config", "planalign.yaml"],
        ["--fingerprints", "digests.json"],
        ["--scenario", "growth"],
        ["--replicate", "0"],
    ],
)
def test_a_pack_is_verified_whole_by_what_is_in_it(run, option):
    refused = planalign("verify", "--against", "x.zip", *option)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "verified whole" in refused.stderr


def test_a_census_that_has_changed_is_not_packed(run, tmp_path):
    config = run / "config.yaml"
    generate_census(30, 2, tmp_path / "other.parquet")
    lines = config.read_text().splitlines(keepends=True)
    lines[0] = f"census: {tmp_path}/other.parquet\n"
    config.write_text("".join(lines))
    assert planalign("pack", run, "--output", "x.zip").exit_code == 0  # it is not in it
    refused = planalign("pack", run, "--output", "y.zip", "--census")
    assert refused.exit_code == 2
    assert "what is there of census is not what" in refused.stderr
    assert not (tmp_path / "y.zip").exists()


def test_a_file_that_names_a_folder_of_this_machine_is_refused(run, tmp_path):
    (tmp_path / "own").mkdir()
    text = f"-- from\n-- {tmp_path}/notes.txt\nselect 1\n"
    (tmp_path / "own" / "fct_sites.sql").write_text(text)
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("models: null", f"models: {tmp_path}/own"))
    refused = planalign("pack", run)
    assert refused.exit_code == 2
    assert "models/fct_sites.sql:2: names a folder" in refused.stderr


def test_what_is_no_run_is_not_packed(tmp_path):
    refused = planalign("pack", tmp_path, "--output", tmp_path / "x.zip")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is not a finished run" in refused.stderr


def test_a_pack_holds_the_tables_of_a_study(shared_studies, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bands").mkdir()
    packaged = (PACKAGED / "seeds" / "market_bands.csv").read_text()
    table = tmp_path / "bands" / "mine.csv"
    table.write_text(packaged.replace("38000.00", "37000.00"))
    made = shared_studies.simulate(
        shared_studies.generated(30),
        simulation={"start_year": 2025, "end_year": 2025},
        tables={"market_bands": str(table)},
    )
    made.close()
    shutil.copytree(made.path, tmp_path / "archived")
    assert planalign("pack", "archived", "--output", "x.zip", "--census").exit_code == 0
    assert str(tmp_path).encode() not in (tmp_path / "x.zip").read_bytes()
    with zipfile.ZipFile("x.zip") as packed:
        assert packed.read("tables/market_bands.csv") == table.read_bytes()
        assert b"market_bands: tables/market_bands.csv" in packed.read("config.yaml")
    table.write_text(packaged.replace("38000.00", "36000.00"))
    verified = planalign("verify", "--against", "x.zip")
    assert verified.exit_code == 0, verified.output
    # Of another table nobody could verify the run.
    refused = planalign("pack", "archived", "--output", "y.zip")
    assert refused.exit_code == 2
    assert "reference tables" in refused.stderr
    refused = planalign("verify", "--against", "archived")
    assert refused.exit_code == 3
    assert "reference_tables" in refused.output
