"""Reference tables of a configuration: laid over the project, or refused, all at once."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from planalign.config import default_levels, parse
from planalign.engine.compiler import pipeline_for
from planalign.engine.overlay import project_of
from planalign.engine.project import Project
from planalign.engine.run_folder import models_fingerprints
from planalign.errors import InputError
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from pathlib import Path

RETIREMENT = (PACKAGED / "seeds" / "retirement_hazards.csv").read_bytes()


def project(folder: Path, **data: Any) -> Project:
    return project_of(parse(data, folder))


def problems(folder: Path, **data: Any) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as refused:
        project(folder, **data)
    assert all(one.remedy for one in refused.value.problems)
    return [(str(one.file).replace(str(folder), ""), one.message) for one in refused.value.problems]


def given(count: int) -> list[dict[str, Any]]:
    return [{**level.model_dump(), "name": f"L{n}"} for n, level in enumerate(default_levels())][
        :count
    ]


def test_a_table_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    changed = RETIREMENT.replace(b"\n62,0.1", b"\n62,0.2", 1)
    (tmp_path / "retire.csv").write_bytes(changed)
    own = project(tmp_path, tables={"retirement_hazards": "retire.csv"})
    assert own.folder != PACKAGED
    assert (own.folder / "seeds" / "retirement_hazards.csv").read_bytes() == changed
    assert own.place("seeds/retirement_hazards.csv") == tmp_path / "retire.csv"
    assert own.place("seeds/age_bands.csv") == PACKAGED / "seeds" / "age_bands.csv"


def test_what_is_as_it_comes_is_the_packaged_project_bit_by_bit(tmp_path: Path) -> None:
    shutil.copytree(PACKAGED / "seeds", tmp_path / "tables")
    names = [file.stem for file in (PACKAGED / "seeds").glob("*.csv")]
    packaged = Project.at(None)
    tables = {name: f"tables/{name}.csv" for name in names}
    assert project(tmp_path, tables=tables).files_fingerprint == packaged.files_fingerprint
    levels = [level.model_dump() for level in default_levels()]
    assert project(tmp_path, job_levels=levels).files_fingerprint == packaged.files_fingerprint


def test_only_the_reference_tables_of_the_record_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = Project.at(None)
    before = models_fingerprints(packaged, pipeline_for(packaged))

    def dbt(_: Project) -> None:
        raise AssertionError("a table is nothing to compile")

    monkeypatch.setattr("planalign.engine.compiler.compile_project", dbt)
    (tmp_path / "retire.csv").write_bytes(RETIREMENT.replace(b"\n62,0.1", b"\n62,0.2", 1))
    for data in ({"tables": {"retirement_hazards": "retire.csv"}}, {"job_levels": given(3)}):
        own = project(tmp_path, **data)
        after = models_fingerprints(own, pipeline_for(own))
        assert after["models"] == before["models"]
        assert after["reference_tables"] != before["reference_tables"]


def test_a_table_is_checked_as_that_of_a_changed_project(tmp_path: Path) -> None:
    (tmp_path / "retire.csv").write_bytes(RETIREMENT.replace(b"\n62,", b"\n62,1.", 1))
    bands = "job_level,band_minimum,band_maximum\n1,9,8\n"
    (tmp_path / "bands.csv").write_text(bands)
    tables = {"retirement_hazards": "retire.csv", "market_bands": "bands.csv"}
    own = project(tmp_path, tables=tables)
    with pytest.raises(InputError) as refused:
        pipeline_for(own)
    found = refused.value.problems
    assert (f"{tmp_path}/bands.csv", 2, 1, "band_minimum", "9") in [
        (one.file, one.line, one.row, one.column, one.value) for one in found
    ]
    assert {"has no row"} <= {one.message for one in found}
    assert [(one.row, one.column) for one in found if one.file == f"{tmp_path}/retire.csv"] == [
        (63, "hazard")
    ]


def test_what_cannot_be_read_is_told_of_every_table(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    tables = {"market_bands": "absent.csv", "age_bands": "folder.csv"}
    assert problems(tmp_path, tables=tables) == [
        ("/folder.csv", "cannot be read (Is a directory)"),
        ("/absent.csv", "cannot be read (No such file or directory)"),
    ]


def test_a_table_stands_once(tmp_path: Path) -> None:
    seeds = tmp_path / "models" / "seeds"
    seeds.mkdir(parents=True)
    for name in ("retirement_hazards", "market_bands"):
        (seeds / f"{name}.csv").write_bytes((PACKAGED / "seeds" / f"{name}.csv").read_bytes())
    (tmp_path / "retire.csv").write_bytes(RETIREMENT)
    tables = {"retirement_hazards": "retire.csv"}
    assert problems(tmp_path, models="models", tables=tables, job_levels=given(2)) == [
        ("/models/seeds/market_bands.csv", "says the same as job_levels of the configuration"),
        (
            "/models/seeds/retirement_hazards.csv",
            "says the same as tables.retirement_hazards of the configuration",
        ),
    ]


def test_a_copied_project_is_refused_where_it_was_changed_too(tmp_path: Path) -> None:
    copy = shutil.copytree(PACKAGED, tmp_path / "copy")
    (tmp_path / "retire.csv").write_bytes(RETIREMENT.replace(b"\n62,0.1", b"\n62,0.2", 1))
    tables = {"retirement_hazards": "retire.csv"}
    own = project(tmp_path, dbt_project="copy", tables=tables)
    assert own.place("seeds/retirement_hazards.csv") == tmp_path / "retire.csv"
    (copy / "seeds" / "retirement_hazards.csv").write_bytes(RETIREMENT + b"131,0.5\n")
    assert problems(tmp_path, dbt_project="copy", tables=tables) == [
        (
            "/copy/seeds/retirement_hazards.csv",
            "says the same as tables.retirement_hazards of the configuration",
        )
    ]
