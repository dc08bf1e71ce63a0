"""Check a census file without keeping anything of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from planalign import duck
from planalign.census.findings import CensusError, Finding
from planalign.census.profile import CensusProfile, profile_census
from planalign.census.read import CensusSummary, read_census

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from planalign.census.plan_facts import PlanFacts
    from planalign.errors import Problem

# Problems that are listed one by one: enough to work through, little enough for memory.
MOST_LISTED = 100_000


@dataclass(frozen=True)
class CheckReport:
    """What is wrong with a census, or a summary of it.

    Args:
        file: the file, as given.
        total: how many problems there are.
        problems: one by one, as `read_census` reports them, the first `MOST_LISTED`.
        kinds: the same by column and reason.
        warnings: what is allowed but unusual, by column.
        summary: None if there is any problem.
        profile: None if there is any problem.

    """

    file: str
    total: int
    problems: tuple[Problem, ...]
    kinds: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    summary: CensusSummary | None
    profile: CensusProfile | None

    @property
    def ok(self) -> bool:
        """Whether the census can be used."""
        return self.summary is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the report as the object that `--json` prints."""
        summary = None if self.summary is None else asdict(self.summary)
        if summary is not None:
            del summary["warnings"]
        return {
            "file": self.file,
            "ok": self.ok,
            "problem_count": self.total,
            "kinds": [_without_code(kind) for kind in self.kinds],
            "problems": [problem.as_dict() for problem in self.problems],
            "warnings": [warning.as_dict() for warning in self.warnings],
            "summary": summary,
            "profile": None if self.profile is None else self.profile.as_dict(),
        }


def check_census(
    path: Path,
    *,
    columns: Mapping[str, str],
    census_date: date,
    levels: int | None = None,
    extra_columns: Mapping[str, str] = MappingProxyType({}),
    plans: Sequence[PlanFacts] = (),
) -> CheckReport:
    """Read a census as a simulation would, in memory, and report what was found.

    Args:
        path: .csv, .csv.gz or .parquet.
        columns: census column -> its name in the file, where that is another.
        census_date: the day the census describes.
        levels: how many job levels the study has; by default as many as the packaged tables.
        extra_columns: type of each column that a study adds, by name.
        plans: what the scenarios ask of the census, to warn where it does not fit.

    Raises:
        EnvironmentFaultError: memory or disk did not suffice.

    """
    with duck.connect() as connection:
        try:
            summary = read_census(
                connection,
                path,
                columns=columns,
                census_date=census_date,
                levels=levels,
                extra_columns=extra_columns,
                plans=plans,
                most=MOST_LISTED,
            )
        except CensusError as found:
            return CheckReport(
                str(path), found.total, found.problems, found.kinds, found.warnings, None, None
            )
        profile = profile_census(connection, census_date, extra_columns)
    return CheckReport(str(path), 0, (), (), summary.warnings, summary, profile)


def _without_code(kind: Finding) -> dict[str, Any]:
    return {key: value for key, value in kind.as_dict().items() if key != "code"}
