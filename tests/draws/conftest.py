"""Render the macros of the generator with plain jinja2, as dbt would, and run them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import jinja2
import pytest

import planalign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(planalign.__file__).parent / "dbt"
# The generator, and the doors through which its streams come.
SOURCES = [PROJECT / "macros" / name for name in ("draws.sql", "own_decisions.sql", "doors.sql")]


class _ReturnedError(Exception):
    """Carries the value of `do return(..)` out of a macro."""


class _Raise:
    """Stands for dbt's `exceptions`."""

    def raise_compiler_error(self, message: str) -> None:
        raise ValueError(message)


def _return(value: object) -> None:
    raise _ReturnedError(value)


class Macros(SimpleNamespace):
    """The macros of these files as Python functions that give SQL."""


def _load() -> Macros:
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701
    text = "".join(source.read_text(encoding="utf-8") for source in SOURCES)
    opening = r"{%-? macro (\w+)\("
    template = environment.from_string(re.sub(opening, r"{% macro own_\1(", text))

    def function(name: str) -> Callable[..., Any]:
        def call(*arguments: object, **named: object) -> Any:
            try:
                return str(getattr(template.module, f"own_{name}")(*arguments, **named)).strip()
            except _ReturnedError as returned:
                return returned.args[0]

        return call

    def model(name: str) -> str:
        """Return the SQL of a model that needs no macros but these."""
        [path] = (PROJECT / "models").rglob(f"{name}.sql")
        return environment.from_string(path.read_text(encoding="utf-8")).render()

    # A macro finds another by its global name, so that `return` ends only that one.
    functions = {name: function(name) for name in re.findall(opening, text)}
    environment.globals |= functions
    environment.globals |= {"return": _return, "exceptions": _Raise()}
    # The streams of a year are made by the model that the macro refers to.
    environment.globals |= {"ref": lambda name: f"({model(name)})", "source": "{}.{}".format}
    return Macros(**functions)


@pytest.fixture(scope="session")
def macros() -> Macros:
    return _load()


@pytest.fixture(scope="session")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture(scope="session")
def draws(macros: Macros, connection: duckdb.DuckDBPyConnection) -> Callable[..., dict[str, Any]]:
    """Draw for each employee of a query, by the macros alone, in billionths.

    The query has a number `n` and an `employee_id`; `trajectories` are pairs of a
    seed and a year. Gives columns in the order of trajectory and number.
    """
    connection.execute("create schema inputs")

    def draw(
        employees: str, decisions: list[str], trajectories: list[tuple[int, int]]
    ) -> dict[str, Any]:
        connection.execute(
            "create or replace table keyed as "
            f"select n, {macros.employee_key('employee_id')} as employee_key from ({employees})"
        )
        billionths = ", ".join(f"(draw_{name} * 1000000000)::bigint" for name in decisions)
        names = ", ".join(["trajectory_id", "n", *decisions])
        query = macros.with_draws(
            "(select * from keyed, (select trajectory_id from inputs.trajectories))", decisions
        )
        for number, (seed, year) in enumerate(trajectories):
            connection.execute(
                "create or replace table inputs.trajectories as "
                f"select {number}::integer as trajectory_id, {seed}::bigint as random_seed; "
                "create or replace table inputs.control as "
                f"select {year}::integer as simulation_year; "
                + ("insert into drawn " if number else "create or replace table drawn as ")
                + f"select * from (select trajectory_id, n, {billionths} from {query}) "
                f"as t({names})"
            )
        return connection.execute("from drawn order by trajectory_id, n").fetchnumpy()

    return draw
