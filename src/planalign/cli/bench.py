"""`planalign bench`: how fast, measured in one run."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit_json


class BenchName(StrEnum):
    """What can be measured."""

    RUNNERS = "runners"


def bench(
    names: Annotated[
        list[BenchName] | None, typer.Argument(metavar="[NAME]...", help="Default: all of them.")
    ] = None,
    sizes: Annotated[
        str, typer.Option("--sizes", metavar="N,N", help="Employees, for `runners`.")
    ] = "1000,10000",
    json: Json = False,
) -> None:
    """Measure whole commands on generated companies; ratios are of one run.

    runners: seconds per simulated year of direct, batch and legacy, and how many
    times as fast as legacy. Takes about ten minutes, nearly all of them legacy.

    Keys of --json: runners, a list with employees, runner, seconds_per_year,
    times_as_fast_as_legacy, models_per_year, peak_megabytes; machine (cores,
    memory_gigabytes, processor) and versions.
    """
    import tempfile  # noqa: PLC0415 - help must be fast
    from pathlib import Path  # noqa: PLC0415

    from planalign.bench.machine import describe_machine  # noqa: PLC0415
    from planalign.bench.measure import Bench  # noqa: PLC0415
    from planalign.bench.runners import bench_runners  # noqa: PLC0415
    from planalign.cli.tables import print_table  # noqa: PLC0415

    wanted = names or list(BenchName)
    result: dict[str, object] = describe_machine()
    with tempfile.TemporaryDirectory(prefix="planalign-bench-") as scratch:
        suite = Bench(Path(scratch), console.say)
        if BenchName.RUNNERS in wanted:
            figures = bench_runners(suite, _sizes(sizes))
            result["runners"] = [asdict(figure) for figure in figures]
            if not json:
                print_table(
                    ["Employees", "Runner", "Seconds per year", "Times legacy", "Peak MB"],
                    [
                        [
                            f"{f.employees:,}",
                            f.runner,
                            f"{f.seconds_per_year:.3f}",
                            f"{f.times_as_fast_as_legacy:.1f}",
                            f"{f.peak_megabytes:.0f}",
                        ]
                        for f in figures
                    ],
                    left=("Runner",),
                )
    if json:
        emit_json(result)


def _sizes(text: str) -> list[int]:
    from planalign.errors import UsageError  # noqa: PLC0415

    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise UsageError(f"{text!r} are no sizes", "Write numbers of employees, such as 1000,10000")
    return sizes
