"""What a mart declares of itself in its YAML: key, order, sheet, and what its columns mean."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# Tables that begin so are for users to query.
MART_PREFIXES = ("fct_", "dim_", "int_")
# Sheets that every workbook has; Excel keeps the last for itself. Case does not count.
_OTHER_SHEETS = frozenset({"inputs", "comparison", "provenance", "history"})
# Excel: at most 31 characters, none of these, and no apostrophe at an end.
_TITLE = re.compile(r"(?!')[^\[\]:*?/\\\x00-\x1f]{1,31}(?<!')")


@dataclass(frozen=True)
class Sheet:
    """A sheet of the workbook; sheets stand in the order of their places."""

    title: str
    place: int


@dataclass(frozen=True)
class Mart:
    """A mart as it is declared.

    Attributes:
        name: of its table.
        key: the columns that identify a row.
        order: the columns that rows are read in the order of.
        sheet: where it is in the workbook, if it is in it.
        description: what a row is, in a line.
        columns: each column with what it means, in a line.

    """

    name: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    sheet: Sheet | None = None
    description: str = ""
    columns: tuple[tuple[str, str], ...] = ()

    def within(self, columns: Collection[str]) -> Mart:
        """Return what is true of a table with some of the columns.

        No key where a column of it is missing: the others need not identify a row.
        """
        return replace(
            self,
            key=self.key if all(name in columns for name in self.key) else (),
            order=tuple(name for name in self.order if name in columns),
        )


def is_mart(name: str) -> bool:
    """Say whether a table of that name is for users to query."""
    return name.startswith(MART_PREFIXES)


def mart_of(
    name: str, meta: Mapping[str, Any], description: str | None, columns: Mapping[str, str | None]
) -> Mart:
    """Return the mart that a model declares; `faults_of` has found nothing.

    Args:
        name: of the model.
        meta: its `config: {meta: ..}`.
        description: of the model.
        columns: the description of each column.
    """
    key = tuple(meta["key"])
    sheet = meta.get("sheet")
    return Mart(
        name,
        key,
        tuple(meta.get("order", key)),
        sheet and Sheet(sheet["title"], sheet["place"]),
        in_a_line(description),
        tuple((column, in_a_line(text)) for column, text in columns.items()),
    )


def in_a_line(text: str | None) -> str:
    """Return a description as one line."""
    return " ".join((text or "").split())


def faults_of(
    meta: Mapping[str, Any], columns: Collection[str]
) -> Iterator[tuple[str, object | None]]:
    """Yield what is wrong with a declaration, in words, and the value that is.

    Args:
        meta: the `config: {meta: ..}` of a model.
        columns: those of its contract.
    """
    if "key" not in meta:
        yield "declares no key", None
    for name in ("key", "order"):
        value: Any = meta.get(name, [])
        if name in meta and not _is_list_of_names(value):
            yield f"has an odd {name}", value
        elif absent := [one for one in value if one not in columns]:
            yield f"has a column in its {name} that it does not declare", ", ".join(absent)
    if "sheet" in meta and not _is_sheet(meta["sheet"]):
        yield "has an odd sheet", meta["sheet"]


def _is_list_of_names(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, str) for one in value)
        and len(set(value)) == len(value)
    )


def _is_sheet(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"title", "place"}
        and type(value["place"]) is int
        and is_title(value["title"])
    )


def is_title(title: object) -> bool:
    """Say whether a sheet of a workbook can be called so."""
    return (
        isinstance(title, str)
        and _TITLE.fullmatch(title) is not None
        and title.lower() not in _OTHER_SHEETS
    )


def repeated_titles(titles: Iterable[str]) -> set[str]:
    """Return the titles, in lower case, that more than one sheet has: Excel knows no case."""
    times = Counter(title.lower() for title in titles)
    return {title for title, count in times.items() if count > 1}
