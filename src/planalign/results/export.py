"""Write the results of a run as CSV, Parquet or an Excel workbook."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import yaml

from planalign.errors import UsageError
from planalign.files import make_folder, protect, require_path
from planalign.results import database
from planalign.results.columns import quote
from planalign.results.side_by_side import side_by_side
from planalign.scratch import scratch

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator, Sequence

    from planalign.results.run import Run

Format = Literal["xlsx", "csv", "parquet"]

_SHEETS = {
    "Financial summary": "fct_financial_summary",
    "Compensation trends": "fct_compensation_trends",
    "Event summary": "int_yearly_event_summary",
    "Plan costs": "fct_plan_costs",
    "Plan costs by group": "fct_plan_costs_by_group",
}
EXCEL_ROWS = 1_048_576
_EXCEL_TEXT = 32_767
# The largest whole number that Excel's cells hold exactly.
_EXCEL_INTEGER = 2**53
_COMPARED = (
    "scenario_id", "simulation_year", "figure", "mean", "difference", "difference_p10",
    "difference_p90", "difference_percent",
)  # fmt: skip
_PARTITIONS = ("scenario_id", "simulation_year")
# OWASP, CSV Injection: these make a spreadsheet take text for a formula; the last four
# are the full-width forms of the first.
_FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"


def export(run: Run, fmt: Format, output: str | Path) -> None:
    """Write a run to `output`, which appears only when it is complete.

    Args:
        run: an open run.
        fmt: `csv` and `parquet` write a folder with every mart, `xlsx` one
            workbook with the inputs, the summaries and the provenance.
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
    with database.faults(f"Cannot write {target}"), _published(target) as partial:
        writers[fmt](run, partial)


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
        run.ordered(mart).project(
            ", ".join(_harmless(column.name, column.type) for column in run.columns(mart))
        ).write_csv(str(folder / f"{mart}.csv"), header=True)


def _harmless(name: str, data_type: str) -> str:
    value = quote(name)
    if data_type != "VARCHAR":
        return value
    return (
        f"case when regexp_matches({value}, '{_FORMULA}') then '''' || {value} "
        f"else {value} end as {value}"
    )


def _write_parquet(run: Run, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for mart in run.marts:
        names = {column.name for column in run.columns(mart)}
        if mart.startswith("fct_") and names.issuperset(_PARTITIONS):
            run.relation(mart).write_parquet(
                str(folder / mart),
                compression="zstd",
                partition_by=list(_PARTITIONS),
                # So that a single file still says which scenario and year it holds.
                write_partition_columns=True,
            )
        else:
            run.ordered(mart).write_parquet(str(folder / f"{mart}.parquet"), compression="zstd")


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
    _write_sheet(book, formats, "Inputs", pairs, _flat(yaml.safe_load(run.config_text)))
    if len({row.scenario_id for row in run.summary()}) > 1:
        _write_sheet(book, formats, "Comparison", _COMPARED, _comparison(run))
    for title, mart in _sheets(run).items():
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


def _sheets(run: Run) -> dict[str, str]:
    """Return the marts of a workbook by their sheets, as far as the run has them."""
    return {title: mart for title, mart in _SHEETS.items() if mart in run.marts}


def _require_fit(run: Run) -> None:
    for title, mart in _sheets(run).items():
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
        case Decimal():
            # Amounts have cents; rates six decimals.
            is_amount = value.as_tuple().exponent == -2
            sheet.write_number(row, place, value, formats["amount" if is_amount else "rate"])
        case float():
            sheet.write_number(row, place, value)
        case date() if not isinstance(value, datetime):
            sheet.write_datetime(row, place, value, formats["date"])
        case _:
            text = str(value)
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
