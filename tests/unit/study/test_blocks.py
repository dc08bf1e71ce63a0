"""Blocks that are handed out and merged: how many, in what order, and what a lost worker costs."""

from __future__ import annotations

import pickle
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import duckdb
import pytest

from planalign.config import parse
from planalign.engine.database import FILE_NAME, Database, Settings
from planalign.engine.inputs import Trajectory
from planalign.engine.pipeline import Column, Materialization, Model, Pipeline, Step
from planalign.errors import (
    EnvironmentFaultError,
    InputError,
    MemoryFaultError,
    ModelError,
    Problem,
    UsageError,
)
from planalign.study import Request
from planalign.study.blocks.job import COMPLETE, BlockOutcome, Told
from planalign.study.blocks.local import WorkerLostError
from planalign.study.blocks.merging import merge
from planalign.study.blocks.shared_out import most_workers, workers_for
from planalign.study.blocks.side_by_side import AHEAD, ATTEMPTS, SideBySide, split
from planalign.study.settings import share_of

YEARS = (2025, 2026)


def trajectories(count: int) -> list[Trajectory]:
    return [Trajectory(n, "baseline", n, 42 + n) for n in range(count)]


# ---- how many


@pytest.mark.parametrize(
    ("count", "workers", "most", "sizes"),
    [
        (100, 2, 1_000, [50, 50]),
        (5, 3, 1_000, [1, 2, 2]),
        (2, 4, 1_000, [1, 1]),
        (100, 2, 30, [25, 25, 25, 25]),
        (7, 2, 1, [1] * 7),
    ],
)
def test_blocks_are_as_few_as_fit_and_give_each_worker_as_many(count, workers, most, sizes):
    asked = trajectories(count)
    blocks = split(asked, workers, most)
    assert sorted(map(len, blocks)) == sizes
    assert [one for block in blocks for one in block] == asked


def request(runner: str = "direct", **resources: object) -> Request:
    simulation = {"start_year": 2025, "end_year": 2029}
    config = parse({"simulation": simulation, "resources": resources}, Path())
    return Request(config, runner=runner)


def test_workers_and_parent_share_the_memory_and_the_threads():
    resources = request(memory_limit="4GB", threads=8).config.resources
    shared = share_of(resources, 3)
    assert shared.threads == 2
    assert 4 * shared.memory_bytes == pytest.approx(resources.memory_bytes, rel=0.001)
    assert 4 * shared.memory_bytes <= resources.memory_bytes
    assert share_of(request(threads=1).config.resources, 3).threads == 1
    tiny = share_of(request(memory_limit="512MB").config.resources, 7)
    assert tiny.memory_bytes == 64_000_000


@pytest.mark.parametrize(
    ("trajectories", "opening", "resources", "expected"),
    [
        (1, 1_000_000, {"threads": 16, "memory_limit": "64GB"}, 1),
        (100, 1_000, {"threads": 2}, 1),  # a process alone keeps two threads busy
        (100, 1_000, {"threads": 16}, 2),  # half a million employees and years
        (100, 100_000, {"threads": 16, "memory_limit": "64GB"}, 8),
        (100, 100_000, {"threads": 16, "memory_limit": "1GB"}, 1),  # holds two: one is the parent's
        (10, 300, {"threads": 16}, 1),
        (10, 300, {"threads": 2, "workers": 3}, 3),
        (2, 300, {"threads": 2, "workers": 3}, 2),
        (100, 100_000, {"threads": 16, "workers": 1}, 1),
    ],
)
def test_auto_takes_workers_where_each_has_threads_memory_and_enough_to_do(
    trajectories, opening, resources, expected
):
    assert workers_for(request(**resources), trajectories, opening) == expected


@pytest.mark.parametrize("runner", ["batch", "legacy"])
def test_dbt_has_no_workers(runner):
    assert most_workers(request(runner, threads=16), 100) == 1
    with pytest.raises(UsageError, match=f"the runner {runner} has no workers"):
        most_workers(request(runner, workers=2), 100)


# ---- handed out and merged


def fact(name: str, *columns: str) -> Model:
    types = {"scenario_id": "VARCHAR", "replicate": "INTEGER", "simulation_year": "INTEGER"}
    return Model(
        name,
        Step.SNAPSHOT,
        f"{name}.sql",
        Materialization.YEARLY,
        "",
        (),
        tuple(Column(one, types.get(one, "HUGEINT")) for one in columns),
    )


FACTS = (
    fact("fct_pay", "scenario_id", "replicate", "simulation_year", "pay"),
    fact("dim_scenarios", "scenario_id", "pay"),
    fact("fct_limits", "scenario_id", "simulation_year", "pay"),
)


class MadeUp:
    """Workers that do what a script says of a block: an outcome, or the loss of its worker."""

    count = 2

    def __init__(self, folder: Path, losses: dict[int, int] | None = None, failing: int = 0):
        self.folder = folder
        self.losses = Counter(losses or {})
        self.failing = failing
        self.handed_out: list[int] = []
        self.open: list[tuple[Future, object]] = []
        self.most_open = 0

    def submit(self, job):
        future: Future = Future()
        self.handed_out.append(job.number)
        self.open.append((future, job))
        return future

    def heard(self):
        """End one block each time somebody listens: the one handed out last, first."""
        self.most_open = max(self.most_open, len(self.open))
        if not self.open:
            return
        future, job = self.open.pop()
        for kind, details in (
            ("run_planned", {"years": 2, "blocks": 1}),
            ("year_started", {"year": 2025, "block": 1, "trajectories": 1}),
            ("model_completed", {"year": 2025, "model": "m", "thread": "model_0", "started": 1.0}),
            ("year_completed", {"year": 2025, "steps": {}, "rows": {}}),
        ):
            yield Told(job.number, f"worker {job.number % 2}", kind, 5.0, 2.0, details)
        if self.losses[job.number]:
            self.losses[job.number] -= 1
            future.set_exception(WorkerLostError("was killed by SIGKILL"))
        else:
            future.set_result(self.outcome(job))

    def outcome(self, job) -> BlockOutcome:
        fails = job.number == self.failing
        years = YEARS[:1] if fails else YEARS
        folder = self.folder / f"block-{job.number}"
        folder.mkdir(parents=True)
        who = [(one.scenario, one.replicate) for one in job.trajectories]
        rows = {
            "fct_pay": [(*one, year, 2**100) for one in who for year in years],
            "dim_scenarios": [("baseline", 1)],
            "fct_limits": [("baseline", year, 7) for year in years],
            COMPLETE: [(*one, year) for one in who for year in years],
        }
        names = {one.name: [column.name for column in one.columns] for one in FACTS}
        names[COMPLETE] = ["scenario_id", "replicate", "simulation_year"]
        parts = {}
        for name, found in rows.items():
            parts[name] = folder / f"{name}.parquet"
            values = ", ".join(
                f"({', '.join(repr(v) if isinstance(v, str) else f'{v}::varchar' for v in row)})"
                for row in found
            )
            columns = ", ".join(names[name])
            duckdb.sql(f"copy (from (values {values}) t({columns})) to '{parts[name]}'")
        error = ModelError("rule r is broken", "Mend it.") if fails else None
        return BlockOutcome(job, years, parts, error)

    def close(self):
        """End nothing: nothing is under way."""


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / FILE_NAME, Settings(1, "500MB"))
    database.create()
    with database.cursor() as cursor:
        for one in FACTS:
            cursor.execute(one.create_statement())
        cursor.execute(
            f"create table {COMPLETE} "
            "(scenario_id varchar, replicate integer, simulation_year integer)"
        )
    yield database
    database.release()


def done(database, workers, count: int = 6):
    told: list[tuple[str, dict]] = []
    side_by_side = SideBySide(
        Pipeline("", "", (), (), FACTS, ()),
        database,
        workers,
        workers.folder,
        lambda kind, **details: told.append((kind, details)),
        years_each=len(YEARS),
        blocks_before=3,
    )
    blocks = [(one,) for one in trajectories(count)]
    try:
        return list(side_by_side.years(blocks)), told
    except Exception as error:
        error.told = told
        raise


def rows(database, query: str):
    with database.cursor() as cursor:
        return cursor.execute(query).fetchall()


def test_blocks_are_merged_whole_in_whatever_order_they_end(database, tmp_path):
    workers = MadeUp(tmp_path)
    years, told = done(database, workers)
    assert years == [*YEARS] * 6
    assert workers.most_open == AHEAD * workers.count
    expected = [("baseline", n, year, 2**100) for n in range(6) for year in YEARS]
    assert rows(database, "from fct_pay order by all") == expected
    # What trajectories share is there once.
    assert rows(database, "from dim_scenarios") == [("baseline", 1)]
    assert rows(database, "from fct_limits order by all") == [("baseline", y, 7) for y in YEARS]
    assert len(rows(database, f"select distinct * from {COMPLETE}")) == 12
    assert not list(tmp_path.glob("block-*/*.parquet"))
    numbers = [details["block"] for kind, details in told if kind == "year_started"]
    assert sorted(numbers) == [4, 5, 6, 7, 8, 9]
    models = {details["thread"] for kind, details in told if kind == "model_completed"}
    assert models == {"worker 1 model_0", "worker 2 model_0"}


def test_a_block_whose_worker_is_lost_is_done_again(database, tmp_path):
    years, told = done(database, MadeUp(tmp_path, losses={2: ATTEMPTS - 1, 5: 1}))
    assert len(years) == 12
    assert len(rows(database, "from fct_pay")) == 12
    said = [details["message"] for kind, details in told if kind == "warning"]
    assert said == ["the worker of a block of 1 was killed by SIGKILL; the block is done again"] * 3
    # The years of the lost attempts have been told of: they are planned, too.
    planned = [details["years"] for kind, details in told if kind == "run_planned"]
    assert planned == [12, 13, 14, 15]
    assert sum(kind == "year_completed" for kind, _ in told) == 6 + 3


def test_a_block_whose_workers_are_lost_again_and_again_ends_the_run(database, tmp_path):
    with pytest.raises(EnvironmentFaultError, match="was killed by SIGKILL, 3 times in a row"):
        done(database, MadeUp(tmp_path, losses={1: ATTEMPTS}))
    whole = rows(database, f"select replicate, count(*) from {COMPLETE} group by all")
    assert whole
    assert {years for _, years in whole} == {len(YEARS)}


def test_the_years_in_front_of_a_failure_are_kept(database, tmp_path):
    with pytest.raises(ModelError, match="rule r is broken"):
        done(database, MadeUp(tmp_path, failing=1))
    assert rows(database, "select simulation_year from fct_pay where replicate = 0") == [(2025,)]
    assert rows(database, f"select simulation_year from {COMPLETE} where replicate = 0") == [
        (2025,)
    ]


def test_a_merge_that_runs_out_of_memory_is_done_with_less_at_once(database, tmp_path, monkeypatch):
    settings = Settings(4, "500MB")
    database.use(settings)
    failures = 2

    def short(*arguments: object) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise duckdb.OutOfMemoryException("Out of Memory Error: could not allocate")
        merge(*arguments)

    monkeypatch.setattr("planalign.study.blocks.side_by_side.merge", short)
    done(database, MadeUp(tmp_path), count=1)
    assert len(rows(database, "from fct_pay")) == len(YEARS)
    assert database.settings == Settings(1, "500MB", alone=True)
    failures = 1
    with pytest.raises(duckdb.OutOfMemoryException):
        done(database, MadeUp(tmp_path / "again"), count=1)


@pytest.mark.parametrize(
    "error",
    [
        ModelError("model m failed", "Mend it."),
        MemoryFaultError("model m ran out of memory", "Raise it."),
        InputError("an amount is larger than fits", [Problem("pay grows", "Lower it", column="c")]),
    ],
)
def test_an_error_comes_from_another_process_as_it_was(error):
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(copy) is type(error)
    assert (str(copy), copy.what, copy.remedy) == (str(error), error.what, error.remedy)
    assert getattr(copy, "problems", None) == getattr(error, "problems", None)
