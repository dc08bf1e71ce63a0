"""What must hold however a run was stopped; a promise that is broken raises `BrokenError`."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from planalign.engine.database import FILE_NAME
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint

_FILES = {"results.duckdb", "config.yaml", "provenance.json", "events.jsonl"}


class BrokenError(AssertionError):
    """A promise of reliability does not hold."""


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody stopped, which every other must equal."""

    path: Path
    digests: dict[str, str]
    years: list[int]
    header: bytes

    @classmethod
    def of(cls, path: Path) -> Undisturbed:
        """Read a finished run."""
        with open_run(path) as run:
            return cls(path, fingerprint(run), run.years, _header(path / FILE_NAME))


def check_run(output: Path, expected: Undisturbed) -> None:
    """A published folder is complete, and has the bits of the undisturbed run."""
    there = {path.name for path in output.iterdir()} - {"dbt"}
    require(there == _FILES, f"{output} has {sorted(there)}")
    with open_run(output) as run:
        found, years = fingerprint(run), run.years
    require(found == expected.digests, f"{output} has other bits than the undisturbed run")
    require(years == expected.years, f"{output} has the years {years}")
    require(_header(output / FILE_NAME) == expected.header, f"{output} has another format")
    events = [json.loads(line) for line in (output / "events.jsonl").open()]
    numbers = [event["sequence"] for event in events]
    require(numbers == list(range(1, len(numbers) + 1)), "events.jsonl has a gap")
    require(events[-1]["kind"] == "run_completed", "events.jsonl does not end with the run")


def check_unfinished(partial: Path, expected: Undisturbed) -> None:
    """Each year of an unfinished run that is called complete is whole, with the right bits.

    Looks at a copy, as the database may still have to be recovered.
    """
    if not (partial / FILE_NAME).is_file():
        return
    with tempfile.TemporaryDirectory() as name:
        for path in partial.glob(f"{FILE_NAME}*"):
            if path.is_file():
                shutil.copy2(path, name)
        with duckdb.connect(str(Path(name) / FILE_NAME)) as connection:
            _check_years(connection, expected)


def check_cache(folder: Path) -> None:
    """Every entry of the cache of years is whole: its index fits its database."""
    for entry in folder.glob("years/[!.]*"):
        index = json.loads((entry / "index.json").read_text())
        status = (entry / FILE_NAME).stat()
        require(
            (status.st_size, status.st_mtime_ns) == (index["size"], index["changed"]),
            f"{entry} does not fit its index",
        )


def check_census(census: Path, expected: bytes) -> None:
    """A census is complete or absent."""
    if census.exists():
        require(census.read_bytes() == expected, f"{census} is not whole")


def _check_years(connection: duckdb.DuckDBPyConnection, expected: Undisturbed) -> None:
    tables = {
        name for (name,) in connection.sql("select table_name from duckdb_tables()").fetchall()
    }
    if "run_years" not in tables:
        return
    found = connection.sql(
        "select scenario_id, replicate, list(simulation_year order by simulation_year) "
        "from run_years group by all"
    ).fetchall()
    for scenario, replicate, years in found:
        is_beginning = years == expected.years[: len(years)]
        require(is_beginning, f"the complete years of {scenario} {replicate} are {years}")
    path = str(expected.path / FILE_NAME).replace("'", "''")
    connection.execute(f"attach '{path}' as undisturbed (read_only)")
    for mart in sorted(expected.digests.keys() & (tables | {"run_years"})):
        columns = connection.sql(f"from undisturbed.main.{mart} limit 0").columns
        if "simulation_year" not in columns or not found:
            continue
        # Workers complete one trajectory after the other.
        key = ", ".join(
            one for one in ("scenario_id", "replicate", "simulation_year") if one in columns
        )
        whole = f"where ({key}) in (select ({key}) from main.run_years)"
        ours = f"(from main.{mart} {whole})"
        theirs = f"(from undisturbed.main.{mart} {whole})"
        differing = connection.sql(
            f"select count(*) from (({ours} except all {theirs}) union all "
            f"({theirs} except all {ours}))"
        ).fetchall()
        require(differing == [(0,)], f"{mart} differs in a year that is complete")


def _header(database: Path) -> bytes:
    """Return the part of a DuckDB file that tells its storage version: magic bytes and number."""
    with database.open("rb") as file:
        return file.read(20)[8:]


def require(holds: bool, what: str) -> None:
    """Raise `BrokenError` where a promise does not hold."""
    if not holds:
        raise BrokenError(what)
