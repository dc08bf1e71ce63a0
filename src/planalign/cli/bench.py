"""`planalign bench`: how fast, measured in one run."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_json
from planalign.errors import ExitCode


class BenchName(StrEnum):
    """What can be measured."""

    STARTUP = "startup"
    SCALE = "scale"
    SEEDS = "seeds"
    THREADS = "threads"
    CACHE = "cache"
    YEARS = "years"
    FLOOR = "floor"
    MILLION = "million"
    LOAD = "load"
    RUNNERS = "runners"


def bench(
    names: Annotated[
        list[BenchName] | None, typer.Argument(metavar="[NAME]...", help="Default: all of them.")
    ] = None,
    sizes: Annotated[
        str, typer.Option("--sizes", metavar="N,N", help="Employees, for `runners`.")
    ] = "1000,100000",
    compare: Annotated[
        Path | None,
        typer.Option("--compare", metavar="OLD.json", help="Exit 3 where a figure is worse."),
    ] = None,
    json: Json = False,
) -> None:
    """Measure whole commands on generated companies; ratios are of one run.

    startup: a small study, warm and for the first time, and the help. scale: 1,000
    to 100,000 employees. seeds: a hundred seeds in one pass. threads: one against
    two. cache: a study again. years: whether year 30 costs more than year 2. floor:
    against a script written by hand (in a checkout of the project only). million:
    a million employees. load: the largest studies, within their memory. runners:
    seconds per simulated year of direct, batch and legacy, and how many times as
    fast as legacy; takes over ten minutes, nearly all of them legacy.

    With --compare, an earlier result of --json is set beside this one; a figure
    that is more than a quarter worse is a difference (exit code 3), and so is a
    model that has grown that much more than its year.

    Keys of --json: goals, a list with bench, name, unit, target, figure,
    at_least, is_met; workloads, every workload measured, a list with employees,
    seeds, years, runner, options, runs, and the medians wall_seconds,
    seconds_per_year, peak_megabytes (most) and model_seconds (by model, a year);
    runners, a list with employees, runner, seconds_per_year,
    times_as_fast_as_legacy, models_per_year, peak_megabytes; regressions, a list
    of texts, with --compare; machine (cores, memory_gigabytes, processor) and
    versions.
    """
    from planalign.bench.compare import (  # noqa: PLC0415 - help must be fast
        read_result,
        regressions,
    )
    from planalign.bench.goals import FLOOR_SCRIPT, SUITES  # noqa: PLC0415
    from planalign.bench.machine import describe_machine  # noqa: PLC0415
    from planalign.bench.measure import Bench  # noqa: PLC0415
    from planalign.bench.runners import bench_runners, runner_goals  # noqa: PLC0415
    from planalign.scratch import scratch  # noqa: PLC0415

    # Before minutes are spent on what it is compared with.
    earlier = None if compare is None else read_result(compare)
    wanted = names or [
        name for name in BenchName if name is not BenchName.FLOOR or FLOOR_SCRIPT.is_file()
    ]
    result: dict[str, Any] = {**describe_machine(), "goals": [], "workloads": [], "runners": []}
    with scratch("bench") as folder:
        suite = Bench(folder, console.say)
        for name in wanted:
            if name is BenchName.RUNNERS:
                figures = bench_runners(suite, _sizes(sizes))
                result["runners"] = [asdict(figure) for figure in figures]
                goals = runner_goals(figures)
            else:
                goals = SUITES[name.value](suite)
            result["goals"] += [{**asdict(goal), "is_met": goal.is_met} for goal in goals]
        result["workloads"] = suite.workloads()
    if earlier is not None:
        result["regressions"] = regressions(earlier, result)
    if json:
        emit_json(result)
    else:
        _print(result)
    if result.get("regressions"):
        raise typer.Exit(ExitCode.DIFFERENCE)


def _print(result: dict[str, Any]) -> None:
    from planalign.cli.tables import print_table  # noqa: PLC0415 - rich

    if result["runners"]:
        print_table(
            ["Employees", "Runner", "Seconds per year", "Times legacy", "Models", "Peak MB"],
            [
                [
                    f"{row['employees']:,}",
                    row["runner"],
                    f"{row['seconds_per_year']:.3f}",
                    f"{row['times_as_fast_as_legacy']:.1f}",
                    row["models_per_year"],
                    f"{row['peak_megabytes']:.0f}",
                ]
                for row in result["runners"]
            ],
            left=("Runner",),
        )
    if result["workloads"]:
        print_table(
            ["Workload", "Seconds per year", "Peak MB", "Longest models, seconds a year"],
            [
                [
                    f"{row['runner']}, {row['employees']:,} x {row['seeds']} x {row['years']} "
                    + " ".join(row["options"]),
                    f"{row['seconds_per_year']:.3f}",
                    f"{row['peak_megabytes']:.0f}",
                    _longest(row["model_seconds"]),
                ]
                for row in result["workloads"]
            ],
            left=("Workload", "Longest models, seconds a year"),
        )
    print_table(
        ["Goal", "Target", "Figure", "Met"],
        [
            [
                row["name"],
                f"{'at least' if row['at_least'] else 'at most'} "
                f"{row['target']:,.10g} {row['unit']}",
                f"{row['figure']:,.2f} {row['unit']}",
                "yes" if row["is_met"] else "NO",
            ]
            for row in result["goals"]
        ],
        left=("Goal",),
    )
    for text in result.get("regressions", ()):
        emit(f"Worse: {text}")


def _longest(model_seconds: dict[str, float]) -> str:
    longest = sorted(model_seconds.items(), key=lambda pair: -pair[1])[:3]
    return ", ".join(f"{name} {seconds:.3f}" for name, seconds in longest)


def _sizes(text: str) -> list[int]:
    from planalign.errors import UsageError  # noqa: PLC0415

    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise UsageError(f"{text!r} are no sizes", "Write numbers of employees, such as 1000,10000")
    return sizes
