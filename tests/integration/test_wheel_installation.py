"""The wheel alone, installed read-only, starts a project and simulates it without dbt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from planalign.engine.compiler import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

# Runs at the start of every Python of the installation, dbt's own processes too.
NO_DBT = """
import sys

class NoDbt:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "dbt":
            raise RuntimeError(f"{name} is imported")

sys.meta_path.insert(0, NoDbt())
"""


class Installation(NamedTuple):
    bin: Path
    site_packages: Path

    def run(self, command: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        }
        return subprocess.run(
            [str(self.bin / command), *arguments],
            cwd=folder,
            env={**environment, "PLANALIGN_CACHE_DIR": str(folder / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )

    def files(self) -> dict[str, tuple[int, int]]:
        """What is there, with size and time of change: root may write to read-only files."""
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted(self.site_packages.rglob("*"))
        }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A new environment: the wheel, and its dependencies from the one that runs the tests."""
    environment = tmp_path_factory.mktemp("clean") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    bin_folder = environment / "bin"
    install = [str(bin_folder / "python"), "-m", "pip", "install", "--no-index", "--no-deps"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    [site_packages] = environment.glob("lib/python*/site-packages")
    # A folder named in a .pth file is searched last, and its own .pth files (the
    # editable install of this checkout) are not read.
    (site_packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (site_packages / "no_dbt.py").write_text(NO_DBT)
    (site_packages / "no_dbt.pth").write_text("import no_dbt\n")
    subprocess.run([str(bin_folder / "python"), "-c", "import no_dbt"], check=True)
    package = [
        site_packages,
        site_packages / "planalign",
        *(site_packages / "planalign").rglob("*"),
    ]
    for path in package:
        path.chmod(path.stat().st_mode & ~0o222)
    yield Installation(bin_folder, site_packages)
    for path in package:
        path.chmod(path.stat().st_mode | 0o200)


def test_wheel_has_every_file_of_the_package_and_the_compiled_project(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("planalign/")}
    source = ROOT / "src"
    made = {"__pycache__", "target", "logs"}
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "planalign").rglob("*")
        if path.is_file() and not made & {*path.parts} and path.suffix != ".duckdb"
    }
    assert names == expected | {"planalign/engine/pipeline.json"}
    assert "planalign/report/assets/report.js" in names


def test_building_leaves_nothing_in_the_source_tree(wheel: Path) -> None:
    assert wheel.is_file()
    assert not SHIPPED.exists()
    assert not (ROOT / "build").exists()


def test_planalign_is_imported_from_the_wheel(installation: Installation, tmp_path: Path) -> None:
    found = installation.run(
        "python", "-c", "import planalign; print(planalign.__file__)", folder=tmp_path
    )
    assert Path(found.stdout.strip()).is_relative_to(installation.site_packages)


def test_dbt_cannot_be_imported(installation: Installation, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        installation.run("python", "-c", "import dbt.cli.main", folder=tmp_path)
    assert "dbt is imported" in failed.value.stderr


def test_first_run_of_an_installation_is_warm(installation: Installation, tmp_path: Path) -> None:
    before = installation.files()

    installation.run("planalign", "init", "project", folder=tmp_path)
    project = tmp_path / "project"
    done = installation.run("planalign", "simulate", "--output", "run", "--json", folder=project)

    events = [json.loads(line) for line in (project / "run" / "events.jsonl").open()]
    kinds = {event["kind"] for event in events}
    assert "run_completed" in kinds
    assert "compiling" not in kinds
    assert [year["year"] for year in json.loads(done.stdout)["years"]] == [*range(2025, 2030)]
    assert not (project / "cache" / "pipelines").exists()
    installation.run("planalign", "report", "run", "--output", "run.html", folder=project)
    assert "</html>" in (project / "run.html").read_text()
    assert installation.files() == before
