"""Check a census file without keeping anything of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign import duck
from planalign.census.read import CensusSummary, read_census
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path


@dataclass(frozen=True)
class CheckReport:
    """What is wrong with a census, or a summary of it.

    Args:
        file: the file, as given.
        problems: as `read_census` reports them; none if the census can be used.
        summary: None if there is any problem.

    """

    file: str
    problems: tuple[Problem, ...]
    summary: CensusSummary | None

    @property
    def ok(self) -> bool:
        """Whether the census can be used."""
        return self.summary is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the report as the object that `--json` prints."""
        return {
            "file": self.file,
            "ok": self.ok,
            "problems": [problem.as_dict() for problem in self.problems],
            "summary": None if self.summary is None else self.summary.as_dict(),
        }


def check_census(path: Path, *, columns: Mapping[str, str], census_date: date) -> CheckReport:
    """Read a census as a simulation would, in memory, and report what was found.

    Args:
        path: .csv, .csv.gz or .parquet.
        columns: census column -> its name in the file, where that is another.
        census_date: the day the census describes.

    Raises:
        EnvironmentFaultError: memory or disk did not suffice.

    """
    with duck.connect() as connection:
        try:
            summary = read_census(connection, path, columns=columns, census_date=census_date)
        except InputError as error:
            return CheckReport(str(path), error.problems, None)
    return CheckReport(str(path), (), summary)
