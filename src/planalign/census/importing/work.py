"""What every step of an import needs of the file that it is at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from planalign.census.importing.journal import Journal
    from planalign.census.importing.locate import Table
    from planalign.census.importing.mapping import Mapping
    from planalign.census.importing.questions import Answers


@dataclass(frozen=True)
class Work:
    """One file on its way to a census.

    Args:
        table: where its people are.
        mapping: what its columns are.
        as_of: the day it describes.
        answers: who decides what it leaves open.
        journal: where what is done to it is written down.
    """

    table: Table
    mapping: Mapping
    as_of: date
    answers: Answers
    journal: Journal

    @property
    def name(self) -> str:
        """The name of the file, without its folder."""
        return self.table.grid.file.name
