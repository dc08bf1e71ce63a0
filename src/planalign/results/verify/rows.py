"""Find the differing rows of one table on two sides, with memory for keys and digests only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign.results.columns import cell_text, listed, quote, row_digest
from planalign.results.verify.outcome import RowDifference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from planalign.results.columns import Column

SIDES = ("a", "b")
_DIGEST = "__digest"


@dataclass(frozen=True)
class Differences:
    """Counts of differing rows, and the first of them in the order of the key."""

    key: tuple[str, ...] = ()
    only_in_a: int = 0
    only_in_b: int = 0
    changed: int = 0
    rows: tuple[RowDifference, ...] = ()


def show(rows: duckdb.DuckDBPyRelation, side: str, shared: Sequence[Column]) -> None:
    """Make the rows of one side visible to `find`, each with its digest over `shared`."""
    rows.project(f"*, {row_digest(shared)} as {_DIGEST}").create_view(_view(side))


def find(
    connection: duckdb.DuckDBPyConnection,
    shared: Sequence[Column],
    declared: Iterable[tuple[str, ...]],
    limit: int,
) -> Differences:
    """Compare the rows of both sides over the columns that both have.

    Args:
        connection: on which `show` has been called for both sides.
        shared: columns with the same name and type on both sides.
        declared: keys that the sides declare, if they do.
        limit: differing rows to return.

    """
    key = _key(connection, shared, declared)
    if key:
        return _by_key(connection, shared, key, limit)
    return _by_row(connection, shared, limit)


def count(rows: duckdb.DuckDBPyRelation) -> int:
    """Return the number of rows of a relation."""
    [(number,)] = rows.aggregate("count(*)").fetchall()
    return int(number)


def _view(side: str) -> str:
    return f"rows_{side}"


def _key(
    connection: duckdb.DuckDBPyConnection,
    shared: Sequence[Column],
    declared: Iterable[tuple[str, ...]],
) -> tuple[str, ...]:
    """Return the columns that identify a row on both sides; empty if none do.

    A declared key, or where there is none the first columns, none of them an amount.
    """
    names = [column.name for column in shared]
    leading = next((place for place, column in enumerate(shared) if column.is_measure), len(shared))
    candidates = [
        *(key for key in dict.fromkeys(declared) if set(key) <= set(names)),
        *(tuple(names[:width]) for width in range(1, leading + 1)),
    ]
    for key in candidates:
        if key and all(_identifies(connection.table(_view(side)), key) for side in SIDES):
            return key
    return ()


def _identifies(rows: duckdb.DuckDBPyRelation, key: tuple[str, ...]) -> bool:
    without = " or ".join(f"{quote(name)} is null" for name in key)
    if rows.filter(without).limit(1).fetchall():
        return False
    copies = rows.aggregate(f"{listed(key)}, count(*) as copies", listed(key))
    return not copies.filter("copies > 1").limit(1).fetchall()


def _by_key(
    connection: duckdb.DuckDBPyConnection,
    shared: Sequence[Column],
    key: tuple[str, ...],
    limit: int,
) -> Differences:
    """Pair rows by key on digests alone, and read whole rows only of the first pairs."""
    keys = listed(key)
    side_a, side_b = (
        connection.table(_view(side)).project(f"{keys}, {_DIGEST} as digest_{side}")
        for side in SIDES
    )
    side_a.join(side_b, keys, how="outer").filter("digest_a is distinct from digest_b").create(
        "differing"
    )
    differing = connection.table("differing")
    [(only_in_a, only_in_b, both)] = differing.aggregate(
        "count(*) filter (digest_b is null), count(*) filter (digest_a is null),"
        "count(*) filter (digest_a is not null and digest_b is not null)"
    ).fetchall()
    differing.order(keys).limit(limit).project(keys).create("named")
    values_a, values_b = (_named_rows(connection, side, shared, key) for side in SIDES)
    named = connection.table("named").order(keys).fetchall()
    rows = [
        _row(dict(zip(key, one, strict=True)), shared, values_a.get(one), values_b.get(one))
        for one in named
    ]
    return Differences(key, only_in_a, only_in_b, both, tuple(rows))


def _named_rows(
    connection: duckdb.DuckDBPyConnection, side: str, shared: Sequence[Column], key: tuple[str, ...]
) -> dict[tuple[Any, ...], list[tuple[Any, str]]]:
    """Return the named rows of one side: by key, the value and exact text of each column."""
    rows = connection.table(_view(side)).join(connection.table("named"), listed(key), how="semi")
    wanted = [
        listed([*key, *(column.name for column in shared)]),
        *(cell_text(column) for column in shared),
    ]
    first, second = len(key), len(key) + len(shared)
    return {
        row[:first]: list(zip(row[first:second], row[second:], strict=True))
        for row in rows.project(", ".join(wanted)).fetchall()
    }


def _row(
    key: dict[str, Any],
    shared: Sequence[Column],
    row_a: list[tuple[Any, str]] | None,
    row_b: list[tuple[Any, str]] | None,
) -> RowDifference:
    nothing = [(None, "")] * len(shared)
    cells = {
        column.name: (value_a, value_b)
        for column, (value_a, text_a), (value_b, text_b) in zip(
            shared, row_a or nothing, row_b or nothing, strict=True
        )
        # The texts decide: 0.0 equals -0.0 and NaN differs from itself, but only bits count.
        if text_a != text_b and column.name not in key
    }
    side = "a" if row_b is None else "b" if row_a is None else "both"
    return RowDifference(side, key, cells)


def _by_row(
    connection: duckdb.DuckDBPyConnection, shared: Sequence[Column], limit: int
) -> Differences:
    """Compare whole rows as multisets, for a table without a key."""
    side_a = connection.table(_view("a")).project(f"{_DIGEST}, 1 as n")
    side_b = connection.table(_view("b")).project(f"{_DIGEST}, -1 as n")
    surplus = side_a.union(side_b).aggregate(f"{_DIGEST}, sum(n)::bigint as surplus", _DIGEST)
    surplus.filter("surplus <> 0").create("differing")
    differing = connection.table("differing")
    [(only_in_a, only_in_b)] = differing.aggregate(
        "coalesce(sum(greatest(surplus, 0)), 0)::bigint,"
        "coalesce(sum(greatest(-surplus, 0)), 0)::bigint"
    ).fetchall()
    names = [column.name for column in shared]
    rows: list[RowDifference] = []
    for side, in_surplus in zip(SIDES, ("surplus > 0", "surplus < 0"), strict=True):
        extra = (
            connection.table(_view(side))
            .join(differing.filter(in_surplus), _DIGEST, how="inner")
            .project(f"{listed(names)}, abs(surplus) as copies")
            .distinct()
            .order(listed(names))
            .limit(limit)
        )
        for *values, copies in extra.fetchall():
            pairs = [(value, None) if side == "a" else (None, value) for value in values]
            one = RowDifference(side, {}, dict(zip(names, pairs, strict=True)))
            rows.extend([one] * min(copies, limit))
    return Differences((), only_in_a, only_in_b, 0, tuple(rows[:limit]))
