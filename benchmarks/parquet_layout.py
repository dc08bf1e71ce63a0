"""How a mart is laid out in Parquet: what reading a scenario or a year of it costs.

Simulates a company in some scenarios, exports its snapshots, and reads all of them, one
scenario and one year by the filter of each reader, from one file and from a file for each
scenario and year.

    python benchmarks/parquet_layout.py --employees 30000 --years 5 --scenarios 3

Prints milliseconds of CPU time, the least of the repeats.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

from planalign.census import generate_census
from planalign.config import parse
from planalign.results import open_run
from planalign.results.export import export
from planalign.study import Request, run_study

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 3
FIRST_YEAR = 2025
MART = "fct_workforce_snapshot"
# None is all; else a column and its value.
FILTERS: dict[str, tuple[str, Any] | None] = {
    "all": None,
    "one scenario": ("scenario_id", "s1"),
    "one year": ("simulation_year", FIRST_YEAR),
}


def written(employees: int, years: int, scenarios: int, scratch: Path) -> dict[str, Path]:
    """Return the snapshots of a run in each layout."""
    generate_census(employees, 1, scratch / "census.parquet")
    config = parse(
        {
            "census": "census.parquet",
            "simulation": {"start_year": FIRST_YEAR, "end_year": FIRST_YEAR + years - 1},
            "scenarios": {"baseline": {}, **{f"s{n}": {} for n in range(1, scenarios)}},
        },
        scratch,
    )
    with open_run(run_study(Request(config, output=scratch / "run")).path) as run:
        export(run, "parquet", scratch / "export")
        (scratch / "one").mkdir()
        run.ordered(MART).write_parquet(str(scratch / "one" / "all.parquet"), compression="zstd")
    return {"one file": scratch / "one", "a file each": scratch / "export" / MART}


def by_pandas(folder: Path, wanted: tuple[str, Any] | None) -> int:
    """Read a folder, or a part of it, and return the number of rows."""
    return len(pd.read_parquet(folder, filters=wanted and [(wanted[0], "==", wanted[1])]))


def by_pyarrow(folder: Path, wanted: tuple[str, Any] | None) -> int:
    """Read a folder, or a part of it, and return the number of rows."""
    table = pq.read_table(folder, filters=wanted and [(wanted[0], "==", wanted[1])])
    return int(table.num_rows)


def by_polars(folder: Path, wanted: tuple[str, Any] | None) -> int:
    """Read a folder, or a part of it, and return the number of rows."""
    frame = pl.scan_parquet(folder)
    return (frame.filter(pl.col(wanted[0]) == wanted[1]) if wanted else frame).collect().height


def by_duckdb(folder: Path, wanted: tuple[str, Any] | None) -> int:
    """Read a folder, or a part of it, and return the number of rows."""
    with duckdb.connect() as connection:
        rows = connection.sql(f"from read_parquet('{folder}/**/*.parquet')")
        if wanted:
            rows = rows.filter(f"{wanted[0]} = '{wanted[1]}'")
        return int(rows.to_arrow_table().num_rows)


READERS = {"pandas": by_pandas, "pyarrow": by_pyarrow, "polars": by_polars, "duckdb": by_duckdb}


def milliseconds(work: Callable[[], int]) -> float:
    """Return the CPU time that the quickest repeat takes."""
    found = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found) * 1_000


def main() -> None:
    """Measure every reader over every layout."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--employees", type=int, default=30_000)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--scenarios", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        layouts = written(options.employees, options.years, options.scenarios, Path(scratch))
        for reader, read in READERS.items():
            for what, wanted in FILTERS.items():
                times = {
                    name: milliseconds(lambda r=read, f=folder, w=wanted: r(f, w))
                    for name, folder in layouts.items()
                }
                shown = "  ".join(f"{name} {took:6.0f} ms" for name, took in times.items())
                sys.stdout.write(f"{reader:8} {what:13} {shown}\n")


if __name__ == "__main__":
    main()
