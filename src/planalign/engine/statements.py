"""What a compiled statement reads and calls, in the words of DuckDB's own parser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where a token ends that may hold what looks like a comment, and any other.
_TOKEN = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(\w*)\$.*?\$\1\$
        | (?:(?!--|/\*)\S)+""",
    re.VERBOSE | re.DOTALL,
)
_LAYOUT = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_UNSTABLE = ("VOLATILE", "CONSISTENT_WITHIN_QUERY")
# Settings and variables of a connection, of which DuckDB 1.5 does not say so.
_OF_A_CONNECTION = frozenset({"current_setting", "getvariable"})


def without_comments(sql: str) -> str:
    """Return a statement without comments, a space between its tokens.

    DuckDB says where each token begins. What is not surely a comment stays.
    """
    content = sql.encode()
    starts = [start for start, _ in duckdb.tokenize(sql)]
    parts = (content[a:b].decode() for a, b in pairwise([*starts, len(content)]))
    return " ".join(_token(part) for part in parts if not part.startswith(("--", "/*")))


def _token(text: str) -> str:
    """Return a token without the comments behind it, which DuckDB 1.5 does not tell of."""
    found = _TOKEN.match(text)
    return found[0] if found and _LAYOUT.fullmatch(text, found.end()) else text


@dataclass(frozen=True)
class Mention:
    """A name in a statement, and the 1-based line that it is on, where DuckDB tells."""

    name: str
    line: int | None


@dataclass(frozen=True)
class Reading:
    """What a statement mentions.

    `tables` are those that are not its own, as `catalog.schema.name` as far as given;
    `table_functions` stand in its `from`; `bare` are columns without a table.
    """

    tables: tuple[Mention, ...]
    table_functions: tuple[Mention, ...]
    functions: tuple[Mention, ...]
    bare: tuple[Mention, ...]
    samples: int


class Reader:
    """Reads statements on a connection, whose functions are looked up."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._unstable = {*_OF_A_CONNECTION}
        self._macros: dict[str, set[str]] = {}
        for name, kind, stability, definition in connection.execute(
            "select function_name, function_type, stability, macro_definition "
            "from duckdb_functions()"
        ).fetchall():
            if stability in _UNSTABLE:
                self._unstable.add(name)
            elif definition is not None:
                text = definition if kind == "table_macro" else f"select {definition}"
                self._macros.setdefault(name, set()).add(text)
        self.is_unstable = cache(self._is_unstable)
        self.is_value = cache(self._is_value)

    def read(self, sql: str) -> Reading | None:
        """Return what a statement mentions; nothing of one that is no plain query."""
        row = self._connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
        tree = json.loads(row[0]) if row else {"error": True}
        if tree["error"]:
            return None
        nodes = [*_nodes(tree)]
        own = {
            entry["key"].lower()
            for node in nodes
            for entry in node.get("cte_map", {}).get("map", [])
        }
        own |= {node["cte_name"].lower() for node in nodes if "cte_name" in node}
        in_from = [node["function"] for node in nodes if node.get("type") == "TABLE_FUNCTION"]
        tables = (
            Mention(name, _line(sql, node))
            for node in nodes
            if node.get("type") == "BASE_TABLE" and (name := _table(node)) not in own
        )
        return Reading(
            tables=tuple(tables),
            table_functions=tuple(Mention(f["function_name"], _line(sql, f)) for f in in_from),
            functions=tuple(
                Mention(node["function_name"], _line(sql, node))
                for node in nodes
                if "function_name" in node
            ),
            bare=tuple(
                Mention(node["column_names"][0], _line(sql, node))
                for node in nodes
                if node.get("class") == "COLUMN_REF" and len(node["column_names"]) == 1
            ),
            samples=sum(1 for node in nodes if node.get("sample")),
        )

    def _is_unstable(self, name: str) -> bool:
        """Say whether a function, or a macro of DuckDB's own, changes from query to query."""
        if name in self._unstable:
            return True
        readings = [self.read(definition) for definition in self._macros.get(name, ())]
        return any(
            reading is not None
            and (
                any(self._is_unstable(one.name) for one in reading.functions if one.name != name)
                or any(self.is_value(one.name) for one in reading.bare)
            )
            for reading in readings
        )

    def _is_value(self, name: str) -> bool:
        """Say whether a bare name is a function of DuckDB where no column has it."""
        quoted = name.replace('"', '""')
        try:
            self._connection.execute(f'explain select "{quoted}"')
        except duckdb.BinderException:
            return False
        return True


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    left = [tree]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield one
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def _table(node: dict[str, Any]) -> str:
    parts = (node["catalog_name"], node["schema_name"], node["table_name"])
    return ".".join(part for part in parts if part).lower()


def _line(sql: str, node: dict[str, Any]) -> int | None:
    content, place = sql.encode(), node.get("query_location")
    if place is None or place >= len(content):  # DuckDB has a number for unknown
        return None
    return content[:place].count(b"\n") + 1
