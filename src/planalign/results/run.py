"""A finished run: an immutable folder, opened read-only by as many readers as like."""

from __future__ import annotations

import os
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from planalign import duck
from planalign.errors import EnvironmentFaultError, UsageError
from planalign.files import open_regular, read_object, read_text
from planalign.marts.declaration import Mart, is_mart
from planalign.marts.origin import RUN
from planalign.marts.packaged import packaged_marts
from planalign.marts.summary import COLUMNS, YearSummary
from planalign.marts.tables import read_declared
from planalign.record.events import lines_of, read_event
from planalign.results import database
from planalign.results.columns import Column, listed, quote, reading_order
from planalign.run_format import format_of, lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_T = TypeVar("_T")

# The name under which a run was written: SQL that users keep goes on working.
_ALIAS = "results"
_FILES = (database.DATABASE, "config.yaml", "provenance.json")
_EVENTS = "events.jsonl"


def open_run(path: str | Path) -> Run:
    """Open a finished run folder read-only.

    Raises:
        UsageError: the folder is not a finished run; says what is missing.
        EnvironmentFaultError: the database is locked, damaged or unreadable, or holds
            what no run holds, such as a macro; or a later planalign wrote the run.

    """
    folder = Path(path)
    _require_finished(folder)
    return _opened(folder)


def _opened(folder: Path, writes: Path | None = None) -> Run:
    connection = database.read({_ALIAS: folder.resolve()}, writes)
    try:
        with database.faults(f"Cannot read {folder}"):
            return Run(folder, connection)
    except BaseException:
        connection.close()
        raise


class Run:
    """One finished run.

    Not safe for use by several threads at once; give each its own `open_run`.

    Attributes:
        path: the run folder.
        config_text: the resolved configuration, as YAML.
        provenance: fingerprints of the inputs and versions of the software.

    """

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.config_text = _read(path / "config.yaml", read_text)
        self.provenance = _read(path / "provenance.json", read_object)
        format_of(path, self.provenance)
        self._connection = connection
        self._columns = _read_columns(connection)
        self._declared = _read_declared(path, connection, self._columns)
        self._has_short_names = False

    def __enter__(self) -> Run:
        """Return the run itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the run."""
        self.close()

    def close(self) -> None:
        """Close the database; relations of this run can no longer be read."""
        self._connection.close()

    @property
    def marts(self) -> list[str]:
        """Return the names of all tables that users query, sorted."""
        return sorted(self._columns)

    @property
    def compared(self) -> list[str]:
        """Return the marts that two equal runs have in common: all but what they are made of."""
        return [name for name in self.marts if name != RUN.name]

    @property
    def sheets(self) -> dict[str, str]:
        """Return the marts of the workbook by their sheets, in the order of their places."""
        found = [(mart.sheet, mart.name) for mart in self._declared.values() if mart.sheet]
        found.sort(key=lambda one: (one[0].place, one[0].title))
        return {sheet.title: name for sheet, name in found}

    @property
    def years(self) -> list[int]:
        """Return the simulated years in order."""
        found = self.sql("select distinct simulation_year from run_years order by all").fetchall()
        return [year for (year,) in found]

    def from_cache(self) -> tuple[int, float]:
        """Return how many years came from the cache, and the seconds that it saved."""
        path = self.path / _EVENTS
        if not os.path.lexists(path):
            return 0, 0.0
        try:
            with open_regular(path) as lines:
                found = [read_event(one) for one in lines_of(lines) if b'"year_from_cache"' in one]
        except (OSError, ValueError) as error:
            raise _damaged(path, error) from error
        found = [event for event in found if event["kind"] == "year_from_cache"]
        years = {event["year"] for event in found}
        return len(years), sum((event["saved_seconds"] for event in found), 0.0)

    def columns(self, name: str) -> tuple[Column, ...]:
        """Return the columns of a mart in their order."""
        return self._columns[self._known(name)]

    def key(self, name: str) -> tuple[str, ...]:
        """Return the columns that identify a row, as a mart declares; else none."""
        mart = self._declared.get(self._known(name))
        return mart.key if mart else ()

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a mart as a lazy DuckDB relation."""
        return self._connection.table(f"{_ALIAS}.main.{quote(self._known(name))}")

    def select(self, name: str, columns: Sequence[str]) -> duckdb.DuckDBPyRelation:
        """Return the columns of a mart that a reader needs, in that order.

        Raises:
            UsageError: the run lacks the mart or some of them, and why.
            EnvironmentFaultError: one has another type than any run has.

        """
        there = {column.name: column for column in self._columns.get(name, ())}
        missing = [column for column in columns if column not in there]
        if missing:
            raise lacking(self.path, self.provenance, name, missing if there else ())
        odd = [there[column] for column in columns if not there[column].is_as_read]
        if odd:
            raise EnvironmentFaultError(
                f"{self.path} is damaged: {odd[0].name} of {name} is {odd[0].type}",
                "Simulate the study again.",
            )
        return self.relation(name).project(listed(columns))

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a query over the tables of the run as a lazy DuckDB relation.

        A query reads the run alone, no files; what it gives is written by what it is
        turned into, such as a frame.
        """
        if not self._has_short_names:
            _shorten_names(self._connection)
            self._has_short_names = True
        return self._connection.sql(query)

    def writing(self, path: Path) -> Run:
        """Open the run once more, so that its relations can write below `path`, and nowhere else.

        Raises:
            EnvironmentFaultError: as `open_run`.

        """
        return _opened(self.path, path)

    def arrow(self, name: str) -> pa.Table:
        """Return a mart as a pyarrow table."""
        _need("pyarrow", "arrow")
        return self.relation(name).to_arrow_table()

    def pandas(self, name: str) -> pd.DataFrame:
        """Return a mart as a pandas frame."""
        _need("pandas", "pandas")
        frame: pd.DataFrame = self.relation(name).df()
        return frame

    def polars(self, name: str) -> pl.DataFrame:
        """Return a mart as a polars frame."""
        _need("pyarrow", "polars")
        _need("polars", "polars")
        frame: pl.DataFrame = self.relation(name).pl()
        return frame

    def ordered(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a mart in the order that it declares, the same for every way it was computed.

        One that declares none is ordered by all of its columns.
        """
        mart = self._declared.get(self._known(name))
        order = reading_order(self.columns(name), mart.order if mart else ())
        return self.relation(name).order(listed(order))

    def batches(self, name: str, size: int = 10_000) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of `ordered`, at most `size` at a time."""
        # A cursor of its own, so that a caller may query the run between two batches.
        cursor = self._connection.cursor()
        try:
            cursor.execute(self.ordered(name).sql_query())
            while rows := cursor.fetchmany(size):
                yield rows
        finally:
            cursor.close()

    def summary(self) -> list[YearSummary]:
        """Return the financial summary by scenario, replicate and year."""
        rows = self.select("fct_financial_summary", COLUMNS)
        with database.faults(f"Cannot read the financial summary of {self.path}"):
            return [
                YearSummary(*row)
                for row in rows.order("scenario_id, replicate, simulation_year").fetchall()
            ]

    def _known(self, name: str) -> str:
        if name in self._columns:
            return name
        nearest = get_close_matches(name, self.marts, n=1, cutoff=0.0)
        remedy = f"Did you mean {nearest[0]}? " if nearest else ""
        raise UsageError(
            f"{self.path} has no mart {name!r}", f"{remedy}It has: {', '.join(self.marts)}."
        )


def _require_finished(folder: Path) -> None:
    is_partial = folder.suffix == ".partial"
    # Not with_name: the folder may be `.` or `/`.
    unfinished = folder if is_partial else folder.parent / f"{folder.name}.partial"
    if unfinished.is_dir() and (unfinished == folder or not folder.exists()):
        target = unfinished.with_suffix("")
        raise UsageError(
            f"The run in {unfinished} is not finished",
            f"Finish it with: planalign simulate --resume --output {target}",
        )
    if not folder.exists():
        raise UsageError(f"There is no run folder {folder}", "Check the path.")
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is a file, not a run folder", f"Name the folder it is in: {folder.parent}"
        )
    links = [name for name in (*_FILES, _EVENTS) if (folder / name).is_symlink()]
    if links:
        # Whoever made the folder could have its reader show, and send on, a file of their own.
        raise UsageError(
            f"{folder} has links in the place of files: {', '.join(links)}",
            "Copy the files themselves into the run folder.",
        )
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"{folder} is not a finished run: it has no {', '.join(missing)}",
            "Name a folder that planalign simulate has written.",
        )


def _read(path: Path, how: Callable[[Path], _T]) -> _T:
    try:
        return how(path)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: OSError | ValueError) -> EnvironmentFaultError:
    reason = getattr(error, "strerror", None) or str(error)
    return EnvironmentFaultError(
        f"Cannot read {path}: {reason}", "The run is damaged; simulate it again."
    )


def _read_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[Column, ...]]:
    """Return the columns of every mart of the attached results."""
    rows = connection.execute(
        """
        select table_name, column_name, data_type
        from duckdb_columns()
        where database_name = $1 and schema_name = 'main' and not internal
        order by table_name, column_index
        """,
        [_ALIAS],
    ).fetchall()
    views = {name for _, name in duck.views(connection, _ALIAS)}
    found: dict[str, tuple[Column, ...]] = {}
    for table, name, data_type in rows:
        if is_mart(table) and table not in views:
            found[table] = (*found.get(table, ()), Column(name, data_type))
    return found


def _read_declared(
    path: Path, connection: duckdb.DuckDBPyConnection, columns: dict[str, tuple[Column, ...]]
) -> dict[str, Mart]:
    """Return the marts that a run declares; of a run from before they did, the packaged ones."""
    names = {mart: [column.name for column in found] for mart, found in columns.items()}
    try:
        declared = read_declared(connection, _ALIAS, names)
    except ValueError as error:
        raise _damaged(path / database.DATABASE, error) from error
    if declared is not None:
        return declared
    return {
        name: mart.within(names[name]) for name, mart in packaged_marts().items() if name in names
    }


def _shorten_names(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the tables of the run be called without its catalogue, which is never the current one.

    Where a catalogue is the current one, DuckDB takes functions and operators from it, too.
    """
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $1 order by all",
        [_ALIAS],
    ).fetchall()
    names = [f"{quote(schema)}.{quote(table)}" for schema, table in tables]
    connection.execute(
        "create schema inputs; "
        + "; ".join(f"create view {name} as from {_ALIAS}.{name}" for name in names)
    )


def _need(module: str, extra: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{module} is not installed", f"Install it with: pip install 'planalign[{extra}]'"
        ) from error
