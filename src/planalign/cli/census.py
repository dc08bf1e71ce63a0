"""`planalign census`: generate a synthetic census, check a real one."""

from pathlib import Path
from typing import Annotated

import typer

from planalign.cli import console
from planalign.cli.options import Json
from planalign.cli.output import emit, emit_json
from planalign.errors import ExitCode, InputError, UsageError

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

    Keys of --json: file; ok; summary (rows, active, terminated,
    ignored_columns, warnings; null if there are problems); problems, each with
    message, remedy, file, line, row, column and value.
    """
    from planalign.census import check_census  # noqa: PLC0415 - slow to import
    from planalign.config import load, parse  # noqa: PLC0415

    settings = load(config) if config else parse({}, Path())
    try:
        summary = check_census(
            file, columns=settings.census_columns, census_date=settings.effective_census_date
        )
    except InputError as error:
        # The problems are the result of this command, so they go to stdout.
        if json:
            problems = [problem.as_dict() for problem in error.problems]
            emit_json({"file": str(file), "ok": False, "summary": None, "problems": problems})
        else:
            emit(str(error))
        raise typer.Exit(ExitCode.INPUT) from error
    if json:
        emit_json({"file": str(file), "ok": True, "summary": summary.as_dict(), "problems": []})
        return
    emit(
        f"{file}: {summary.rows:,} employees, {summary.active:,} active, "
        f"{summary.terminated:,} terminated; no problems"
    )
    if summary.ignored_columns:
        console.say(f"Not read: {', '.join(summary.ignored_columns)}")
    for warning in summary.warnings:
        console.warn(warning)
