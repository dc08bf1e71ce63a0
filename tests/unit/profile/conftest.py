"""Real runs, whose records are recomputed from the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class RealRuns(dict[str, "Path"]):
    """The folder of a run by runner, each made when it is first asked for."""

    def __init__(self, studies: Any) -> None:
        super().__init__()
        self._studies = studies
        self._census = studies.generated(1_000)

    def __missing__(self, runner: str) -> Path:
        # dbt takes its time; one year of it tells all that it writes.
        last = 2027 if runner == "direct" else 2025
        run = self._studies.simulate(
            self._census,
            {"runner": runner},
            simulation={"start_year": 2025, "end_year": last},
        )
        self[runner] = run.path
        return run.path


@pytest.fixture(scope="session")
def real_runs(shared_studies: Any) -> Mapping[str, Path]:
    return RealRuns(shared_studies)
