"""A configuration leads to no file outside its folder, and to no pipe, device or host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from planalign.census.check import check_census
from planalign.census.columns import DEFAULT_CENSUS_DATE
from planalign.census.synthesise import generate_census
from planalign.config import load, parse
from planalign.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from planalign.census.check import CheckReport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project beside a file and a folder that are not its own."""
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "census.csv").write_text("secret")
    (project / "link.csv").symlink_to(tmp_path / "elsewhere" / "census.csv")
    (project / "linked").symlink_to(tmp_path / "elsewhere")
    return project


def write(folder: Path, text: str) -> Path:
    path = folder / "planalign.yaml"
    path.write_text(f"# A study\n{text}\n")
    return path


@pytest.mark.parametrize("key", ["census", "dbt_project"])
@pytest.mark.parametrize(
    "path",
    [
        "../elsewhere/census.csv", "data/../../elsewhere", "/etc/passwd", "/dev/stdin",
        "link.csv", "linked/census.csv", "..",
    ],
)  # fmt: skip
def test_a_path_that_leaves_the_folder_is_refused(folder, key, path):
    with pytest.raises(InputError) as caught:
        load(write(folder, f"{key}: {path}"))
    [problem] = caught.value.problems
    assert problem.message == "leads out of the folder of the configuration"
    assert (problem.line, problem.column, problem.value) == (2, key, path)
    assert f"--{key.replace('_', '-')}" in problem.remedy


def test_it_is_reported_together_with_every_other_problem(folder):
    with pytest.raises(InputError) as caught:
        load(write(folder, "census: /etc/passwd\nplan: 1"))
    assert [problem.column for problem in caught.value.problems] == ["census", "plan"]


def test_the_census_of_an_empty_configuration_is_no_way_out_either(folder):
    (folder / "census.parquet").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="leads out of the folder"):
        load(write(folder, ""))


@pytest.mark.parametrize("path", ["data/census.csv", "data/../c.csv", "./c.csv", "absent/c.csv"])
def test_a_path_in_the_folder_is_taken(folder, path):
    assert load(write(folder, f"census: {path}")).census == folder / os.path.normpath(path)
    assert load(write(folder, f"census: {folder / path}")).census == folder / os.path.normpath(path)


def test_what_is_given_beside_the_file_may_lead_anywhere(folder, tmp_path):
    outside = str(tmp_path / "elsewhere" / "census.csv")
    file = write(folder, "census: /etc/passwd\ndbt_project: /etc")
    config = load(file, {"census": outside, "dbt_project": str(tmp_path)})
    assert (str(config.census), config.dbt_project) == (outside, tmp_path)
    assert str(parse({"census": outside}, folder).census) == outside


@pytest.mark.parametrize(
    "name",
    [
        "~/census.csv", "$HOME/census.csv", "*.csv", "censu?.csv", "[c]ensus.csv",
        "https://example.org/census.csv", "s3://bucket/census.parquet", "file:///etc/census.csv",
        "'||chr(99)||'ensus.csv",
    ],
)  # fmt: skip
def test_a_path_is_taken_word_for_word(folder, name):
    census = load(write(folder, f'census: "{name}"')).census
    assert census == folder / os.path.normpath(name)
    generate_census(3, 1, folder / f"census{census.suffix}")  # what a wildcard would find
    assert "No such file" in str(checked(census).problems)
    census.parent.mkdir(parents=True, exist_ok=True)
    generate_census(5, 1, census)
    summary = checked(census).summary
    assert summary is not None
    assert summary.rows == 5


def checked(census: Path) -> CheckReport:
    return check_census(census, columns={}, census_date=DEFAULT_CENSUS_DATE)


@pytest.mark.parametrize("command", [("census", "check", "{}"), ("simulate", "--census", "{}")])
def test_a_pipe_a_device_or_a_folder_is_no_census_and_is_not_waited_for(home, command):
    os.mkfifo(home.project / "pipe.csv")
    (home.project / "endless.csv").symlink_to("/dev/zero")
    (home.project / "folder.csv").mkdir()
    for name in ("pipe.csv", "endless.csv", "folder.csv"):
        done = home.planalign(*(part.format(name) for part in command))
        assert done.returncode == 2, (name, done.stderr)
        said = done.stdout + done.stderr
        assert ("Is a directory" if name == "folder.csv" else "not a regular file") in said
    assert not (home.project / "runs").exists() or not list((home.project / "runs").iterdir())
