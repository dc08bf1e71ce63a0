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
SOURCE = PROJECT / "macros" / "draws.sql"


class _ReturnedError(Exception):
    """Carries the value of `do return(..)` out of a macro."""


class _Raise:
    """Stands for dbt's `exceptions`."""

    def raise_compiler_error(self, message: str) -> None:
        raise ValueError(message)


def _return(value: object) -> None:
    raise _ReturnedError(value)


class Macros(SimpleNamespace):
    """The macros of draws.sql as Python functions that give SQL."""


def _load() -> Macros:
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701
    text = SOURCE.read_text(encoding="utf-8")
    opening = r"{%-? macro (\w+)\("
    template = environment.from_string(re.sub(opening, r"{% macro own_\1(", text))

    def function(name: str) -> Callable[..., Any]:
        def call(*arguments: object, **named: object) -> Any:
            try:
                return str(getattr(template.module, f"own_{name}")(*arguments, **named)).strip()
            except _ReturnedError as returned:
                return returned.args[0]

        return call

    # A macro finds another by its global name, so that `return` ends only that one.
    functions = {name: function(name) for name in re.findall(opening, text)}
    environment.globals |= functions
    environment.globals |= {"return": _return, "exceptions": _Raise(), "ref": str}
    environment.globals["source"] = "{}.{}".format

    def model(name: str) -> str:
        """Return the SQL of a model that uses these macros alone."""
        [path] = (PROJECT / "models").rglob(f"{name}.sql")
        return environment.from_string(path.read_text(encoding="utf-8")).render()

    return Macros(**functions, model=model)


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

    def draw(
        employees: str, decisions: list[str], trajectories: list[tuple[int, int]]
    ) -> dict[str, Any]:
        query = macros.with_draws("keyed", decisions)
        [streams] = re.findall(r"inner join (\w+) as", query)
        connection.execute(f"create or replace table streams as {_streams(streams, trajectories)}")
        keyed = (
            f"(select trajectory_id, n, {macros.employee_key('employee_id')} as employee_key "
            f"from ({employees}), (select trajectory_id from int_draw_salts))"
        )
        billionths = ", ".join(
            f"(draw_{name} * 1000000000)::bigint as {name}" for name in decisions
        )
        return connection.execute(
            f"select trajectory_id, n, {billionths} from {macros.with_draws(keyed, decisions)} "
            "order by trajectory_id, n"
        ).fetchnumpy()

    return draw
