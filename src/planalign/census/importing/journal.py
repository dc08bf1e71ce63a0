"""What an import did to the cells of a file, without saying whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planalign.census.importing.rows import Row


@dataclass(frozen=True)
class Entry:
    """One rule that was applied.

    Args:
        rule: its name.
        column: header of the file, or column of the census.
        cells: how many cells, or rows, it concerns.
        words: what was done, and why.
        examples: rows of the file, and what a cell was and became where that is nobody's
            birth date or id.
    """

    rule: str
    column: str
    cells: int
    words: str
    examples: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as the object of the journal."""
        return {
            "rule": self.rule,
            "column": self.column,
            "cells": self.cells,
            "words": self.words,
            "examples": [*self.examples],
        }


@dataclass
class Journal:
    """The rules that were applied to one file, in their order."""

    entries: list[Entry] = field(default_factory=list)

    def add(
        self,
        rule: str,
        column: str,
        cells: int,
        words: str,
        examples: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Write down that a rule was applied, if it was to any cell."""
        if cells:
            self.entries.append(Entry(rule, column, cells, words, tuple(examples[:3])))


def at(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return where a rule was applied, as the examples of an entry."""
    return at_lines(row.line for row in rows)


def at_lines(lines: Iterable[int]) -> list[dict[str, Any]]:
    """Return the numbers of rows as the examples of an entry."""
    return [{"row": line} for line in lines]
