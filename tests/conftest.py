"""What tests of several folders share: studies that run in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, settings

from planalign.census.synthesise import generate_census
from planalign.results import Run, open_run
from planalign.study import Request, configuration, run_study

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The same inputs in every run, and in `make fuzz` many more, other ones each time. A test
# whose inputs take long tries a part of `settings().max_examples`.
_ANY_PACE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("short", _ANY_PACE, max_examples=25, derandomize=True)
settings.register_profile("long", _ANY_PACE, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

# The longest file, in minutes: whoever tests two files at a time would end with it alone.
_FIRST = "test_legacy_parity.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest file first; the others stay in their order."""
    items.sort(key=lambda item: item.path.name != _FIRST)


@pytest.fixture(scope="session")
def warm_dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Give the variables with which dbt commands are run by children of one that knows dbt."""
    folder = Path(__file__).parent / "support" / "warm_dbt"
    place = tmp_path_factory.mktemp("warm") / "dbt"
    with subprocess.Popen(
        [sys.executable, folder / "server.py", place], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout.readline() == b"ready\n"
        yield {"WARM_DBT": str(place), "PYTHONPATH": str(folder)}
        server.stdin.close()


@pytest.fixture(scope="module")
def dbt_is_warm(warm_dbt: Mapping[str, str]) -> Iterator[None]:
    """Let studies of this process that compile have dbt run by a child of one that knows it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in warm_dbt.items():
            patch.setenv(name, value)
        yield


_CENSUS_TYPES = {
    "employee_id": "varchar",
    "birth_date": "date",
    "hire_date": "date",
    "annual_compensation": "decimal(15, 2)",
    "job_level": "integer",
}


class Studies:
    """Runs studies in this process, each into a folder of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._made = 0

    def new(self, ending: str = "") -> Path:
        """Return a path that is not there yet."""
        self._made += 1
        return self.folder / f"{self._made}{ending}"

    def generated(self, employees: int, seed: int = 1) -> Path:
        """Return a realistic census."""
        path = self.new(".parquet")
        generate_census(employees, seed, path)
        return path

    def census(self, rows: Iterable[tuple[Any, ...]]) -> Path:
        """Return the census of the given employees.

        A row has an id, the dates of birth and hire, the yearly pay and the level.
        """
        path = self.new(".parquet")
        listed = [tuple(map(str, row)) for row in rows]
        names = ", ".join(_CENSUS_TYPES)
        casts = ", ".join(f"{name}::{kind} as {name}" for name, kind in _CENSUS_TYPES.items())
        with duckdb.connect() as connection:
            connection.execute(
                f"create table given ({', '.join(f'{n} text' for n in _CENSUS_TYPES)})"
            )
            connection.execute(
                f"insert into given values {', '.join(['(?, ?, ?, ?, ?)'] * len(listed))}",
                [value for row in listed for value in row],
            )
            connection.execute(
                f"copy (select {casts} from given as t({names})) to '{path}' (format parquet)"
            )
        return path

    def simulate(
        self, census: Path, /, request: Mapping[str, Any] | None = None, **sections: Any
    ) -> Run:
        """Simulate and open the result; `sections` are those of planalign.yaml."""
        config = configuration({"census": str(census), **sections})
        done = run_study(Request(config, output=self.new(), **(request or {})))
        return self._stack.enter_context(open_run(done.path))


@pytest.fixture
def studies(tmp_path: Path) -> Iterator[Studies]:
    """Studies of one test."""
    with ExitStack() as stack:
        yield Studies(tmp_path, stack)


@pytest.fixture(scope="session")
def shared_studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studies]:
    """Studies that several tests look at."""
    with ExitStack() as stack:
        yield Studies(tmp_path_factory.mktemp("studies"), stack)
