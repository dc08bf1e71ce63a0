"""The generator is Philox-2x32: the published answers, and a second implementation."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import duckdb

    from conftest import Macros

WORD = 0xFFFFFFFF

# From kat_vectors of Random123 (Salmon, Moraes, Dror, Shaw): counter, key, answer.
KNOWN = [
    (7, (0x00000000, 0x00000000), 0x00000000, (0x257A3673, 0xCD26BE2A)),
    (7, (0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, (0xAB302C4D, 0x3DC9D239)),
    (7, (0x243F6A88, 0x85A308D3), 0x13198A2E, (0xBEDBBE6B, 0xE4C770B3)),
    (10, (0x00000000, 0x00000000), 0x00000000, (0xFF1DAE59, 0x6CD10DF2)),
]


def philox(left: int, right: int, key: int, rounds: int) -> tuple[int, int]:
    """Follow the paper's text, on unbounded integers."""
    for _ in range(rounds):
        product = 0xD256D193 * left
        left, right = (product >> 32) ^ key ^ right, product & WORD
        key = (key + 0x9E3779B9) & WORD
    return left, right


def start(rows: list[tuple[int, int, int]], name: str = "x") -> str:
    values = ", ".join(f"({a}::ubigint, {b}::ubigint, {c}::ubigint)" for a, b, c in rows)
    return f"(select * from (values {values}) as t({name}_left, {name}_right, {name}_key))"


@pytest.mark.parametrize("known", KNOWN)
def test_known_answers(
    macros: Macros,
    connection: duckdb.DuckDBPyConnection,
    known: tuple[int, tuple[int, int], int, tuple[int, int]],
) -> None:
    rounds, counter, key, answer = known
    assert philox(*counter, key, rounds) == answer
    query = macros.philox(start([(*counter, key)]), ["x"], rounds)
    assert connection.execute(f"select x_left, x_right from {query}").fetchone() == answer


def test_seven_rounds_are_the_default(
    macros: Macros, connection: duckdb.DuckDBPyConnection
) -> None:
    _, counter, key, answer = KNOWN[2]
    query = macros.philox(start([(*counter, key)]), ["x"])
    assert connection.execute(f"select x_left, x_right from {query}").fetchone() == answer


@pytest.mark.parametrize("rounds", [1, 2, 7, 10])
def test_as_an_independent_implementation(
    macros: Macros, connection: duckdb.DuckDBPyConnection, rounds: int
) -> None:
    words = random.Random(rounds)  # noqa: S311
    edges = [0, 1, 0x7FFFFFFF, 0x80000000, WORD - 1, WORD]
    rows = [(a, b, c) for a in edges for b in edges for c in edges]
    rows += [tuple(words.getrandbits(32) for _ in range(3)) for _ in range(1000)]
    query = macros.philox(start(rows), ["x"], rounds)
    found = connection.execute(f"select x_left, x_right from {query}").fetchall()
    assert found == [philox(*row, rounds) for row in rows]


def test_streams_side_by_side_do_not_touch(
    macros: Macros, connection: duckdb.DuckDBPyConnection
) -> None:
    one, other = (1, 2, 3), (4, 5, 6)
    relation = f"(select * from {start([one], 'a')}, {start([other], 'b')}, (select 7 as id))"
    query = macros.philox(relation, ["a", "b"])
    found = connection.execute(
        f"select a_left, a_right, b_left, b_right, id from {query}"
    ).fetchone()
    assert found == (*philox(*one, 7), *philox(*other, 7), 7)


@pytest.mark.parametrize(
    ("left", "right", "billionths"),
    [
        (0, 0, 0),
        (WORD, WORD, 999_999_999),
        (0x80000000, 0, 500_000_000),
        (0, 0x80000000, 500),
        # Least words that reach the next digit of each part.
        (4294, 0, 0),
        (4295, 0, 1000),
        (0, 4294967, 0),
        (0, 4294968, 1),
    ],
)
def test_words_as_a_uniform_draw(
    macros: Macros,
    connection: duckdb.DuckDBPyConnection,
    left: int,
    right: int,
    billionths: int,
) -> None:
    draw = macros.uniform(f"{left}::ubigint", f"{right}::ubigint")
    found = connection.execute(f"select ({draw} * 1000000000)::bigint, typeof({draw})").fetchone()
    assert found == (billionths, "DECIMAL(18,9)")
