"""`planalign init`: a project to start from."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.census_import import print_import, settled
from planalign.errors import EnvironmentFaultError, ExitCode, UsageError
from planalign.files import make_folder, protect, require_path

if TYPE_CHECKING:
    from planalign.census.importing import Imported

_EMPLOYEES = 1000
_SEED = 42
_YEARS = 5


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to; made if absent.")
    ] = Path(),
    census: Annotated[
        Path | None,
        typer.Option("--census", metavar="FILE", help="A client's file to begin from."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="The day that it describes.")
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="KEY=VALUE", help="Answers a question about it."),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Also the reference tables, to be changed.")
    ] = False,
) -> None:
    """Start a project: planalign.yaml and a sample census, or that of a client's file.

    The configuration explains every key; census.parquet has 1,000 employees. With
    --census it is imported from a workbook or text, as by `census import`, and the
    study begins in the year after it; its journal and recipe are beside it. With
    --tables it names a CSV in the folder tables for every reference table. Nothing is
    written if one of them is there already.
    """
    from planalign.census import generate_census  # noqa: PLC0415 - slow to import
    from planalign.census.importing import publish  # noqa: PLC0415
    from planalign.config import documented_yaml  # noqa: PLC0415
    from planalign.config.levels import packaged_tables  # noqa: PLC0415
    from planalign.scratch import scratch  # noqa: PLC0415

    names = ["planalign.yaml", "census.parquet"]
    if census is not None:
        names += ["census.journal.json", "import.yaml"]
    seeds = packaged_tables() if tables else []
    targets = [directory / name for name in (*names, *(["tables"] if tables else []))]
    require_path(directory, without="\\")
    there = [str(path) for path in targets if path.exists()]
    if there:
        raise UsageError(f"{' and '.join(there)} exists already", "Name another folder.")
    imported = None if census is None else _imported(census, as_of, answer or [])
    try:
        make_folder(directory)
        # All are made aside and moved last, so that a failure leaves nothing behind.
        with scratch("init", beside=targets[0]) as aside:
            made = [aside / path.name for path in targets]
            values: dict[str, object] = {}
            if imported is None:
                generate_census(_EMPLOYEES, seed=_SEED, output=made[1])
            else:
                publish(imported, made[1], made[3])
                values = _years(imported.files[0].as_of)
            text = documented_yaml([seed.stem for seed in seeds], values)
            made[0].write_text(text, encoding="utf-8")
            if tables:
                make_folder(made[-1])
            for seed in seeds:
                (made[-1] / seed.name).write_bytes(seed.read_bytes())
            protect(aside)
            for source, target in zip(made, targets, strict=True):
                source.rename(target)
    except OSError as error:
        raise EnvironmentFaultError(
            f"Cannot write to {directory}: {error.strerror or error}",
            "Name a folder you may write.",
        ) from error
    for target in targets:
        console.say(f"Wrote {target}")
    here = "" if directory == Path() else f"cd {directory} && "
    console.say(f"Next: {here}planalign simulate")


def _imported(census: Path, as_of: str | None, answers: list[str]) -> "Imported":
    """Import a file; end with its open questions where there are any."""
    imported = settled([census], as_of=as_of, answers=answers)
    if imported.questions:
        print_import(imported)
        raise typer.Exit(ExitCode.INPUT)
    return imported


def _years(day: date) -> dict[str, object]:
    """Return the keys of a study that begins on the day after a census, for five years."""
    first = (day + timedelta(days=1)).year
    return {
        "census_date": day.isoformat(),
        "start_year": first,
        "end_year": first + _YEARS - 1,
        "hired_since": f"{first}-01-01",
    }
