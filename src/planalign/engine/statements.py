"""What a compiled statement reads and calls, in the words of DuckDB's own parser."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
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
# What DuckDB, or 1.5 alone, calls the same for the same arguments although it looks at the
# connection, the clock or the version, draws a sample, or depends on the order of rows.
_NOT_SAID = frozenset(
    {
        "approx_quantile", "approx_top_k", "current_localtime", "current_localtimestamp",
        "current_setting", "getvariable", "index_key", "json_serialize_plan",
        "reservoir_quantile", "vector_type", "version",
    }
)  # fmt: skip
# Table functions that give the same rows for the same arguments.
PURE_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})
# What may stand in a `from`; another kind asks the catalogue.
_IN_FROM = frozenset(
    {
        "BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SUBQUERY", "TABLE_FUNCTION",
    }
)  # fmt: skip


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
    """A name in a statement, and the 1-based line that it is on, where DuckDB tells.

    Of a function also the number of its arguments, without one in front of a dot.
    """

    name: str
    line: int | None
    arguments: int = 0


@dataclass(frozen=True)
class Reading:
    """What a statement mentions.

    `tables` are those that are not its own, as `catalog.schema.name` as far as given, a
    part with a dot in quotes; `table_functions` stand in its `from`, as do the `catalogue`s:
    `show`, `describe` and the like; `bare` are columns without a table.
    """

    tables: tuple[Mention, ...]
    table_functions: tuple[Mention, ...]
    catalogue: tuple[Mention, ...]
    functions: tuple[Mention, ...]
    bare: tuple[Mention, ...]
    samples: int

    def beyond(self, part: Reading) -> Reading:
        """Return what is mentioned here and not in a part of it, each once, without lines."""

        def more(of: str) -> tuple[Mention, ...]:
            known = {(one.name, one.arguments) for one in getattr(part, of)}
            left = dict.fromkeys(replace(one, line=None) for one in getattr(self, of))
            return tuple(one for one in left if (one.name, one.arguments) not in known)

        kinds = ("tables", "table_functions", "catalogue", "functions", "bare")
        return Reading(**{kind: more(kind) for kind in kinds}, samples=self.samples - part.samples)


class Reader:
    """Reads statements on a connection, whose functions are looked up."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._unstable = {*_NOT_SAID}
        self._macros: dict[str, set[str]] = {}
        for name, kind, stability, definition in connection.execute(
            "select function_name, function_type, stability, macro_definition "
            "from duckdb_functions()"
        ).fetchall():
            if stability in _UNSTABLE:
                self._unstable.add(name)
            elif kind == "macro":
                self._macros.setdefault(name, set()).add(f"select {definition}")
        self.is_unstable = cache(self._is_unstable)
        self.is_value = cache(self._is_value)

    def read(self, sql: str) -> Reading | None:
        """Return what a statement mentions; nothing of one that is no plain query."""
        row = self._connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
        tree = json.loads(row[0]) if row else {"error": True}
        if tree["error"] or len(tree["statements"]) != 1:
            return None
        scoped = [*_nodes(tree)]
        nodes = [node for node, _ in scoped]
        in_from = [node["function"] for node in nodes if node.get("type") == "TABLE_FUNCTION"]
        tables = (
            Mention(_table(node), _line(sql, node))
            for node, own in scoped
            if node.get("type") == "BASE_TABLE" and not _is_one_of(node, own)
        )
        return Reading(
            tables=tuple(tables),
            table_functions=tuple(Mention(f["function_name"], _line(sql, f)) for f in in_from),
            catalogue=tuple(
                Mention(_kind(node), _line(sql, node))
                for node in nodes
                if _is_in_from(node) and node["type"] not in _IN_FROM
            ),
            functions=tuple(
                Mention(node["function_name"], _line(sql, node), _arguments(node))
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

    def is_changing(self, function: Mention) -> bool:
        """Say whether a call of a function changes from query to query."""
        return _counts_from_today(function) or self.is_unstable(function.name)

    def _is_unstable(self, name: str) -> bool:
        """Say whether a function, or a macro of DuckDB's own, changes from query to query."""
        seen, waiting = set[str](), [name]
        while waiting:
            one = waiting.pop()
            if one in self._unstable:
                return True
            readings = [] if one in seen else map(self.read, self._macros.get(one, ()))
            seen.add(one)
            for reading in filter(None, readings):
                if (
                    any(map(_counts_from_today, reading.functions))
                    or any(self.is_value(bare.name) for bare in reading.bare)
                    or any(f.name not in PURE_TABLE_FUNCTIONS for f in reading.table_functions)
                ):
                    return True
                waiting += (function.name for function in reading.functions)
        return False

    def _is_value(self, name: str) -> bool:
        """Say whether a bare name is a function of DuckDB where no column has it."""
        quoted = name.replace('"', '""')
        try:
            self._connection.execute(f'explain select "{quoted}"')
        except duckdb.BinderException:
            return False
        return True


def _nodes(tree: Any) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Yield each node, and the names that common table expressions have where it stands.

    Such a name is seen by those that come after it, by the query that they belong to and by
    what is inside of either; by itself only if it is recursive.
    """
    left: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while left:
        one, own = left.pop()
        if isinstance(one, list):
            left.extend((part, own) for part in one)
        if not isinstance(one, dict):
            continue
        for entry in one.get("cte_map", {}).get("map", []):
            left.append((entry["value"], own))
            own |= {entry["key"].lower()}
        rest = {key: value for key, value in one.items() if key != "cte_map"}
        if "cte_name" in one:
            if one["type"] != "RECURSIVE_CTE_NODE":
                left.append((rest.pop("query", None), own))
            own |= {one["cte_name"].lower()}
        yield one, own
        left.extend((value, own) for value in rest.values())


def _is_one_of(node: dict[str, Any], own: frozenset[str]) -> bool:
    """Say whether a table is a common table expression, which has no schema."""
    is_bare = not (node["catalog_name"] or node["schema_name"])
    return is_bare and node["table_name"].lower() in own


def _is_in_from(node: dict[str, Any]) -> bool:
    return {"type", "alias", "sample"} <= node.keys() and "class" not in node


def _counts_from_today(function: Mention) -> bool:
    return function.name == "age" and function.arguments < 2


def _kind(node: dict[str, Any]) -> str:
    return "show, describe or summarize" if node["type"] == "SHOW_REF" else str(node["type"])


def _arguments(node: dict[str, Any]) -> int:
    # DuckDB 1.5 calls them children.
    return len(node["arguments"] if "arguments" in node else node["children"])


def _table(node: dict[str, Any]) -> str:
    parts = (node["catalog_name"], node["schema_name"], node["table_name"])
    named = (f'"{part}"' if "." in part else part for part in parts if part)
    return ".".join(named).lower()


def _line(sql: str, node: dict[str, Any]) -> int | None:
    content, place = sql.encode(), node.get("query_location")
    if place is None or place >= len(content):  # DuckDB has a number for unknown
        return None
    return content[:place].count(b"\n") + 1
