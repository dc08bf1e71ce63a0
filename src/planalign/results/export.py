"""Write the results of a run as CSV, Parquet or an Excel workbook."""

from __future__ import annotations

import math
import os
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import quote as percent_encoded

from planalign.config.document import parse_document
from planalign.duck import literal
from planalign.errors import UsageError
from planalign.files import make_folder, protect, require_path
from planalign.results import database
from planalign.results.columns import listed, quote
from planalign.results.compare import side_by_side
from planalign.scratch import scratch

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator, Sequence

    import duckdb

    from planalign.results.columns import Column
    from planalign.results.run import Run

Format = Literal["xlsx", "csv", "parquet"]

EXCEL_ROWS = 1_048_576
_EXCEL_TEXT = 32_767
# The largest whole number that Excel's cells hold exactly.
_EXCEL_INTEGER = 2**53
_COMPARED = (
    "scenario_id", "simulation_year", "figure", "mean", "difference", "difference_p10",
    "difference_p90", "difference_percent",
)  # fmt: skip
# Marts by these are split by the first two: they are the ones that grow.
_BY_EMPLOYEE = ("scenario_id", "simulation_year", "employee_id")
# What every reader of Parquet takes alike, for types that they do not: bytes for some, a
# floating point number for all, or nothing at all.
_PORTABLE = {
    "JSON": "varchar",
    "UUID": "varchar",
    "INTERVAL": "varchar",
    "HUGEINT": "decimal(38, 0)",
    "UHUGEINT": "decimal(38, 0)",
}
# Behind these a cell begins for a program that separates by `;` or tab. Quotes do not
# help: they count at the beginning of a cell alone.
_BREAKS = r"[;\t\r\n]"
_PART = r"[^;\t\r\n]*[;\t\r\n]?"
# OWASP, CSV Injection: what makes a spreadsheet take text for a formula, the signs also in
# their full-width and small forms, behind quotes, and behind what is not seen. Behind an
# apostrophe nothing does; one that is in the text already is told from it by another.
_FORMULA = (
    r"(?:'|[\x22\p{C}\p{Z}]*[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}"
    r"\x{FE66}\x{FE62}\x{FE63}\x{FE6B}])"
)
# A workbook does not say when it was written: it is the same for the same results.
_WRITTEN = datetime(1980, 1, 1)


def export(run: Run, fmt: Format, output: str | Path) -> None:
    """Write a run to `output`, which appears only when it is complete.

    Args:
        run: an open run.
        fmt: `csv` and `parquet` write a folder with every mart, `xlsx` one
            workbook with the inputs, the marts that declare a sheet, and the provenance.
        output: the folder or file to write; must not exist.

    Raises:
        UsageError: the target exists, DuckDB would write it elsewhere, the format is
            unknown, a sheet would be longer than Excel allows, or xlsxwriter is not
            installed.
        EnvironmentFaultError: the target cannot be written, for instance because
            the disk is full.

    """
    writers = {"csv": _write_csv, "parquet": _write_parquet, "xlsx": _write_xlsx}
    if fmt not in writers:
        raise UsageError(f"Unknown format {fmt!r}", f"Use one of {', '.join(get_args(Format))}.")
    target = Path(output)
    require_path(target, without="\\")
    if target.exists():
        raise UsageError(f"{target} exists already", "Name another target or remove it.")
    for mart in run.marts:
        if Path(mart).name != mart:
            raise UsageError(
                f"{run.path} has a mart whose name no file can have: {mart!r}",
                "Rename its model and simulate the run again.",
            )
    with (
        database.faults(f"Cannot write {target}"),
        _published(target) as partial,
        run.writing(partial) as writing,
    ):
        writers[fmt](writing, partial)


@contextmanager
def _published(target: Path) -> Iterator[Path]:
    """Yield a path that becomes the target at the end; of a failure nothing is left."""
    make_folder(target.parent)
    with scratch("export", beside=target) as folder:
        partial = folder / target.name
        yield partial
        protect(partial)
        partial.rename(target)


def _write_csv(run: Run, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for mart in run.marts:
        columns = run.columns(mart)
        names = ", ".join(_harmless(literal(column.name)) for column in columns)
        [header] = run.sql(f"select {names}").fetchall()
        cells = (_csv_cell(column) for column in columns)
        run.ordered(mart).project(
            ", ".join(f"{cell} as {quote(name)}" for cell, name in zip(cells, header, strict=True))
        ).write_csv(str(folder / f"{mart}.csv"), header=True)


def _csv_cell(column: Column) -> str:
    value = column.identifier
    return _harmless(f"{value}::varchar") if column.is_text else value


def _harmless(text: str) -> str:
    """Return SQL that puts an apostrophe wherever a formula may begin in a text."""
    anywhere = literal(f"(?:^|{_BREAKS}){_FORMULA}")
    marked = f"if(regexp_matches(part, {literal(f'^{_FORMULA}')}), '''' || part, part)"
    parts = f"list_transform(regexp_extract_all({text}, {literal(_PART)}), lambda part: {marked})"
    return (
        f"case when regexp_matches({text}, {anywhere}) "
        f"then array_to_string({parts}, '') else {text} end"
    )


def _write_parquet(run: Run, folder: Path) -> None:
    """Write a folder for each mart of facts, a file for each other.

    No folder has a name like `scenario_id=1`: of such names readers make columns, with
    types that they guess.
    """
    folder.mkdir(mode=0o700)
    for mart in run.marts:
        columns = run.columns(mart)
        rows = run.ordered(mart).project(", ".join(_portable(column) for column in columns))
        if not mart.startswith("fct_"):
            _write_rows(rows, folder / f"{mart}.parquet")
        elif {column.name for column in columns}.issuperset(_BY_EMPLOYEE):
            _write_years(run, mart, rows, folder / mart)
        else:
            _write_rows(rows, folder / mart / "data.parquet")


def _write_years(run: Run, mart: str, rows: duckdb.DuckDBPyRelation, folder: Path) -> None:
    """Write a file for each scenario and year, in folders of their names."""
    keys = _BY_EMPLOYEE[:2]
    years = run.relation(mart).project(listed(keys)).distinct().order(listed(keys)).fetchall()
    for year in years:
        wanted = " and ".join(
            f"{quote(key)} is not distinct from {'null' if value is None else literal(value)}"
            for key, value in zip(keys, year, strict=True)
        )
        place = folder.joinpath(*(_folder_name(value) for value in year))
        _write_rows(rows.filter(wanted), place / "data.parquet")


def _write_rows(rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    make_folder(path.parent)
    rows.write_parquet(str(path), compression="zstd")


def _portable(column: Column) -> str:
    value = column.identifier
    other = _PORTABLE.get(column.type)
    return f"{value}::{other} as {value}" if other else value


def _folder_name(value: object) -> str:
    """Return a name that no reader takes for a key, a pattern or a hidden folder."""
    if value is None:
        return "%"
    name = percent_encoded(str(value), safe="").replace(".", "%2E")
    return f"%5F{name[1:]}" if name.startswith("_") else name


def _write_xlsx(run: Run, path: Path) -> None:
    try:
        import xlsxwriter  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise UsageError(
            "xlsxwriter is not installed", "Install it with: pip install 'planalign[excel]'"
        ) from error
    _require_fit(run)
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file, closing(_Archive(file)) as archive:
        # constant_memory keeps one row at a time, so cells are written row by row.
        book = xlsxwriter.Workbook(archive, {"constant_memory": True})
        book.set_properties({"created": _WRITTEN})
        _write_sheets(run, book)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(str(error)) from error


class _Archive:
    """A file that takes nothing any more once it is closed, and says nothing of it.

    An archive that a full disk ended is finished when it is forgotten; that fails too,
    and Python would tell the user so with a traceback.
    """

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file: io.BufferedWriter | None = file
        self._position = 0

    def write(self, content: Any) -> int:
        """Write bytes, or only count them."""
        if self._file is not None:
            self._file.write(content)
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, counted from the beginning."""
        if self._file is not None:
            self._file.seek(offset, whence)
        self._position = offset
        return offset

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def flush(self) -> None:
        """Hand on what is buffered."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Take nothing any more."""
        self._file = None


def _write_sheets(run: Run, book: Any) -> None:
    formats = {
        "header": book.add_format({"bold": True}),
        "amount": book.add_format({"num_format": "#,##0.00"}),
        "rate": book.add_format({"num_format": "0.00####"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    pairs = ("key", "value")
    config = parse_document(run.config_text, str(run.path / "config.yaml"))
    _write_sheet(book, formats, "Inputs", pairs, _flat(config.data))
    if len({row.scenario_id for row in run.summary()}) > 1:
        _write_sheet(book, formats, "Comparison", _COMPARED, _comparison(run))
    for title, mart in run.sheets.items():
        rows = (row for batch in run.batches(mart) for row in batch)
        _write_sheet(book, formats, title, [column.name for column in run.columns(mart)], rows)
    _write_sheet(book, formats, "Provenance", pairs, _flat(run.provenance))


def _comparison(run: Run) -> Iterator[tuple[Any, ...]]:
    """Yield the figures of `planalign compare`, a row each."""
    for year in side_by_side([run.path]).years:
        for name, figure in year.figures.items():
            value, change = figure.value, figure.difference
            yield (
                year.scenario,
                year.simulation_year,
                name,
                value and value.mean,
                *((change.mean, change.p10, change.p90) if change else (None, None, None)),
                figure.percent,
            )


def _require_fit(run: Run) -> None:
    for title, mart in run.sheets.items():
        [(rows,)] = run.relation(mart).aggregate("count(*)").fetchall()
        if rows + 1 > EXCEL_ROWS:
            raise UsageError(
                f"Sheet {title!r} would have a header and {rows:,} rows; "
                f"Excel takes {EXCEL_ROWS:,} in all",
                "Export with --format parquet or csv instead.",
            )


def _write_sheet(
    book: Any,
    formats: dict[str, Any],
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    sheet = book.add_worksheet(title)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, 18)
    for place, name in enumerate(header):
        sheet.write_string(0, place, name, formats["header"])
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            _write_cell(sheet, formats, number, place, value)


def _write_cell(sheet: Any, formats: dict[str, Any], row: int, place: int, value: Any) -> None:
    """Write one value by its type; text is never taken for a formula, number or link."""
    match value:
        case None:
            pass
        case bool():
            sheet.write_boolean(row, place, value)
        case int() if abs(value) <= _EXCEL_INTEGER:
            sheet.write_number(row, place, value)
        case Decimal() if math.isfinite(float(value)):
            # Amounts have cents; rates six decimals.
            is_amount = value.as_tuple().exponent == -2
            sheet.write_number(row, place, value, formats["amount" if is_amount else "rate"])
        case float() if math.isfinite(value):
            sheet.write_number(row, place, value)
        case date() if not isinstance(value, datetime):
            sheet.write_datetime(row, place, value, formats["date"])
        case _:
            # Half of a character, which a configuration can spell, has no bytes.
            text = str(value).encode("utf-8", "backslashreplace").decode()
            if len(text) > _EXCEL_TEXT:
                raise UsageError(
                    f"A text in row {row + 1} of sheet {sheet.get_name()!r} has {len(text):,} "
                    f"characters; Excel takes {_EXCEL_TEXT:,}",
                    "Export with --format parquet or csv instead.",
                )
            sheet.write_string(row, place, text)


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings and lists with their dotted keys."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{key}[{place}]")
    else:
        yield key, "" if value in (None, {}, []) else value
