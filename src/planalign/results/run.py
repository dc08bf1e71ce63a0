"""A finished run: an immutable folder, opened read-only by as many readers as like."""

from __future__ import annotations

import json
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign.errors import EnvironmentFaultError, UsageError
from planalign.results import database
from planalign.results.columns import Column, listed, quote, reading_order
from planalign.results.summary import COLUMNS, YearSummary
from planalign.run_format import format_of, lacking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

MART_PREFIXES = ("fct_", "dim_", "int_")
_FILES = (database.DATABASE, "config.yaml", "provenance.json")


def open_run(path: str | Path) -> Run:
    """Open a finished run folder read-only.

    Raises:
        UsageError: the folder is not a finished run; says what is missing.
        EnvironmentFaultError: the database is locked, damaged or unreadable, or a
            later planalign wrote the run.

    """
    folder = Path(path)
    _require_finished(folder)
    connection = database.connect()
    try:
        # The name under which the run was written: SQL that users keep goes on working.
        database.attach(connection, folder.resolve(), "results")
        with database.faults(f"Cannot read {folder}"):
            connection.execute("use results")
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
        self.config_text = (path / "config.yaml").read_text(encoding="utf-8")
        self.provenance = _read_provenance(path / "provenance.json")
        format_of(path, self.provenance)
        self._connection = connection
        self._columns = _read_columns(connection)

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
    def years(self) -> list[int]:
        """Return the simulated years in order."""
        found = self.sql("select distinct simulation_year from run_years order by all").fetchall()
        return [year for (year,) in found]

    def from_cache(self) -> tuple[int, float]:
        """Return how many years came from the cache, and the seconds that it saved."""
        path = self.path / "events.jsonl"
        if not path.is_file():
            return 0, 0.0
        with path.open(encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines if '"year_from_cache"' in line]
        years = {event["year"] for event in found}
        return len(years), sum((event["saved_seconds"] for event in found), 0.0)

    def columns(self, name: str) -> tuple[Column, ...]:
        """Return the columns of a mart in their order."""
        return self._columns[self._known(name)]

    def relation(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a mart as a lazy DuckDB relation."""
        return self._connection.table(quote(self._known(name)))

    def select(self, name: str, columns: Sequence[str]) -> duckdb.DuckDBPyRelation:
        """Return the columns of a mart that a reader needs, in that order.

        Raises:
            UsageError: the run lacks the mart or some of them, and why.

        """
        there = {column.name for column in self._columns.get(name, ())}
        missing = [column for column in columns if column not in there]
        if missing:
            raise lacking(self.path, self.provenance, name, missing if there else ())
        return self.relation(name).project(listed(columns))

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a query over the marts as a lazy DuckDB relation."""
        return self._connection.sql(query)

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
        """Return a mart in the order of its keys, the same for every way it was computed."""
        return self.relation(name).order(listed(reading_order(self.columns(name))))

    def batches(self, name: str, size: int = 10_000) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of `ordered`, at most `size` at a time."""
        # A cursor of its own, so that a caller may query the run between two batches.
        cursor = self._connection.cursor()
        try:
            # A new cursor starts in the in-memory catalogue again.
            cursor.execute("use results")
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
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"{folder} is not a finished run: it has no {', '.join(missing)}",
            "Name a folder that planalign simulate has written.",
        )


def _read_provenance(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EnvironmentFaultError(
            f"Cannot read {path}: {error}", "The run is damaged; simulate it again."
        ) from error
    if not isinstance(content, dict):
        raise EnvironmentFaultError(
            f"Cannot read {path}: it holds no JSON object", "The run is damaged; simulate it again."
        )
    return content


def _read_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[Column, ...]]:
    """Return the columns of every mart of the attached results."""
    rows = connection.sql(
        """
        select table_name, column_name, data_type
        from duckdb_columns()
        join duckdb_tables() using (database_name, schema_name, table_name)
        where database_name = 'results' and schema_name = 'main'
        order by table_name, column_index
        """
    ).fetchall()
    found: dict[str, tuple[Column, ...]] = {}
    for table, name, data_type in rows:
        if table.startswith(MART_PREFIXES):
            found[table] = (*found.get(table, ()), Column(name, data_type))
    return found


def _need(module: str, extra: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{module} is not installed", f"Install it with: pip install 'planalign[{extra}]'"
        ) from error
