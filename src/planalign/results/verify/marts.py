"""Compare two runs bit by bit and name the first rows and columns that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.results import database
from planalign.results.columns import quote
from planalign.results.fingerprint import fingerprint
from planalign.results.scope import Scope
from planalign.results.verify.outcome import ColumnDifference, Comparison, MartDifference
from planalign.results.verify.rows import SIDES, Differences, count, find, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.results.columns import Column
    from planalign.results.run import Run


def verify(
    run_a: Run,
    run_b: Run,
    scenario: str | None = None,
    replicate: int | None = None,
    limit: int = 10,
) -> Comparison:
    """Compare the marts, columns, types and rows of two runs.

    Args:
        run_a: an open run.
        run_b: another.
        scenario: compare only this scenario, which both must have.
        replicate: compare only this replicate, which both must have.
        limit: differing rows to name per mart.

    Raises:
        UsageError: a run has no such scenario or replicate.

    """
    # Fingerprints first: they need one pass and no memory, and mostly they agree.
    prints_a = fingerprint(run_a, scenario, replicate)
    prints_b = fingerprint(run_b, scenario, replicate)
    marts = sorted((prints_a.keys() | prints_b.keys()) - {"all"})
    differing = [mart for mart in marts if prints_a.get(mart) != prints_b.get(mart)]
    scope = Scope(scenario, replicate)
    with database.faults(f"Cannot compare {run_a.path} with {run_b.path}"):
        differences = [_compare(run_a, run_b, mart, scope, limit) for mart in differing]
    return Comparison(prints_a, prints_b, tuple(differences))


def _compare(run_a: Run, run_b: Run, mart: str, scope: Scope, limit: int) -> MartDifference:
    if mart not in run_b.marts:
        return MartDifference(mart, only_in="a", rows_a=_rows(run_a, mart, scope))
    if mart not in run_a.marts:
        return MartDifference(mart, only_in="b", rows_b=_rows(run_b, mart, scope))
    columns_a, columns_b = run_a.columns(mart), run_b.columns(mart)
    shared = [column for column in columns_a if column in columns_b]
    found = _differences((run_a, run_b), mart, scope, shared, limit) if shared else Differences()
    return MartDifference(
        mart,
        rows_a=_rows(run_a, mart, scope),
        rows_b=_rows(run_b, mart, scope),
        columns=column_differences(columns_a, columns_b),
        reordered=set(columns_a) == set(columns_b) and columns_a != columns_b,
        key=found.key,
        rows_only_in_a=found.only_in_a,
        rows_only_in_b=found.only_in_b,
        rows_changed=found.changed,
        rows=found.rows,
    )


def _differences(
    runs: tuple[Run, Run], mart: str, scope: Scope, shared: Sequence[Column], limit: int
) -> Differences:
    folders = {side: run.path.resolve() for side, run in zip(SIDES, runs, strict=True)}
    with database.read(folders) as connection:
        for side, run in zip(SIDES, runs, strict=True):
            rows = connection.table(f"{side}.main.{quote(mart)}")
            show(scope.select(rows, run.columns(mart)), side, shared)
        return find(connection, shared, [run.key(mart) for run in runs], limit)


def _rows(run: Run, mart: str, scope: Scope) -> int:
    return count(scope.select(run.relation(mart), run.columns(mart)))


def column_differences(
    columns_a: Sequence[Column], columns_b: Sequence[Column]
) -> tuple[ColumnDifference, ...]:
    """Return the columns of a mart whose type differs, or that one side lacks."""
    types_a = {column.name: column.type for column in columns_a}
    types_b = {column.name: column.type for column in columns_b}
    return tuple(
        ColumnDifference(name, types_a.get(name), types_b.get(name))
        for name in {**types_a, **types_b}
        if types_a.get(name) != types_b.get(name)
    )
