"""Censuses of companies: one of three years with the truth beside it, and made ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from planalign.census.columns import NAMES, quoted
from planalign.config import Config, parse
from planalign.experience.fitting import Fit, fit

FOLDER = Path(__file__).parents[3] / "examples" / "client"
YEARS = (2022, 2023, 2024)


@pytest.fixture(scope="session")
def history() -> dict[str, Any]:
    """Return what is true of the three years."""
    content = json.loads((FOLDER / "expect.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = content["history"]
    return found


@pytest.fixture(scope="session")
def censuses(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the censuses of three years, as an import writes them."""
    folder = tmp_path_factory.mktemp("censuses")
    files = []
    truth = FOLDER / "truth.parquet"
    with duckdb.connect() as connection:
        described = connection.execute(f"describe from '{truth}'").fetchall()
        told = [row[0] for row in described if row[0] in NAMES]
        for year in YEARS:
            files.append(folder / f"census_{year}.parquet")
            connection.execute(
                f"copy (select {', '.join(map(quoted, told))} "
                f"from '{truth}' where census_year = {year}) "
                f"to '{files[-1]}' (format parquet)"
            )
    return files


@pytest.fixture(scope="session")
def defaults(censuses: list[Path]) -> Config:
    return parse({"census": str(censuses[-1])}, Path.cwd())


@pytest.fixture(scope="session")
def fitted(censuses: list[Path], defaults: Config) -> Fit:
    return fit(censuses, defaults)


class Company:
    """Writes small censuses by year."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def census(self, year: int, rows: list[dict[str, Any]]) -> Path:
        """Write a census; what a row leaves out is usual."""
        path = self.folder / f"census_{year}.csv"
        names = list(dict.fromkeys(name for row in rows for name in row))
        usual = {
            "birth_date": "1980-05-01",
            "hire_date": "2015-03-01",
            "annual_compensation": 60_000,
            "job_level": 2,
        }
        names += [name for name in usual if name not in names]
        lines = [",".join(names)]
        lines += [",".join(str({**usual, **row}.get(name, "")) for name in names) for row in rows]
        path.write_text("\n".join(lines) + "\n")
        return path


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)
