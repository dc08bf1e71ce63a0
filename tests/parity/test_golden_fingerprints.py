"""Results of stored studies never change, however they are computed.

A change that means to change them says why in its commit.
"""

from __future__ import annotations

import json
from itertools import cycle

import duckdb
import pytest
from golden import COLUMNS, GOLDEN, STUDIES, changes, marts_of, project

from planalign.config import load
from planalign.engine.year_cache import CACHE_BYTES, YearCache
from planalign.record.reading import read_record
from planalign.study import Request, run_study

# Each number of threads for one study or two, on each version of DuckDB for others.
THREADS = dict(zip(STUDIES, cycle((1, 2, 3, 8)), strict=False))
OTHER_THREADS = dict(zip(STUDIES, cycle((8, 3, 1, 2)), strict=False))
# Of studies with several trajectories, on the other version.
OTHER_WORKERS = {"seeds": 2, "scenarios": 3}


def test_every_stored_study_has_golden_fingerprints():
    assert GOLDEN.keys() == STUDIES.keys()
    assert {*THREADS.values()} == {*OTHER_THREADS.values()} == {1, 2, 3, 8}


def test_a_change_is_named_by_mart_and_column():
    stored = json.loads(COLUMNS.read_text(encoding="utf-8"))
    assert {name: marts.keys() for name, marts in stored.items()} == {
        name: marts.keys() for name, marts in GOLDEN.items()
    }
    before, after = {"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}
    said = [*changes("s", "m", before, after)]
    assert said == ["s: m.b changed", "s: m.c is gone", "s: m.d is new"]
    for found, words in (({}, "is gone"), (before, "has other rows, or its columns in another")):
        [line] = changes("s", "m", before, found)
        assert line.startswith(f"s: m {words}")
    assert [*changes("s", "m", {}, after)] == ["s: m is new"]


@pytest.mark.parametrize("name", STUDIES)
def test_with_a_cold_and_a_warm_cache(name, tmp_path):
    folder = project(name, tmp_path / "study")
    config = load(folder / "planalign.yaml", {"resources": {"threads": THREADS[name]}})
    cache = YearCache(tmp_path / "cache", CACHE_BYTES)
    cold = run_study(Request(config, tmp_path / "cold", cache=cache))
    assert marts_of(cold.path) == GOLDEN[name]
    assert not any(year.is_from_cache for year in cold.years)
    warm = run_study(Request(config, tmp_path / "warm", cache=cache))
    assert marts_of(warm.path) == GOLDEN[name]
    assert all(year.is_from_cache for year in warm.years)


@pytest.mark.parametrize("name", STUDIES)
def test_on_the_other_version_of_duckdb(name, tmp_path, parity, other_duckdb):
    folder, python_path = project(name, tmp_path), str(other_duckdb)
    threads = str(OTHER_THREADS[name])
    done = parity.run(
        "simulate", "--no-cache", "--output", "run", "--threads", threads,
        "--workers", str(OTHER_WORKERS.get(name, 1)),
        cwd=folder, PYTHONPATH=python_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    version = json.loads((folder / "run" / "provenance.json").read_text())["versions"]["duckdb"]
    assert version.split(".")[0] != duckdb.__version__.split(".")[0]
    assert marts_of(folder / "run") == GOLDEN[name]


@pytest.mark.parametrize("name", ["defaults", "seeds", "plan"])
def test_with_a_shuffled_census(name, tmp_path):
    folder = project(name, tmp_path)
    census, shuffled = folder / "census.parquet", folder / "shuffled.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from '{census}' order by md5(employee_id || 'x')) to '{shuffled}'"
        )
        first = [
            connection.execute(f"select employee_id from '{path}' limit 1").fetchone()
            for path in (census, shuffled)
        ]
    assert first[0] != first[1]
    config = load(folder / "planalign.yaml", {"census": str(shuffled)})
    assert marts_of(run_study(Request(config, folder / "run")).path) == GOLDEN[name]


# Trajectories at a time: one, or two of which the last block has one less.
@pytest.mark.parametrize(("name", "employees"), [("scenarios", 1), ("seeds", 450)])
def test_in_blocks(name, employees, tmp_path):
    folder = project(name, tmp_path)
    heard: list[int] = []

    def listen(kind: str, **details: object) -> None:
        if kind == "run_planned":
            heard.append(int(str(details["blocks"])))

    config = load(folder / "planalign.yaml", {"resources": {"employees_per_block": employees}})
    assert marts_of(run_study(Request(config, folder / "run"), listen).path) == GOLDEN[name]
    assert heard == [{"scenarios": 4, "seeds": 3}[name]]


@pytest.mark.parametrize(("name", "workers"), [("seeds", 3), ("plan", 2)])
def test_by_workers(name, workers, tmp_path):
    folder = project(name, tmp_path)
    config = load(folder / "planalign.yaml", {"resources": {"workers": workers}})
    run = run_study(Request(config, folder / "run"))
    assert marts_of(run.path) == GOLDEN[name]
    threads = {one.thread for one in read_record(run.path).models if one.year}
    assert {thread.split(" model")[0] for thread in threads} == {
        f"worker {number}" for number in range(1, workers + 1)
    }
