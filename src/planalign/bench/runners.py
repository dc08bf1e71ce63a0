"""The three runners at two sizes: seconds per simulated year, as ratios to `legacy`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.bench.goals import Goal
from planalign.bench.measure import Workload, median_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.bench.measure import Bench, Measurement

# Years per process. The quick runners repeat, between the processes of the slow one.
_YEARS = {"direct": 5, "batch": 3, "legacy": 2}
_REPEATS = 3


@dataclass(frozen=True)
class RunnerFigure:
    """Median seconds per simulated year of a runner at a size, against `legacy`."""

    employees: int
    runner: str
    seconds_per_year: float
    times_as_fast_as_legacy: float
    models_per_year: int
    peak_megabytes: float


def bench_runners(bench: Bench, sizes: Sequence[int]) -> list[RunnerFigure]:
    """Time every runner at every size, the quick ones before and after the slow one.

    `legacy` is kept fair: dbt's partial parsing is on and its variables are
    constant; setup, where everything is parsed, is counted for none.
    """
    figures: list[RunnerFigure] = []
    for employees in sizes:
        found: dict[str, list[Measurement]] = {"direct": [], "batch": [], "legacy": []}
        order = ["direct", "batch"] * (_REPEATS - 1) + ["legacy", "batch", "direct"]
        for runner in order:
            found[runner].append(bench.measure(Workload(employees, _YEARS[runner], runner=runner)))
        baseline = median_of(found["legacy"])
        figures.extend(
            RunnerFigure(
                employees=employees,
                runner=runner,
                seconds_per_year=median_of(measurements),
                times_as_fast_as_legacy=baseline / median_of(measurements),
                models_per_year=len(measurements[0].model_seconds),
                peak_megabytes=max(m.peak_megabytes for m in measurements),
            )
            for runner, measurements in found.items()
        )
    return figures


# employees, runner -> how many times as fast as `legacy` it has to be.
_TARGETS = {
    (1_000, "direct"): 300.0,
    (100_000, "direct"): 100.0,
    (1_000, "batch"): 10.0,
}


def runner_goals(figures: Sequence[RunnerFigure]) -> list[Goal]:
    """Return the promises about runners, of the sizes that were measured."""
    return [
        Goal(
            "runners",
            f"{figure.runner} against legacy per year, {figure.employees:,} employees",
            "x",
            _TARGETS[figure.employees, figure.runner],
            figure.times_as_fast_as_legacy,
            at_least=True,
        )
        for figure in figures
        if (figure.employees, figure.runner) in _TARGETS
    ]
