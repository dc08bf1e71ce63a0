"""Rows and sums of two runs as text; import only inside a command, for rich is slow."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from planalign.cli.output import emit
from planalign.cli.tables import print_table
from planalign.results.verify import Sum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planalign.results.verify import MartSummary, Summary
    from planalign.results.verify.summary import Amount

# Of a name; with three sums of 999 billion dollars a line then has 100 characters.
_LONGEST = 36


def print_summary_of(summary: Summary) -> None:
    """Print how many marts differ, their columns, and rows and sums of A beside B."""
    if summary.identical:
        emit(f"Identical: {summary.fingerprint_a['all']}")
    else:
        differing = sum(not mart.is_same for mart in summary.marts)
        emit(f"Different: {differing} of {summary.compared} marts")
    for mart in summary.marts:
        for one in mart.columns:
            types = f"{one.type_a or 'absent'} in A, {one.type_b or 'absent'} in B"
            emit(f"  {mart.mart}, column {one.column}: {types}")
    if summary.marts:
        rows = [row for mart in summary.marts for row in _rows(mart)]
        print_table(["Rows and sums", "A", "B", "B - A"], rows, left=("Rows and sums",))


def _rows(mart: MartSummary) -> Iterator[list[str]]:
    yield [_short(mart.mart), *_figures(Sum("", mart.rows_a, mart.rows_b))]
    yield from (_sum(one, 1) for one in mart.sums)
    for group in mart.event_types:
        yield [f"  {_short(group.event_type)}", *_figures(Sum("", group.rows_a, group.rows_b))]
        yield from (_sum(one, 2) for one in group.sums)
    if not mart.is_same and _has_equal_sums(mart):
        yield ["  differs in values without a sum", "", "", ""]


def _has_equal_sums(mart: MartSummary) -> bool:
    """Say whether nothing that is shown tells that a mart of both differs."""
    sums = [*mart.sums, *(one for group in mart.event_types for one in group.sums)]
    return mart.rows_a == mart.rows_b and all(one.a == one.b for one in sums) and not mart.columns


def _sum(one: Sum, depth: int) -> list[str]:
    return [f"{'  ' * depth}{_short(one.column)}", *_figures(one)]


def _figures(one: Sum) -> tuple[str, ...]:
    return (_amount(one.a), _amount(one.b), _amount(one.difference, "+"))


def _amount(value: Amount | None, sign: str = "") -> str:
    """Format an amount with every digit; one that a run lacks is a dash."""
    if value is None:
        return "-"
    if not value:
        sign = ""
    return f"{value:{sign},f}" if isinstance(value, Decimal) else f"{value:{sign},}"


def _short(name: str) -> str:
    """Return a name, of a long one its beginning and end."""
    half = _LONGEST // 2 - 1
    return name if len(name) <= _LONGEST else f"{name[:half]}..{name[-half:]}"
