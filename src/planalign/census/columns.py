"""The columns of a census and what each may hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum


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
    """One column of the census table: its SQL type, and whether each row needs a value."""

    name: str
    kind: Kind
    sql_type: str
    required: bool = False


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
)
NAMES = tuple(column.name for column in COLUMNS)
POSITION = {name: position for position, name in enumerate(NAMES)}

DEFAULT_CENSUS_DATE = date(2024, 12, 31)


def quoted(identifier: str) -> str:
    """Return `identifier` as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'
