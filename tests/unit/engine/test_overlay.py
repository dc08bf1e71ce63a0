"""A study's own files get their place in the packaged project, or are refused, all at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from planalign.engine.overlay import lay_over
from planalign.engine.project import Project
from planalign.errors import EnvironmentFaultError, ProjectError
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.engine.project import Project as Laid

    LayOver = Callable[..., Laid]


@pytest.fixture
def laid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LayOver:
    """A function that lays files, given by name, over the packaged project."""
    monkeypatch.setenv("PLANALIGN_CACHE_DIR", str(tmp_path / "cache"))

    def lay(files: dict[str, str], columns: dict[str, str] | None = None) -> Laid:
        own = tmp_path / "models"
        own.mkdir(exist_ok=True)
        for name, text in files.items():
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).write_text(text)
        return lay_over(Project(PACKAGED), own, columns or {})

    return lay


def others(project: Laid) -> dict[str, str]:
    """Return the files that are not as they are in the packaged project."""
    packaged = {file.relative_to(PACKAGED): file.read_bytes() for file in Project(PACKAGED).files}
    found = {file.relative_to(project.folder): file.read_bytes() for file in project.files}
    assert packaged.keys() <= found.keys()
    return {
        path.as_posix(): content.decode()
        for path, content in found.items()
        if packaged.get(path) != content
    }


def test_each_file_gets_the_place_of_its_kind(laid: LayOver, tmp_path: Path) -> None:
    project = laid(
        {
            "fct_by_site.sql": "1",
            "fct_by_site.yml": "2",
            "dim_sites.sql": "3",
            "events/int_moves.sql": "4",
            "baseline/int_sites.yml": "5",
            "rules/assert_sites.sql": "6",
            "macros/site.sql": "7",
            "seeds/sites.csv": "8",
            "README.md": "about them",
            ".hidden.sql": "",
            "_old/fct_gone.sql": "",
        }
    )
    assert others(project) == {
        "models/snapshot/fct_by_site.sql": "1",
        "models/snapshot/fct_by_site.yml": "2",
        "models/snapshot/dim_sites.sql": "3",
        "models/events/int_moves.sql": "4",
        "models/baseline/int_sites.yml": "5",
        "tests/validation/assert_sites.sql": "6",
        "macros/site.sql": "7",
        "seeds/sites.csv": "8",
    }
    assert project.place("models/events/int_moves.sql") == tmp_path / "models/events/int_moves.sql"
    assert project.name == tmp_path / "models"


def test_a_packaged_file_is_replaced_by_its_name(laid: LayOver) -> None:
    project = laid(
        {
            "int_termination_events.sql": "mine",
            "snapshot/dim_scenarios.sql": "mine too",
            "seeds/job_levels.csv": "1",
            "macros/plan.sql": "2",
            "events.yml": "3",
        }
    )
    assert others(project) == {
        "models/events/int_termination_events.sql": "mine",
        "models/snapshot/dim_scenarios.sql": "mine too",
        "seeds/job_levels.csv": "1",
        "macros/plan.sql": "2",
        "models/events/events.yml": "3",
    }


def test_every_file_without_a_place_is_named(laid: LayOver, tmp_path: Path) -> None:
    wrong = [
        "int_moves.sql",  # of no step
        "validation/assert_sites.sql",
        "events/dim_scenarios.sql",  # that is made in another step
        "macros/site.csv",
        "fct_by_site.txt",
        "events/deeper/int_moves.sql",
        # What says how dbt works, and would be taken for a description of models.
        "dbt_project.yml",
        "profiles.yml",
        "snapshot/packages.yml",
        # Names that dbt, or a reader of a result, would stumble over.
        "fct my mart.sql",
        "fct_gehälter.sql",
        "seeds/2025.csv",
    ]
    with pytest.raises(ProjectError) as caught:
        laid({"fct_fine.sql": "", **dict.fromkeys(wrong, "")})
    assert {one.file for one in caught.value.problems} == {
        str(tmp_path / "models" / name) for name in wrong
    }
    assert "the models of" in str(caught.value)


def test_a_model_is_there_once(laid: LayOver) -> None:
    with pytest.raises(ProjectError, match=r"is the same model as fct_by_site\.sql"):
        laid({"fct_by_site.sql": "", "snapshot/fct_by_site.sql": ""})


def test_a_link_stays_in_the_folder(laid: LayOver, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "fct_out.sql").write_text("1")
    own = tmp_path / "models"
    (own / "macros").mkdir(parents=True)
    (own / "fct_again.sql").symlink_to("fct_once.sql")
    assert laid({"fct_once.sql": "1"}).place("models/snapshot/fct_again.sql").is_symlink()
    (own / "fct_out.sql").symlink_to(elsewhere / "fct_out.sql")
    (own / "snapshot").symlink_to(elsewhere)
    (own / "macros/gone.sql").symlink_to(own / "macros/nowhere.sql")
    with pytest.raises(ProjectError) as caught:
        laid({})
    names = {str(own / name) for name in ("fct_out.sql", "snapshot", "macros/gone.sql")}
    assert {one.file for one in caught.value.problems} == names


@pytest.mark.parametrize("text", ["models: []\n", "models:\n  - a\n - b\n", ""])
def test_a_description_without_the_snapshot_has_no_place_for_a_column_of_the_census(
    laid: LayOver, tmp_path: Path, text: str
) -> None:
    with pytest.raises(ProjectError) as caught:
        laid({"snapshot.yml": text}, {"location": "VARCHAR"})
    [problem] = caught.value.problems
    assert problem.file == str(tmp_path / "models/snapshot.yml")
    assert problem.line == (3 if " - b" in text else None)


def test_what_is_not_laid_over_is_where_it_was(laid: LayOver) -> None:
    project = laid({"fct_once.sql": "1"}, {"location": "VARCHAR"})
    assert project.place("models/sources.yml") == PACKAGED / "models/sources.yml"
    assert project.told("models/sources.yml") == "models/sources.yml"
    assert project.told("models/snapshot/fct_once.sql").endswith("/models/fct_once.sql")


def test_columns_of_the_census_are_declared_where_they_are_stored(laid: LayOver) -> None:
    project = laid({}, {"location": "BIGINT", "off": "DECIMAL(18,6)"})
    changed = others(project)
    assert changed.keys() == {
        "macros/extra_columns.sql",
        "models/sources.yml",
        "models/snapshot/snapshot.yml",
    }
    # Our own location gives way, the grade stays.
    assert changed["macros/extra_columns.sql"].count("return([") == 2
    assert '["grade", "location", "off"]' in changed["macros/extra_columns.sql"]
    assert '["grade", "location"]' in changed["macros/extra_columns.sql"]
    for path, kind, table in (
        ("models/sources.yml", "sources", "census"),
        ("models/snapshot/snapshot.yml", "models", "fct_workforce_snapshot"),
    ):
        before, after = (
            tables(yaml.safe_load(text), kind)
            for text in ((PACKAGED / path).read_text(), changed[path])
        )
        names = [one["name"] for one in after[table]["columns"]]
        place = names.index("grade") + 1
        added = after[table]["columns"][place : place + 2]
        assert [(one["name"], one["data_type"]) for one in added] == [
            ("location", "BIGINT"),
            ("off", "DECIMAL(18,6)"),
        ]
        del after[table]["columns"][place : place + 2]
        gone = before[table]["columns"].pop(place)
        assert (gone["name"], gone["data_type"]) == ("location", "VARCHAR")
        assert after == before


def test_both_columns_of_ours_may_give_way(laid: LayOver) -> None:
    changed = others(laid({}, {"location": "BIGINT", "grade": "DATE"}))
    assert '["location", "grade"]' in changed["macros/extra_columns.sql"]
    census = tables(yaml.safe_load(changed["models/sources.yml"]), "sources")["census"]
    assert [(one["name"], one["data_type"]) for one in census["columns"]][-3:] == [
        ("roth_share", "DECIMAL(9,6)"),
        ("location", "BIGINT"),
        ("grade", "DATE"),
    ]


def tables(content: dict, kind: str) -> dict[str, dict]:
    found = content[kind]
    listed = found if kind == "models" else [one for source in found for one in source["tables"]]
    return {one["name"]: one for one in listed}


def test_the_same_files_are_the_same_project_and_a_changed_one_is_made_anew(
    laid: LayOver,
) -> None:
    first = laid({"fct_by_site.sql": "1"})
    assert laid({}) == first
    (first.folder / "models/snapshot/fct_by_site.sql").write_text("2")
    again = laid({})
    assert again == first
    assert others(again) == {"models/snapshot/fct_by_site.sql": "1"}
    assert laid({"fct_by_site.sql": "3"}) != first


def test_two_processes_may_put_the_same_project_together(
    laid: LayOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = laid({"fct_by_site.sql": "1"})
    before = (first.folder / "models/snapshot/fct_by_site.sql").stat().st_ino
    looked, is_dir = [], Path.is_dir

    def before_the_other_was_finished(folder: Path) -> bool:
        if folder == first.folder and not looked:
            looked.append(folder)
            return False
        return is_dir(folder)

    monkeypatch.setattr(Path, "is_dir", before_the_other_was_finished)
    assert laid({}) == first
    assert looked
    # It is the other's still, who may be at work on it.
    assert (first.folder / "models/snapshot/fct_by_site.sql").stat().st_ino == before
    assert not [*first.folder.parent.glob(".new-*")]


def test_a_cache_that_is_not_to_be_written_is_read(
    laid: LayOver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = laid({"fct_by_site.sql": "1"})

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.utime", refuse)
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    assert laid({}) == first
    with pytest.raises(EnvironmentFaultError, match="Permission denied"):
        laid({"fct_by_site.sql": "2"})


def test_nothing_laid_over_is_the_packaged_project(laid: LayOver) -> None:
    assert laid({}).fingerprint == Project(PACKAGED).fingerprint
