"""`planalign simulate`: the main job."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from planalign.cli import console
from planalign.cli.configuration import (
    CacheDir,
    Census,
    ConfigFile,
    NoCache,
    Years,
    configuration,
    year_cache,
)
from planalign.cli.options import Json, Replicate, Scenario
from planalign.cli.output import emit, emit_json
from planalign.cli.streams import UnwrittenError


class Profile(StrEnum):
    """What a run records beyond timings."""

    PLANS = "plans"


class RunnerName(StrEnum):
    """How models are executed."""

    DIRECT = "direct"
    BATCH = "batch"
    LEGACY = "legacy"


def simulate(
    years: Years = None,
    config: ConfigFile = None,
    census: Census = None,
    dbt_project: Annotated[
        Path | None, typer.Option("--dbt-project", metavar="DIR", help="Your copy of the models.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Default: runs/<run id>.")
    ] = None,
    runner: Annotated[
        RunnerName,
        typer.Option(
            "--runner",
            help="direct: compiled SQL on DuckDB. batch: dbt, groups of models a command. "
            "legacy: one dbt process per model. The results have the same bits.",
        ),
    ] = RunnerName.DIRECT,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="K", min=1, help="Replicates, of seed, seed + 1, .."),
    ] = None,
    scenario: Scenario = None,
    replicate: Replicate = None,
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", min=1, help="Default: every core.")
    ] = None,
    memory_limit: Annotated[
        str | None, typer.Option("--memory-limit", metavar="SIZE", help="Such as 4GB.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            help="Processes that do blocks of scenarios and seeds side by side.",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Of a Dask scheduler, whose workers do the blocks, such as tcp://10.0.0.5:8786.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on after the last whole year of an unfinished run."),
    ] = False,
    profile: Annotated[
        Profile | None,
        typer.Option(
            "--profile",
            help="plans: also record how DuckDB executed each model. With the runner direct.",
        ),
    ] = None,
    no_cache: NoCache = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Simulate every scenario and replicate, and publish the run as a folder.

    Keys of --json: run (path); seconds (whole study); years, one per simulated
    year with year, seconds, from_cache, and seconds_by_step and seconds_by_model,
    all over its blocks; rows, as in `planalign show --json`; warnings (text).
    """
    from planalign.cli.progress import following  # noqa: PLC0415 - duckdb and rich are slow
    from planalign.study import Request, run_study  # noqa: PLC0415

    request = Request(
        config=configuration(
            config,
            years=years,
            census=census,
            dbt_project=dbt_project,
            seeds=seeds,
            memory_limit=memory_limit,
            threads=threads,
            workers=workers,
        ),
        output=output,
        runner=runner.value,
        scenario=scenario,
        replicate=replicate,
        resume=resume,
        with_query_plans=profile is Profile.PLANS,
        cluster=cluster,
        cache=year_cache(cache_dir, is_used=not no_cache),
    )
    with following() as listener:
        completed = run_study(request, listener)
    try:
        _print(completed, as_json=json)
        sys.stdout.flush()
    except UnwrittenError:
        console.say(f"The run is complete: {completed.path}")
        raise


def _print(completed: Any, *, as_json: bool) -> None:
    from dataclasses import asdict  # noqa: PLC0415 - keeps the imports of a result together

    from planalign.results import open_run  # noqa: PLC0415 - duckdb
    from planalign.results.summary import warnings  # noqa: PLC0415

    with open_run(completed.path) as run:
        rows = run.summary()
    if as_json:
        emit_json(
            {
                "run": str(completed.path),
                "seconds": completed.seconds,
                "years": _by_year(completed.years),
                "rows": [{**asdict(row), "terminations": row.terminations} for row in rows],
                "warnings": warnings(rows),
            }
        )
        return
    from planalign.cli.tables import print_summary  # noqa: PLC0415 - rich

    print_summary(rows, completed.seconds_by_year)
    emit(f"Run: {completed.path}")


def _by_year(results: Any) -> list[dict[str, Any]]:
    """Return one object per simulated year, the seconds of its blocks added up."""
    years: dict[int, dict[str, Any]] = {}
    for result in results:
        year = years.setdefault(
            result.year,
            {
                "year": result.year,
                "seconds": 0.0,
                "from_cache": True,
                "seconds_by_step": {},
                "seconds_by_model": {},
            },
        )
        year["seconds"] += result.seconds
        year["from_cache"] &= result.is_from_cache
        for name in ("seconds_by_step", "seconds_by_model"):
            for part, seconds in getattr(result, name).items():
                year[name][part] = year[name].get(part, 0.0) + seconds
    return list(years.values())
