"""The columns of a census and what each may hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(Enum):
    """How the text of a cell becomes a value."""

    TEXT = "text"
    DATE = "date"
    MONEY = "money"
    WHOLE = "whole"
    FLAG = "flag"
    NUMBER = "number"


@dataclass(frozen=True)
class Column:
    """One column of the census table: its SQL type, and whether each row needs a value.

    One that `is_own` is of a study: a file must have it, and a row may have none.
    """

    name: str
    kind: Kind
    sql_type: str
    required: bool = False
    is_own: bool = False


COLUMNS = (
    Column("employee_id", Kind.TEXT, "varchar", required=True),
    Column("birth_date", Kind.DATE, "date", required=True),
    Column("hire_date", Kind.DATE, "date", required=True),
    Column("annual_compensation", Kind.MONEY, "decimal(15, 2)", required=True),
    Column("job_level", Kind.WHOLE, "integer", required=True),
    Column("termination_date", Kind.DATE, "date"),
    Column("active", Kind.FLAG, "boolean"),
    Column("department", Kind.TEXT, "varchar"),
    Column("deferral_rate", Kind.NUMBER, "decimal(9, 6)"),
    Column("weekly_hours", Kind.NUMBER, "decimal(5, 2)"),
    Column("union", Kind.FLAG, "boolean"),
    Column("prior_year_compensation", Kind.MONEY, "decimal(15, 2)"),
    Column("ownership_percent", Kind.NUMBER, "decimal(9, 6)"),
    Column("officer", Kind.FLAG, "boolean"),
    Column("balance_match", Kind.MONEY, "decimal(15, 2)"),
    Column("balance_core", Kind.MONEY, "decimal(15, 2)"),
    Column("enrollment_status", Kind.TEXT, "varchar"),
    Column("enrolled_on", Kind.DATE, "date"),
    Column("rehire_date", Kind.DATE, "date"),
    Column("roth_share", Kind.NUMBER, "decimal(9, 6)"),
    Column("grade", Kind.TEXT, "varchar"),
    Column("location", Kind.TEXT, "varchar"),
)
NAMES = tuple(column.name for column in COLUMNS)
POSITION = {name: position for position, name in enumerate(NAMES)}

# How an employee stands to the plan; the words are those of the snapshot.
STATUSES = ("automatic", "voluntary", "opted_out", "not_enrolled")
# No rule of the model looks at these: a study may add one of the name with another type.
CARRIED = ("grade", "location")

# Of the columns that a study adds, by the word of its configuration.
OWN_TYPES = {
    "text": (Kind.TEXT, "varchar"),
    "integer": (Kind.WHOLE, "bigint"),
    "number": (Kind.NUMBER, "decimal(18, 6)"),
    "date": (Kind.DATE, "date"),
    "boolean": (Kind.FLAG, "boolean"),
}


def with_own(extra_columns: Mapping[str, str]) -> tuple[Column, ...]:
    """Return the columns of a census with those that a study adds, behind the others.

    One of `CARRIED` gives way to a study's own of its name.

    Args:
        extra_columns: a key of `OWN_TYPES` by the name of each.
    """
    return (
        *(column for column in COLUMNS if column.name not in extra_columns),
        *(Column(name, *OWN_TYPES[kind], is_own=True) for name, kind in extra_columns.items()),
    )


DEFAULT_CENSUS_DATE = date(2024, 12, 31)


def quoted(identifier: str) -> str:
    """Return `identifier` as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'
