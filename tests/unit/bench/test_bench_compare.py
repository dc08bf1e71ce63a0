"""Goals and regressions of the benchmark suite; nothing is timed here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from planalign.bench.compare import read_result, regressions
from planalign.bench.goals import SUITES, Goal
from planalign.bench.measure import Measurement, Workload
from planalign.bench.runners import bench_runners, runner_goals
from planalign.cli.app import app
from planalign.cli.bench import BenchName
from planalign.errors import InputError, UsageError


class FakeBench:
    """Answers every workload with made-up seconds, and remembers them."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[Workload] = []

    def measure(self, workload: Workload) -> Measurement:
        self.asked.append(workload)
        year = self.seconds.get(workload.runner, 1.0)
        return Measurement(year * workload.years + 1, (year,) * workload.years, 500.0, {"a": year})

    def census(self, employees: int) -> Path:
        return Path(f"census_{employees}.parquet")

    def measure_twice(self, workload: Workload) -> tuple[Measurement, Measurement]:
        first = self.measure(workload)
        return first, Measurement(1.0, first.year_seconds, 100.0, {"a": 1.0})


def goal(figure: float, *, at_least: bool = False, name: str = "g") -> Goal:
    return Goal("scale", name, "s", 1.0, figure, at_least)


def test_a_goal_is_met_on_its_own_side():
    assert goal(0.9).is_met
    assert not goal(1.1).is_met
    assert goal(1.1, at_least=True).is_met
    assert not goal(0.9, at_least=True).is_met


def test_ratios_are_against_legacy_and_every_size_has_its_goal():
    bench = FakeBench(direct=0.5, batch=10.0, legacy=150.0)
    figures = bench_runners(bench, [1_000, 5_000])
    assert {(f.employees, f.runner): f.times_as_fast_as_legacy for f in figures} == {
        (size, runner): times
        for size in (1_000, 5_000)
        for runner, times in (("direct", 300.0), ("batch", 15.0), ("legacy", 1.0))
    }
    assert [(g.target, g.is_met) for g in runner_goals(figures)] == [(300.0, True), (10.0, True)]
    runners = [workload.runner for workload in bench.asked]
    slow = runners.index("legacy")  # the quick ones stand on both sides of it
    assert set(runners[:slow]) == set(runners[slow + 1 : 7]) == {"direct", "batch"}


@pytest.mark.parametrize("name", [name for name in SUITES if name not in {"startup", "floor"}])
def test_every_suite_measures_what_it_names(name):
    bench = FakeBench()
    goals = SUITES[name](bench)
    assert goals
    assert all(found.bench == name and found.figure > 0 for found in goals)
    assert bench.asked


def test_every_suite_can_be_asked_for():
    assert {*SUITES, "runners"} == {name.value for name in BenchName}


def test_a_figure_that_is_worse_by_more_than_noise_is_named(tmp_path):
    old = tmp_path / "old.json"
    before = [
        {"name": "time", "figure": 1.0, "at_least": False},
        {"name": "rate", "figure": 100.0, "at_least": True},
        {"name": "gone", "figure": 1.0, "at_least": False},
    ]
    old.write_text(json.dumps({"goals": before, "workloads": []}))

    def now(time: float, rate: float) -> dict[str, object]:
        return {
            "goals": [
                {"name": "time", "figure": time, "at_least": False},
                {"name": "rate", "figure": rate, "at_least": True},
                {"name": "new", "figure": 9.0, "at_least": False},
            ],
            "workloads": [],
        }

    assert regressions(read_result(old), now(1.2, 90.0)) == []
    assert regressions(read_result(old), now(0.1, 900.0)) == []
    assert [text.split(":")[0] for text in regressions(read_result(old), now(1.3, 70.0))] == [
        "time",
        "rate",
    ]


def workload(year: float, **models: float) -> dict[str, object]:
    return {
        "employees": 1000,
        "seeds": 1,
        "years": 5,
        "runner": "direct",
        "options": [],
        "seconds_per_year": year,
        "model_seconds": models,
    }


def test_a_model_that_grew_more_than_its_year_is_named(tmp_path):
    old = tmp_path / "old.json"
    before = workload(1.0, big=0.5, small=0.1, tiny=0.002)
    old.write_text(json.dumps({"goals": [], "workloads": [before]}))

    def found(now: dict[str, object]) -> list[str]:
        return regressions(read_result(old), {"goals": [], "workloads": [now]})

    assert found(workload(1.0, big=0.6, small=0.12, tiny=0.015, new=9.0)) == []
    # A machine of half the speed makes every model slower, and no model a regression.
    assert found(workload(2.0, big=1.0, small=0.2, tiny=0.004)) == []
    [text] = found(workload(1.2, big=0.5, small=0.3, tiny=0.002))
    assert "small took 0.100 s a year before, 0.300 s now" in text
    # Another workload is not compared.
    assert found({**workload(1.0, small=9.0), "employees": 2000}) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", '{"goals": [{}]}', '{"goals": [], "workloads": {}}', "\ud800", "[" * 9_999,
        '{"goals": [{"name": "g", "figure": NaN}], "workloads": []}',
        '{"goals": [{"name": [], "figure": 1}], "workloads": []}',
        json.dumps({"goals": [], "workloads": [workload(0.0)]}),
        json.dumps({"goals": [], "workloads": [workload(1.0, a=[])]}),
        json.dumps({"goals": [], "workloads": [{**workload(1.0), "options": 7}]}),
    ],
)  # fmt: skip
def test_a_file_that_is_no_result_is_refused(tmp_path, text):
    path = tmp_path / "old.json"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InputError, match="cannot be read"):
        read_result(path)


def test_a_pipe_is_refused_before_anything_is_measured(tmp_path):
    os.mkfifo(tmp_path / "old.json")
    done = CliRunner().invoke(app, ["bench", "--compare", str(tmp_path / "old.json")])
    assert done.exit_code == 2
    assert "not a regular file" in done.stderr


def test_the_floor_is_measured_in_a_checkout_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="checkout"):
        SUITES["floor"](FakeBench())
