"""A study on a Dask scheduler with workers of its own, all of them on the loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from planalign.errors import EnvironmentFaultError, InterruptedRunError, UsageError
from planalign.interruption import StoppedError
from planalign.record.reading import read_record
from planalign.results import open_run
from planalign.results.verify import verify
from planalign.study import Request, configuration, run_study

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST = 120


@contextmanager
def started(*arguments: str, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Lend a process of Dask's, which ends with the block."""
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=stream,
            stderr=stream,
            env={**os.environ, **variables},
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(LONGEST)


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    log = folder / "scheduler.log"
    arguments = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with started("distributed.cli.dask_scheduler", *arguments, log=log) as process:
        said = waited_for(log, "Scheduler at:")
        yield said.partition("Scheduler at:")[2].split()[0], process


@contextmanager
def worker(folder: Path, address: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / f"worker-{len(list(folder.glob('worker-*')))}.log"
    arguments = (address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    with started("distributed.cli.dask_worker", *arguments, log=log, **variables) as process:
        waited_for(log, "Registered to:")
        yield process


def waited_for(log: Path, words: str) -> str:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        if words in log.read_text():
            return log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture
def dask(tmp_path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its process and those of its two workers."""
    with ExitStack() as stack:
        address, process = stack.enter_context(scheduler(tmp_path))
        workers = [stack.enter_context(worker(tmp_path, address)) for _ in range(2)]
        yield address, [process, *workers]


@pytest.fixture(scope="module")
def census(shared_studies) -> Path:
    return shared_studies.generated(120)


def request(census: Path, output: Path, **more: object) -> Request:
    config = configuration(
        {
            "census": str(census),
            "simulation": {"start_year": 2025, "end_year": 2026, "replicates": 4},
            "resources": {"employees_per_block": 1},
            "scenarios": {"baseline": {}},
        }
    )
    return Request(config, output=output, **more)


@pytest.fixture(scope="module")
def alone(shared_studies, census) -> Path:
    return run_study(request(census, shared_studies.new())).path


def assert_same(a: Path, b: Path) -> None:
    with open_run(a) as left, open_run(b) as right:
        comparison = verify(left, right)
        assert comparison.identical, comparison.as_dict()


def block_processes(dask: list[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    return [
        one
        for process in dask
        if process.poll() is None
        for one in psutil.Process(process.pid).children(recursive=True)
        if "planalign.study.blocks.worker" in command_of(one)
    ]


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has just ended
        return ""


def waited_until_gone(dask: list[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + LONGEST
    while block_processes(dask):
        assert time.monotonic() < until, "processes of blocks are left"
        time.sleep(0.05)


def test_a_cluster_gives_the_same_bits_and_a_lost_worker_costs_its_block(
    dask, studies, census, alone
):
    address, processes = dask
    killed: list[int] = []

    def kill_one(kind: str, **details: object) -> None:
        if kind == "year_completed" and not killed:
            killed.append(processes[1].pid)
            processes[1].kill()

    output = studies.new()
    completed = run_study(request(census, output, cluster=address), kill_one)
    assert_same(alone, completed.path)
    record = read_record(completed.path)
    assert len([year for year in record.years if year.end is not None]) == 8
    assert {run.thread.split(" model")[0] for run in record.models if run.block} >= {"worker 1"}
    # Clocks are those of the run: nothing of a block lies outside it.
    assert all(0 <= run.start <= run.end <= record.seconds for run in record.models)
    waited_until_gone(processes)


def test_a_run_that_is_stopped_ends_its_work_on_the_cluster_and_a_lost_scheduler_is_told(
    dask, studies, census, alone, monkeypatch
):
    address, processes = dask
    output = studies.new()
    monkeypatch.setattr("planalign.study.blocks.cluster.CONNECTING_SECONDS", 1)

    def stop(kind: str, **details: object) -> None:
        if kind == "year_completed":
            raise StoppedError

    with pytest.raises(InterruptedRunError):
        run_study(request(census, output, cluster=address), stop)
    waited_until_gone(processes)

    def lose(kind: str, **details: object) -> None:
        if kind == "year_completed" and processes[0].poll() is None:
            processes[0].send_signal(signal.SIGKILL)
            processes[0].wait(LONGEST)

    with pytest.raises(EnvironmentFaultError, match=f"the scheduler at {address} is lost") as told:
        run_study(request(census, output, cluster=address, resume=True), lose)
    assert "--resume" in told.value.remedy
    with pytest.raises(EnvironmentFaultError, match=f"no Dask scheduler answers at {address}"):
        run_study(request(census, output, cluster=address, resume=True))
    completed = run_study(request(census, output, resume=True))
    assert_same(alone, completed.path)


def test_workers_that_cannot_do_it_are_refused_by_name_before_anything_runs(
    studies, census, tmp_path
):
    output = studies.new()
    other = tmp_path / "other" / "duckdb-9.9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: duckdb\nVersion: 9.9.9\n")
    path = os.pathsep.join(filter(None, [str(other.parent), os.environ.get("PYTHONPATH")]))
    with scheduler(tmp_path) as (address, _):
        asked = request(census, output, cluster=address)
        with pytest.raises(EnvironmentFaultError, match="has no workers"):
            run_study(asked)
        with (
            worker(tmp_path, address, PYTHONPATH=path),
            pytest.raises(EnvironmentFaultError, match=r"tcp://\S+ has duckdb 9\.9\.9"),
        ):
            run_study(asked)
    with pytest.raises(UsageError, match="the runner batch has no workers"):
        run_study(request(census, output, cluster=address, runner="batch"))
    assert not output.exists()
    assert not output.with_name(f"{output.name}.partial").exists()
