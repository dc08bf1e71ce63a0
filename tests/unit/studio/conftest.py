"""A folder of runs, and a run in it that a test writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from written_run import Writer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of runs."""
    path = tmp_path / "runs"
    path.mkdir()
    return path


@pytest.fixture
def writer(folder: Path) -> Writer:
    """The writer of a run that is called one."""
    return Writer(folder / "one")
