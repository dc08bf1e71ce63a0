"""What a study adds of its own: columns of the census, and parameters for its own models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeAlias

from planalign.config.frozen import FrozenDict
from planalign.config.scalars import Kind, fault, number
from planalign.config.schedule import NAME, Faults, name_fault

# What a column of the census may hold, by the word for it.
COLUMN_TYPES = ("text", "integer", "number", "date", "boolean")

Parameter: TypeAlias = Decimal | str

_MODELS = Path(__file__).resolve().parent.parent / "dbt"
# Words of SQL that name no column: reserved ones of DuckDB, those of its joins, and those
# that are a value where they stand alone.
_RESERVED = """
all analyse analyze and anti any array as asc asof asymmetric at authorization binary both
by case cast check collate collation column columns concurrently constraint create cross
default deferrable desc describe distinct do else end except exclude false fetch for foreign
freeze from full generated glob grant group having ilike in initially inner intersect into
is isnull join lambda lateral leading left like limit map natural not notnull null offset on
only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary
qualify references returning right select semi show similar some struct summarize symmetric
table tablesample then to trailing true try_cast tuple union unique unpack unpivot using
variadic verbose when where window with
current_catalog current_database current_date current_role current_schema current_time
current_timestamp current_user localtime localtimestamp session_user user
"""
RESERVED = frozenset(_RESERVED.split())


@cache
def names_in_use() -> frozenset[str]:
    """Return the words of the packaged models, each of which may be a column of one.

    But for those that only the file has which is written anew for a study's own columns.
    """
    comment = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
    files = (file for file in _MODELS.rglob("*.sql") if file.name != "extra_columns.sql")
    texts = (comment.sub("", file.read_text("utf-8")) for file in files)
    return frozenset(word for text in texts for word in re.findall(r"[a-z_]\w*", text.lower()))


def _read_columns(value: object) -> FrozenDict[str, str]:
    if value is None:
        return FrozenDict()
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", "Write {name: type}, for example {location: text}")
    faults = Faults()
    for name, kind in value.items():
        if not (isinstance(name, str) and NAME.fullmatch(name)):
            faults.add(name_fault(), kind, name)
        elif name in RESERVED:
            faults.add(fault("is a word of SQL", _another(name)), kind, name)
        elif name in names_in_use():
            faults.add(fault("hides a name that the models use", _another(name)), kind, name)
        if kind not in COLUMN_TYPES:
            remedy = f"Types: {', '.join(COLUMN_TYPES)}"
            faults.add(fault("is not a type of a column", remedy), kind, name)
    faults.check()
    return FrozenDict(value)


def _another(name: str) -> str:
    return (
        f"Give it another name, such as own_{name}, and map the file's under census_columns: "
        f"{{own_{name}: {name}}}"
    )


extra_columns = Kind(
    _read_columns,
    ", ".join(f"`{kind}`" for kind in COLUMN_TYPES),
    {
        "type": ["object", "null"],
        "patternProperties": {f"^{NAME.pattern}$": {"enum": list(COLUMN_TYPES)}},
        "additionalProperties": False,
    },
)

_number = number("-999999999999", "999999999999", "1.4", unit="")


def _read_parameter(value: object) -> Parameter:
    if isinstance(value, str):
        if 0 < len(value) <= 256:
            return value
        raise fault("is no text of 1 to 256 characters", "Write a number or a short text")
    return _number(value)


parameter = Kind(
    _read_parameter,
    "a number or a text",
    {"anyOf": [_number.schema, {"type": "string", "minLength": 1, "maxLength": 256}]},
)
