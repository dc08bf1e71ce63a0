"""Write the censuses of an import, its journal and its recipe: all of them, or none."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from planalign import duck
from planalign.census.check import check_census
from planalign.census.columns import COLUMNS
from planalign.errors import EnvironmentFaultError, InputError, Problem, UsageError
from planalign.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from planalign.census.importing.file import File
    from planalign.census.importing.importer import Imported
    from planalign.census.importing.rows import Row

# Census column -> attribute of a row, where that is another.
_ATTRIBUTES = {
    "prior_year_compensation": "pay_of_year",
    "ownership_percent": "ownership",
    "active": "is_active",
}


def outputs_of(imported: Imported, output: Path) -> list[Path]:
    """Return where each census goes: the day is put into the name where there are several."""
    if len(imported.files) == 1:
        return [output]
    days = [file.as_of for file in imported.files]
    years = {day.year for day in days}
    names = [str(day.year) if len(years) == len(days) else day.isoformat() for day in days]
    return [output.with_name(f"{output.stem}_{name}{output.suffix}") for name in names]


def publish(imported: Imported, output: Path, recipe: Path) -> list[Path]:
    """Write what an import has made, and return the files of the censuses.

    Each census is read by the strict reader first, as a simulation does.

    Raises:
        InputError: a census does not hold; says what of which row of the client's file.
        UsageError: a file is there already.
        EnvironmentFaultError: it cannot be written.
    """
    targets = outputs_of(imported, output)
    journal = output.with_suffix(".journal.json")
    for path in (*targets, journal):
        if path.exists():
            raise UsageError(f"{path} exists already", "Name another --output, or remove it.")
    try:
        with scratch("import", beside=output) as folder:
            made = []
            for number, file in enumerate(imported.files):
                parquet = folder / f"{number}.parquet"
                _write(file.rows, parquet, folder / f"{number}.csv")
                _check(file, parquet)
                made.append(parquet)
            texts = {journal: imported.journal(), recipe: imported.recipe}
            for number, text in enumerate(texts.values()):
                written = folder / f"{number}.text"
                written.write_text(text, encoding="utf-8")
                made.append(written)
            for written, path in zip(made, (*targets, *texts), strict=True):
                written.replace(path)
    except OSError as error:
        raise EnvironmentFaultError(
            f"{error.filename or output} cannot be written: {error.strerror}",
            "Name another --output.",
        ) from error
    return targets


def _write(rows: Sequence[Row], parquet: Path, text: Path) -> None:
    with text.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        for row in rows:
            end = None if row.is_active else row.termination_date
            values = {"termination_date": end}
            writer.writerow(
                values.get(c.name, getattr(row, _ATTRIBUTES.get(c.name, c.name), None))
                for c in COLUMNS
            )
    has = [
        any(getattr(row, _ATTRIBUTES.get(c.name, c.name), None) is not None for row in rows)
        for c in COLUMNS
    ]
    types = ", ".join(f"'{c.name}': '{c.sql_type}'" for c in COLUMNS)
    chosen = ", ".join(
        f'"{c.name}"' for c, there in zip(COLUMNS, has, strict=True) if there or c.required
    )
    with duck.connect() as connection:
        connection.execute(
            # Names and types are ours.
            f"copy (select {chosen} from read_csv($source, auto_detect = false, header = false, "  # noqa: S608
            f"delim = ',', quote = '\"', escape = '\"', nullstr = '', "
            f"columns = {{{types}}})) to {duck.literal(parquet)} (format parquet)",
            {"source": str(text)},
        )


def _check(file: File, parquet: Path) -> None:
    report = check_census(parquet, columns={}, census_date=file.as_of)
    if report.ok:
        return
    problems = []
    for kind in report.kinds:
        rows = [example.row for example in kind.examples if example.row]
        lines = ", ".join(str(file.rows[row - 1].line) for row in rows)
        place = (
            f"{kind.message} ({kind.count} rows, such as row {lines} of the file)"
            if lines
            else kind.message
        )
        problems.append(Problem(place, kind.remedy, file=file.name, column=kind.column))
    raise InputError(f"{file.name} would be no census that a simulation takes", problems)
