"""A file as a grid of cells, whatever kind of file it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from planalign import duck
from planalign.census.importing.texts import read_text_grid
from planalign.census.importing.workbooks import CONTAINERS, first_bytes, read_workbook
from planalign.census.source import open_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Cell = str | int | float | bool | date | datetime | None


@dataclass(frozen=True)
class Grid:
    """The rows of a sheet or of a text.

    Args:
        file: the path, as given.
        sheet: of a workbook, the sheet's name.
        rows: cells by row; an empty cell is "".
        lines: number of each row in the file, counted from 1.
        notes: how the file was read: encoding, delimiter.
    """

    file: Path
    sheet: str | None
    rows: Sequence[Sequence[Cell]]
    lines: Sequence[int]
    notes: dict[str, Any] = field(default_factory=dict)


def read_grids(path: Path) -> list[Grid]:
    """Read every sheet of a file that has rows.

    Args:
        path: .xlsx, .xlsm, .xlsb, .xls, .ods, .parquet, or any text; a text may be
            compressed with gzip. What it is its first bytes say, whatever its name.

    Raises:
        CensusError: the file cannot be read.
        EnvironmentFaultError: what reads workbooks is not installed.
    """
    head = first_bytes(path)
    if path.suffix.lower() == ".parquet" or head.startswith(b"PAR1"):
        return [_parquet(path)]
    if head.startswith(CONTAINERS):
        kind = path.suffix.lower().removeprefix(".")
        return [
            Grid(path, name, rows, range(first, first + len(rows)), {"type": kind})
            for name, first, rows in read_workbook(path)
            if rows
        ]
    rows, lines, notes = read_text_grid(path)
    return [Grid(path, None, rows, lines, notes)]


def _parquet(path: Path) -> Grid:
    with duck.connect() as connection:
        source = open_source(connection, path, set())
        found = connection.execute(f"from {source.scan}", source.parameters).fetchall()
    rows: list[list[Cell]] = [[*source.names]]
    rows += [[_plain(cell) for cell in row] for row in found]
    return Grid(path, None, rows, range(len(rows)), {"type": "parquet"})


def _plain(cell: Any) -> Cell:
    if cell is None:
        return ""
    return cell if isinstance(cell, (str, int, float, bool, date)) else str(cell)
