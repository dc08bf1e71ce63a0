"""`planalign census`: import files, generate a synthetic census, check a real one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.census_import import import_files
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_item, emit_json
from planalign.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from datetime import date

    from planalign.census.check import CheckReport
    from planalign.census.profile import CensusProfile
    from planalign.census.read import CensusSummary

census = typer.Typer(
    name="census",
    help="Import a client's files, generate a synthetic census, or check one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
census.command(name="import")(import_files)


@census.command()
def generate(
    employees: Annotated[int, typer.Option(min=1, metavar="N", help="How many employees.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="File ending in .parquet or .csv.")],
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Same seed, same census.")] = 42,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="F", help="planalign.yaml with job levels of its own."),
    ] = None,
) -> None:
    """Write a realistic synthetic census; never over an existing file.

    People are paid within the pay bands of the job levels of --config, by default of
    the five that come with planalign.
    """
    from planalign.census import generate_census  # noqa: PLC0415 - slow to import
    from planalign.config import job_levels, load  # noqa: PLC0415

    if output.exists():
        raise UsageError(f"{output} exists already", "Name another file or remove it.")
    levels = job_levels(load(config)) if config else None
    generate_census(employees, seed=seed, output=output, levels=levels)
    console.say(f"Wrote {employees:,} employees to {output}")


@census.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Census, .parquet or .csv.")],
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="F", help="planalign.yaml of the study."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List the problems one by one, not only by kind.")
    ] = False,
    json: Json = False,
) -> None:
    """Print what is wrong with a census by kind, what is unusual, and a profile of it.

    A kind is a column and a reason, with count, three examples and what to do.
    Exits with 2 if there is any problem; warnings do not stop a run.

    Keys of --json: file; ok; problem_count; kinds, each with message, remedy,
    column, count and examples; problems, each with message, remedy, file, line,
    row, column and value; warnings, as kinds and with code; summary and profile,
    null if there are problems.
    """
    from planalign.census import check_census  # noqa: PLC0415 - slow to import
    from planalign.census.plan_facts import plan_facts  # noqa: PLC0415
    from planalign.config import job_levels, load, parse  # noqa: PLC0415

    # The configured census is not looked at.
    given = {"census": str(file.absolute())}
    settings = load(config, given) if config else parse({}, Path())
    levels = job_levels(settings)
    report = check_census(
        file,
        columns=settings.census_columns,
        census_date=settings.effective_census_date,
        levels=len(levels),
        extra_columns=settings.extra_columns,
        plans=plan_facts(settings),
    )
    if json:
        emit_json(report.as_dict())
    elif report.summary is None or report.profile is None:
        _print_problems(report, one_by_one=everything)
    else:
        names = [level.name for level in levels]
        date = settings.effective_census_date
        _print_profile(report, report.summary, report.profile, date, names)
    if not report.ok:
        raise typer.Exit(ExitCode.INPUT)


def _print_problems(report: "CheckReport", *, one_by_one: bool) -> None:
    # Problems are the result of the command, so they go to stdout.
    from planalign.census.findings import count_of  # noqa: PLC0415 - slow to import

    emit(f"{report.file}: {count_of(report.total, report.kinds)}")
    for problem in report.problems if one_by_one else report.kinds:
        emit_item(str(problem))
    _print_warnings(report)
    if not one_by_one and report.total > len(report.kinds):
        console.say("Every one of them: --all, or --json.")


def _print_profile(
    report: "CheckReport",
    summary: "CensusSummary",
    profile: "CensusProfile",
    census_date: "date",
    levels: list[str],
) -> None:
    from planalign.cli.census_tables import print_profile  # noqa: PLC0415 - rich

    emit(
        f"{report.file}: {summary.rows:,} employees, {summary.active:,} active, "
        f"{summary.terminated:,} terminated; no problems"
    )
    _print_warnings(report)
    print_profile(profile, summary.active, census_date, levels)
    if summary.ignored_columns:
        console.say(f"Not read: {', '.join(summary.ignored_columns)}")


def _print_warnings(report: "CheckReport") -> None:
    for warning in report.warnings:
        emit_item(f"Warning: {warning}")
