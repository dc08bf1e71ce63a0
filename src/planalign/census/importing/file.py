"""One file of an import: its people, and what became of every row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planalign.census.importing.totals import totals_of

if TYPE_CHECKING:
    from datetime import date

    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

# Why a row of a file is not a person of the census.
REASONS = (
    "title",
    "header",
    "repeated_header",
    "blank",
    "total",
    "footer",
    "duplicate_of_rehired_person",
    "duplicate_exact",
    "unusable",
)


@dataclass
class File:
    """One file on its way to a census.

    Args:
        work: its table, its columns, the day, what was done.
        readings: how each column was read, by role.
        rows: its people, one row each.
        dropped: reason by number of each row that is no person of the census.
        totals: its own totals beside the sums of its rows.
        changes: against the year before, where there is one.
    """

    work: Work
    readings: dict[str, str]
    rows: list[Row]
    dropped: dict[int, str]
    totals: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, Any] | None = None

    @property
    def as_of(self) -> date:
        """The day that the file describes."""
        return self.work.as_of

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return self.work.name

    def counts(self) -> dict[str, int]:
        """Return how many rows were left out for each reason."""
        return {
            reason: sum(1 for found in self.dropped.values() if found == reason)
            for reason in REASONS
        }

    def as_dict(self) -> dict[str, Any]:
        """Return what the import says of the file."""
        return {
            "file": self.name,
            "sheet": self.work.table.grid.sheet,
            "as_of": self.work.as_of.isoformat(),
            "format": {**self.work.table.grid.notes, "header_rows": self.work.table.header_lines},
            "rows_in": self.work.table.rows_in,
            "people": len(self.rows),
            "dropped": self.counts(),
            "mapping": self.work.mapping.reported,
            "reasons": self.work.mapping.reasons,
            "readings": self.readings,
            "totals": totals_of(self.rows),
            "file_totals": self.totals,
            "against_the_year_before": self.changes,
        }
