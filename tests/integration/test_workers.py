"""A study that workers simulate: the same bits, a record of all, and no loss but what was open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.record.reading import read_record
from planalign.results import open_run
from planalign.results.verify import verify
from planalign.study import Request, configuration, run_study

if TYPE_CHECKING:
    from pathlib import Path

    from planalign.config import Config

SCENARIOS = {"baseline": {}, "generous": {"plan": {"core": {"rate": 0.04}}}}
LONGEST = 120


def config(census: Path, **resources: object) -> Config:
    return configuration(
        {
            "census": str(census),
            "simulation": {"start_year": 2025, "end_year": 2026, "replicates": 2},
            "resources": resources,
            "scenarios": SCENARIOS,
        }
    )


@pytest.fixture(scope="module")
def census(shared_studies) -> Path:
    return shared_studies.generated(120)


@pytest.fixture(scope="module")
def alone(shared_studies, census) -> Path:
    output = shared_studies.new()
    return run_study(Request(config(census, workers=1), output=output)).path


def assert_same(a: Path, b: Path) -> None:
    with open_run(a) as left, open_run(b) as right:
        comparison = verify(left, right)
        assert comparison.identical, comparison.as_dict()
    assert {path.name for path in a.iterdir()} == {path.name for path in b.iterdir()}


def workers_of(process: int) -> list[psutil.Process]:
    return [
        one
        for one in psutil.Process(process).children(recursive=True)
        if one.status() != psutil.STATUS_ZOMBIE
        and "planalign.study.blocks.worker" in " ".join(one.cmdline())
    ]


def test_workers_give_the_same_bits_and_one_that_is_killed_is_replaced(studies, census, alone):
    killed: list[int] = []

    def kill_one(kind: str, **details: object) -> None:
        if kind == "year_completed" and not killed:
            worker = workers_of(os.getpid())[0]
            killed.append(worker.pid)
            worker.kill()

    # Four blocks of one trajectory for two workers.
    asked = config(census, workers=2, threads=2, employees_per_block=1)
    completed = run_study(Request(asked, output=studies.new()), kill_one)
    assert_same(alone, completed.path)
    assert len(completed.years) == 8
    assert not workers_of(os.getpid())

    record = read_record(completed.path)
    assert record.outcome == "completed"
    whole = [year for year in record.years if year.end is not None]
    assert record.planned_years == len(whole) >= 8
    # Every piece of work stands in its own block, on the lane of its worker.
    assert {run.thread.partition(" model")[0] for run in record.models if run.block} == {
        "worker 1", "worker 2", "worker 3"
    }  # fmt: skip
    blocks = {(run.block, run.thread.split(" ")[1]) for run in record.models if run.block}
    assert len(blocks) == len({block for block, _ in blocks})
    named = [(run.block, run.year, run.name) for run in record.models if run.block]
    assert len(named) == len(set(named))
    events = map(json.loads, (completed.path / "events.jsonl").open())
    merged = [event for event in events if event["kind"] == "block_merged"]
    assert [event["trajectories"] for event in merged] == [1, 1, 1, 1]
    assert all(event["bytes"] > 0 and event["worker_cpu_seconds"] > 0 for event in merged)
    lost = [note for note in record.notes if "is done again" in str(note.details)]
    assert len(lost) == 1


def test_years_from_the_cache_are_taken_by_the_run_itself(studies, census, alone, tmp_path):
    cache = YearCache(tmp_path, CACHE_BYTES)
    small = config(census, workers=2, employees_per_block=1)
    run_study(Request(small, output=studies.new(), scenario="baseline", cache=cache))
    completed = run_study(Request(small, output=studies.new(), cache=cache))
    assert_same(alone, completed.path)
    assert sum(year.is_from_cache for year in completed.years) == 4
    record = read_record(completed.path)
    assert {year.is_from_cache for year in record.years if year.block <= 2} == {True}
    assert {year.is_from_cache for year in record.years if year.block > 2} == {False}


def start(folder: Path, census: Path, output: Path, *options: str) -> subprocess.Popen[str]:
    settings = {
        "simulation": {"start_year": 2025, "end_year": 2026, "replicates": 2},
        "resources": {"workers": 2, "employees_per_block": 1},
        "scenarios": SCENARIOS,
    }
    (folder / "planalign.yaml").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "planalign", "simulate", "--no-cache", "--census", str(census)]
    # Where the tests run as a background job they ignore Ctrl-C, and their children would.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*command, "--output", str(output), *options],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_no_worker_and_goes_on(studies, census, alone, tmp_path, how):
    output = studies.new()
    with start(tmp_path, census, output) as process:
        for line in process.stderr:
            if ": complete" in line:
                break
        left = workers_of(process.pid)
        assert len(left) == 2
        if how is signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.send_signal(how)
        process.stderr.read()
        assert process.wait(LONGEST) == (130 if how is signal.SIGINT else -how)
    _, alive = psutil.wait_procs(left, timeout=LONGEST)
    assert not alive
    assert not output.exists()
    with start(tmp_path, census, output, "--resume") as process:
        said = process.stderr.read()
        assert process.wait(LONGEST) == 0, said
    assert_same(alone, output)
