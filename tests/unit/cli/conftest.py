from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The builder of run folders lives with the tests of results.
sys.path.insert(0, str(Path(__file__).parents[1] / "results"))

from run_folder import build_run


@pytest.fixture(scope="session")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run(tmp_path_factory.mktemp("runs") / "study")


@pytest.fixture(scope="session")
def other_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cent more than in `run_path`, in one row."""
    return build_run(
        tmp_path_factory.mktemp("runs") / "other",
        change="update fct_workforce_snapshot set current_compensation = current_compensation + "
        "0.01 where employee_id = 'EMP_000003' and scenario_id = 'growth' and replicate = 1 "
        "and simulation_year = 2026",
    )
