"""Columns of a mart, their identifiers, and one unambiguous text for every value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Types whose text is never empty and never contains ";": a terminator delimits them.
_TERMINATED = (
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "DECIMAL",
    "FLOAT",
    "DOUBLE",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "INTERVAL",
    "UUID",
)
_NESTED = ("STRUCT(", "MAP(", "UNION(")
_NUMBER = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DECIMAL\(\d+,\d+\)|FLOAT|DOUBLE")
# The types of the columns that readers of marts rest on; the others are figures.
_READ_AS = {
    "scenario_id": "VARCHAR",
    "employee_id": "VARCHAR",
    "event_type": "VARCHAR",
    "replicate": "INTEGER",
    "simulation_year": "INTEGER",
}


@dataclass(frozen=True)
class Column:
    """One column: its name and DuckDB's text of its type."""

    name: str
    type: str

    @property
    def identifier(self) -> str:
        """Return the name quoted for SQL."""
        return quote(self.name)

    @property
    def is_nested(self) -> bool:
        """Say whether values are lists, arrays, structs, maps or unions."""
        return self.type.endswith("]") or self.type.startswith(_NESTED)

    @property
    def is_text(self) -> bool:
        """Say whether values are written as text that may hold anything."""
        return self.is_nested or not self.type.startswith(_TERMINATED)

    @property
    def is_as_read(self) -> bool:
        """Say whether the type is the one of that name in a mart, or any number of a figure."""
        known = _READ_AS.get(self.name)
        return self.type == known if known else _NUMBER.fullmatch(self.type) is not None

    @property
    def is_measure(self) -> bool:
        """Say whether values are amounts, which are never part of a key."""
        return self.type.startswith(("DECIMAL", "FLOAT", "DOUBLE")) or self.is_nested


def quote(name: str) -> str:
    """Return an identifier quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Return quoted identifiers separated by commas."""
    return ", ".join(quote(name) for name in names)


def reading_order(columns: Sequence[Column], first: Sequence[str]) -> list[str]:
    """Return the columns that rows are read in the order of: the first ones, then all others.

    So the order is total, whatever identifies a row. To sort by all of 50 columns takes no
    longer than by the keys.
    """
    return [*first, *(column.name for column in columns if column.name not in first)]


def cell_text(column: Column) -> str:
    """Return SQL for the exact text of one value; NULL differs from every value."""
    return f"concat({_parts(column)})"


def row_digest(columns: Sequence[Column]) -> str:
    """Return SQL for the 128-bit MD5 (a UHUGEINT) of a row over `columns`.

    The text below it can be read back in one way only, and neither it nor MD5
    depends on the version of DuckDB, as its `hash()` does.

    Raises:
        UsageError: a column may hold values of several types.
    """
    return f"md5_number(concat({', '.join(_parts(column) for column in columns)}))"


def _parts(column: Column) -> str:
    value = column.identifier
    if column.type == "TIMESTAMP WITH TIME ZONE":
        # Its text depends on the time zone of the reader, but for infinity, which is no number.
        return f"if(isinf({value}), {value}::varchar, epoch_us({value})::varchar), ';'"
    if "VARIANT" in column.type:
        raise UsageError(
            f"column {column.name} is {column.type}, whose values have no text of their own",
            "Give it another type in its model, and simulate the study again.",
        )
    if not column.is_text:
        return f"{value}, ';'"
    # The text of nested values does not quote what they contain; JSON does.
    text = f"to_json({value})::varchar" if column.is_nested else f"{value}::varchar"
    # concat skips NULL: ":;" is NULL, "0:;" the empty string.
    return f"strlen({text}), ':', {text}, ';'"
