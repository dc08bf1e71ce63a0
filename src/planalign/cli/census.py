"""`planalign census`: generate a synthetic census, check a real one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_json
from planalign.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from planalign.census.check import CheckReport

census = typer.Typer(
    name="census",
    help="Generate a synthetic census, or check one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@census.command()
def generate(
    employees: Annotated[int, typer.Option(min=1, metavar="N", help="How many employees.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="File ending in .parquet or .csv.")],
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Same seed, same census.")] = 42,
) -> None:
    """Write a realistic synthetic census; never over an existing file."""
    from planalign.census import generate_census  # noqa: PLC0415 - slow to import

    if output.exists():
        raise UsageError(f"{output} exists already", "Name another file or remove it.")
    generate_census(employees, seed=seed, output=output)
    console.say(f"Wrote {employees:,} employees to {output}")


@census.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Census, .parquet or .csv.")],
    config: Annotated[
        Path | None,
        typer.Option(metavar="F", help="planalign.yaml with census_columns and census_date."),
    ] = None,
    json: Json = False,
) -> None:
    """Print every problem of a census.

    Each with row, column, value and what to do; exits with 2 if there are any.

    Keys of --json: file; ok; problems, each with message, remedy, file, line,
    row, column and value; summary with rows, active, terminated,
    ignored_columns and warnings, or null if there are problems.
    """
    from planalign.census import check_census  # noqa: PLC0415 - slow to import
    from planalign.config import load, parse  # noqa: PLC0415

    # The configured census is not looked at.
    given = {"census": str(file.absolute())}
    settings = load(config, given) if config else parse({}, Path())
    report = check_census(
        file, columns=settings.census_columns, census_date=settings.effective_census_date
    )
    if json:
        emit_json(report.as_dict())
    else:
        _print(report)
    if not report.ok:
        raise typer.Exit(ExitCode.INPUT)


def _print(report: "CheckReport") -> None:
    # Problems are the result of the command, so they go to stdout.
    for problem in report.problems:
        emit(str(problem))
    if report.summary is None:
        return
    emit(
        f"{report.file}: {report.summary.rows:,} employees, {report.summary.active:,} active, "
        f"{report.summary.terminated:,} terminated; no problems"
    )
    if report.summary.ignored_columns:
        console.say(f"Not read: {', '.join(report.summary.ignored_columns)}")
    for warning in report.summary.warnings:
        console.warn(warning)
