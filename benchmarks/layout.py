"""How the result is laid out: an index, the order of rows, batches, compression.

Simulates a company once, then writes its events year by year into a new file in
each of the ways that were considered, by turns, and looks one employee up.

    python benchmarks/layout.py --employees 200000 --years 5

Prints seconds to write a year (median over the years, of the repeats' minimum),
megabytes of the file, milliseconds to open the file and find one employee's events,
and those to count one year's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import duckdb

from planalign.census import generate_census
from planalign.config import parse
from planalign.study import Request, run_study

REPEATS = 3
FIRST_YEAR = 2025
TABLE = "fct_yearly_events"
# DuckDB's row group.
ROW_GROUP = 122_880


@dataclass(frozen=True)
class Layout:
    """A way to write the events of a year."""

    name: str
    index: str = ""
    order: str = ""
    batch: int = 0
    compression: str = ""


LAYOUTS = (
    Layout("as simulated, one insert a year"),
    Layout("sorted by employee", order="order by employee_id, event_sequence"),
    Layout("index on employee_id", index="employee_id"),
    Layout("index on employee_id, effective_date", index="employee_id, effective_date"),
    Layout("batches of 10,000 rows", batch=10_000),
    Layout("batches of a row group", batch=ROW_GROUP),
    Layout("no compression", compression=" using compression uncompressed"),
)


def simulate(employees: int, years: int, scratch: Path) -> Path:
    """Return the database of a finished run."""
    census = scratch / "census.parquet"
    generate_census(employees, 42, census)
    config = parse(
        {
            "census": str(census),
            "simulation": {"start_year": FIRST_YEAR, "end_year": FIRST_YEAR + years - 1},
        },
        scratch,
    )
    return run_study(Request(config, output=scratch / "run")).path / "results.duckdb"


def write(source: Path, target: Path, layout: Layout, years: range) -> list[float]:
    """Write the events in a layout; return the seconds of each year, commit included."""
    seconds = []
    with duckdb.connect() as connection:
        connection.execute(f"attach '{source}' as source (read_only)")
        connection.execute(f"attach '{target}' as target (storage_version 'v1.5.0')")
        connection.execute("set wal_autocheckpoint = '1GB'")
        columns = ", ".join(
            f"{name} {kind}{layout.compression}"
            for name, kind, *_ in connection.execute(f"describe source.{TABLE}").fetchall()
        )
        connection.execute(f"create table target.{TABLE} ({columns})")
        if layout.index:
            connection.execute(f"create index by_employee on target.{TABLE} ({layout.index})")
        for year in years:
            connection.execute(
                f"create or replace table year_rows as from source.{TABLE} "
                f"where simulation_year = {year}"
            )
            rows = connection.execute("select count(*) from year_rows").fetchall()[0][0]
            started = time.perf_counter()
            connection.begin()
            for start in range(0, rows, layout.batch or rows):
                part = f"limit {layout.batch} offset {start}" if layout.batch else ""
                connection.execute(
                    f"insert into target.{TABLE} from year_rows {layout.order} {part}"
                )
            connection.commit()
            seconds.append(time.perf_counter() - started)
        connection.execute("checkpoint target")
    return seconds


def milliseconds(database: Path, query: str) -> float:
    started = time.perf_counter()
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(query).fetchall()
    return (time.perf_counter() - started) * 1000


def print_compression(source: Path) -> None:
    """Show what DuckDB chose for each column of the run itself."""
    print("\nCompression of the run itself:")
    with duckdb.connect(str(source), read_only=True) as connection:
        for table in ("fct_workforce_snapshot", TABLE):
            found = connection.execute(
                "select column_name, string_agg(distinct compression, ', ' order by compression), "
                f"count(distinct block_id) from pragma_storage_info('{table}') "
                "where segment_type <> 'VALIDITY' group by column_name, column_id "
                "order by column_id"
            ).fetchall()
            for column, compression, blocks in found:
                print(f"{table + '.' + column:60} {compression:28} {blocks:4} blocks")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--employees", type=int, default=200_000)
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    years = range(FIRST_YEAR, FIRST_YEAR + options.years)
    written: dict[str, list[list[float]]] = defaultdict(list)
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="planalign-layout-") as name:
        scratch = Path(name)
        source = simulate(options.employees, options.years, scratch)
        for _ in range(REPEATS):
            for layout in LAYOUTS:
                target = scratch / "target.duckdb"
                written[layout.name].append(write(source, target, layout, years))
                found[layout.name].append(
                    (
                        target.stat().st_size / 1e6,
                        milliseconds(
                            target, f"from {TABLE} where employee_id = 'E0000{options.years:03}'"
                        ),
                        milliseconds(
                            target,
                            f"select count(*) from {TABLE} where simulation_year = {years[-1]}",
                        ),
                    )
                )
                target.unlink()
        print(f"{options.employees:,} employees, {options.years} years of events")
        print(f"{'layout':40} {'s a year':>9} {'MB':>7} {'employee ms':>12} {'year ms':>8}")
        for layout in LAYOUTS:
            by_year = [min(values) for values in zip(*written[layout.name], strict=True)]
            size, employee, year = (median(v) for v in zip(*found[layout.name], strict=True))
            print(
                f"{layout.name:40} {median(by_year):9.3f} {size:7.1f} {employee:12.1f} {year:8.1f}"
            )
        print_compression(source)
    return 0


if __name__ == "__main__":
    sys.exit(main())
