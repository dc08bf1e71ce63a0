from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from run_folder import build_run, change_run

from planalign.results import Run, open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run(tmp_path_factory.mktemp("runs") / "study")


@pytest.fixture
def run(run_path: Path) -> Iterator[Run]:
    with open_run(run_path) as opened:
        yield opened


@pytest.fixture
def changed(run_path: Path, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Open copies of the study, each changed by some SQL or of another shape."""
    opened: list[Run] = []

    def build(sql: str = "", **shape: object) -> Run:
        folder = tmp_path / f"changed{len(opened)}"
        if shape:
            build_run(folder, **shape)
        else:
            # Copying is ten times as fast as building.
            shutil.copytree(run_path, folder)
        change_run(folder, sql)
        opened.append(open_run(folder))
        return opened[-1]

    yield build
    for one in opened:
        one.close()
