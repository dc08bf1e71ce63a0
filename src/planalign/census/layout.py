"""Which column of a file holds which column of the census."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.census.columns import Column


@dataclass(frozen=True)
class Layout:
    """Where each census column stands in a file.

    Args:
        positions: census column -> 0-based position in the file.
        names: the file's own column names, trimmed, in file order.
        ignored: names of the columns that are not read.
        problems: what is wrong with the columns themselves.

    """

    positions: Mapping[str, int]
    names: tuple[str, ...]
    ignored: tuple[str, ...]
    problems: tuple[Problem, ...]

    def file_name(self, column: str) -> str | None:
        """Return the file's name of a census column where it is another one."""
        position = self.positions.get(column)
        if position is None or key(self.names[position]) == column:
            return None
        return self.names[position]


def key(name: str) -> str:
    """Return the form in which column names are compared."""
    return name.strip().strip("\ufeff").strip().casefold()


def wanted_keys(census: Sequence[Column], columns: Mapping[str, str]) -> dict[str, str]:
    """Return census column -> compared name of the file's column to look for.

    A file column that is mapped is not also taken by its own name.
    """
    names = [column.name for column in census]
    mapped = {name: key(columns[name]) for name in names if name in columns}
    taken = set(mapped.values())
    plain = {name: name for name in names if name not in mapped and name not in taken}
    return mapped | plain


def lay_out(
    census: Sequence[Column], names: Sequence[str], columns: Mapping[str, str], file: str
) -> Layout:
    """Match the columns of a file to those of the census; report each that does not fit.

    A name that occurs twice is a problem only where the column is read: an
    ignored column cannot change a result.
    """
    keys = [key(name) for name in names]
    times = Counter(keys)
    wanted = wanted_keys(census, columns)
    known = [column.name for column in census]
    positions: dict[str, int] = {}
    problems = [_unknown(name, known, file) for name in columns if name not in known]
    for column in census:
        look_for = wanted.get(column.name)
        if look_for is not None and times[look_for] == 1:
            positions[column.name] = keys.index(look_for)
        elif look_for is not None and times[look_for] > 1:
            problems.append(_repeated(column.name, look_for, times[look_for], file))
        elif column.name in columns:
            problems.append(_not_there(column.name, columns[column.name], names, file))
        elif column.required:
            problems.append(_missing("required column", column.name, names, file))
        elif column.is_own:
            problems.append(_missing("column of extra_columns", column.name, names, file))
    used = {keys[position] for position in positions.values()}
    ignored = tuple(
        name.strip() or f"(unnamed column {number})"
        for number, name in enumerate(names, start=1)
        if key(name) not in used
    )
    trimmed = tuple(name.strip().strip("\ufeff").strip() for name in names)
    return Layout(positions, trimmed, ignored, tuple(problems))


def nearest(name: str, names: Sequence[str]) -> str | None:
    """Return the one of `names` that looks most like `name`, if any does."""
    by_key = {key(candidate)[:64]: candidate.strip() for candidate in names if candidate.strip()}
    found = difflib.get_close_matches(key(name)[:64], list(by_key)[:2000], 1)
    return by_key[found[0]] if found else None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name.strip()[:64] for name in names[:30] if name.strip())
    return f"{shown}, ..." if len(names) > 30 else shown or "no named column"


def _unknown(name: str, known: Sequence[str], file: str) -> Problem:
    near = nearest(name, known)
    lead = f"Did you mean {near}? " if near else ""
    return Problem(
        "mapped, but not a census column",
        f"{lead}Census columns: {', '.join(known)}",
        file=file,
        column=name,
    )


def _repeated(column: str, name: str, times: int, file: str) -> Problem:
    return Problem(
        f"{times} columns of the file are named {name}",
        "Keep one of them, or rename the others",
        file=file,
        column=column,
    )


def _not_there(column: str, mapped: str, names: Sequence[str], file: str) -> Problem:
    near = nearest(mapped, names)
    lead = f"Did you mean {near}? " if near else ""
    return Problem(
        "mapped to a column that is not in the file",
        f"{lead}The file has: {_listed(names)}",
        file=file,
        column=column,
        value=mapped,
    )


def _missing(what: str, column: str, names: Sequence[str], file: str) -> Problem:
    near = nearest(column, names)
    lead = f"Did you mean {near}? " if near else ""
    return Problem(
        f"{what} that is not in the file",
        f"{lead}Rename the column, or map it under census_columns. The file has: {_listed(names)}",
        file=file,
        column=column,
    )
