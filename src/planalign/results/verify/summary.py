"""Rows and sums of two runs side by side: by mart, column and type of event."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from planalign.results import database
from planalign.results.columns import quote
from planalign.results.fingerprint import fingerprint
from planalign.results.scope import Scope
from planalign.results.verify.marts import column_differences
from planalign.results.verify.outcome import Fingerprints

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from planalign.results.columns import Column
    from planalign.results.run import Run
    from planalign.results.verify.outcome import ColumnDifference

Amount: TypeAlias = Decimal | int
# By the type of event, if it is this mart: rows, and the sum of each column. All together is None.
Totals: TypeAlias = dict[str | None, tuple[int, dict[str, Amount]]]

_EVENTS, _EVENT_TYPE = "fct_yearly_events", "event_type"
_SUMMED = re.compile(r"U?(TINY|SMALL|BIG)INT|U?INTEGER|HUGEINT|DECIMAL\(\d+,\d+\)|BOOLEAN")
# Numbers that name something or put it in order, beside the key of a mart: their sum says nothing.
_NAMES = frozenset(
    {"replicate", "simulation_year", "employee_key", "event_sequence", "job_level", "random_seed"}
)
# A sum of DuckDB's has up to 38 digits, and Python rounds to 28.
_EXACT = Context(prec=80)


@dataclass(frozen=True)
class Sum:
    """The sum of a column, how often it is true if it is a truth; None where a run lacks it."""

    column: str
    a: Amount | None
    b: Amount | None

    @property
    def difference(self) -> Amount | None:
        """Return B less A, exactly; None where one of them lacks the column."""
        if self.a is None or self.b is None:
            return None
        if isinstance(self.a, int) and isinstance(self.b, int):
            return self.b - self.a
        return _EXACT.subtract(Decimal(self.b), Decimal(self.a))


@dataclass(frozen=True)
class EventType:
    """The events of one type, which are numbered and summed as a mart is."""

    event_type: str
    rows_a: int
    rows_b: int
    sums: tuple[Sum, ...]

    @property
    def is_same(self) -> bool:
        """Say whether rows and sums agree."""
        return self.rows_a == self.rows_b and not any(map(_differs, self.sums))


@dataclass(frozen=True)
class MartSummary:
    """Rows and sums of a mart.

    Attributes:
        is_same: whether all of it has the same bits, not its sums alone.
        rows_a: number of rows; None where the run lacks the mart.
        columns: the columns whose type differs, or that one run lacks.
        event_types: of `fct_yearly_events`.

    """

    mart: str
    is_same: bool
    rows_a: int | None
    rows_b: int | None
    columns: tuple[ColumnDifference, ...]
    sums: tuple[Sum, ...]
    event_types: tuple[EventType, ...] = ()

    @property
    def only_in(self) -> str | None:
        """Return the run that alone has the mart, if it is one: `a` or `b`."""
        return "b" if self.rows_a is None else "a" if self.rows_b is None else None

    def differing(self) -> MartSummary:
        """Return what of it differs."""
        return replace(
            self,
            sums=tuple(filter(_differs, self.sums)),
            event_types=tuple(
                replace(one, sums=tuple(filter(_differs, one.sums)))
                for one in self.event_types
                if not one.is_same
            ),
        )


@dataclass(frozen=True)
class Summary(Fingerprints):
    """What runs A and B hold, as rows and sums: of all marts, or of those that differ."""

    marts: tuple[MartSummary, ...]

    @property
    def compared(self) -> int:
        """Return how many marts there are in both together."""
        return len((self.fingerprint_a.keys() | self.fingerprint_b.keys()) - {"all"})

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints; sums are text, which keeps every digit."""
        return {
            "identical": self.identical,
            "marts": [
                {
                    "mart": one.mart,
                    "identical": one.is_same,
                    "only_in": one.only_in,
                    "rows_a": one.rows_a,
                    "rows_b": one.rows_b,
                    "columns": [
                        {"column": column.column, "type_a": column.type_a, "type_b": column.type_b}
                        for column in one.columns
                    ],
                    "sums": _sums_as_dicts(one.sums),
                    "event_types": [
                        {
                            "event_type": group.event_type,
                            "rows_a": group.rows_a,
                            "rows_b": group.rows_b,
                            "sums": _sums_as_dicts(group.sums),
                        }
                        for group in one.event_types
                    ],
                }
                for one in self.marts
            ],
        }


def summarise(
    run_a: Run,
    run_b: Run,
    scenario: str | None = None,
    replicate: int | None = None,
    *,
    everything: bool = False,
) -> Summary:
    """Return rows and sums of two runs side by side, as far as they differ.

    Whole numbers, decimals and truths are summed, exactly, but for those that are names, such as
    those of a key; whether a mart has the same bits is told of all of its columns.

    Args:
        run_a: an open run.
        run_b: another.
        scenario: only this scenario, which both must have.
        replicate: only this replicate, which both must have.
        everything: also what is the same on both sides.

    Raises:
        UsageError: a run has no such scenario or replicate.

    """
    prints_a = fingerprint(run_a, scenario, replicate)
    prints_b = fingerprint(run_b, scenario, replicate)
    marts = sorted((prints_a.keys() | prints_b.keys()) - {"all"})
    scope = Scope(scenario, replicate)
    with database.faults(f"Cannot compare {run_a.path} with {run_b.path}"):
        summaries = tuple(
            _summary(run_a, run_b, mart, scope, is_same=prints_a.get(mart) == prints_b.get(mart))
            for mart in marts
            if everything or prints_a.get(mart) != prints_b.get(mart)
        )
    if not everything:
        summaries = tuple(one.differing() for one in summaries)
    return Summary(prints_a, prints_b, summaries)


def _summary(run_a: Run, run_b: Run, mart: str, scope: Scope, *, is_same: bool) -> MartSummary:
    runs = [run for run in (run_a, run_b) if mart in run.marts]
    names = _NAMES.union(*(run.key(mart) for run in runs))
    totals_a, totals_b = (
        _totals(run, mart, scope, names) if run in runs else {} for run in (run_a, run_b)
    )
    types = sorted(name for name in {*totals_a, *totals_b} if name is not None)
    rows_a, sums_a = totals_a.get(None, (None, {}))
    rows_b, sums_b = totals_b.get(None, (None, {}))
    return MartSummary(
        mart,
        is_same,
        rows_a,
        rows_b,
        column_differences(run_a.columns(mart), run_b.columns(mart)) if len(runs) == 2 else (),
        _side_by_side(sums_a, sums_b),
        tuple(_event_type(one, totals_a, totals_b) for one in types),
    )


def _event_type(name: str, totals_a: Totals, totals_b: Totals) -> EventType:
    """Return one type of event; a run without any has sums of nothing, which are 0."""
    (rows_a, sums_a), (rows_b, sums_b) = (
        totals.get(name) or (0, dict.fromkeys(totals[None][1] if totals else (), 0))
        for totals in (totals_a, totals_b)
    )
    return EventType(name, rows_a, rows_b, _side_by_side(sums_a, sums_b))


def _totals(run: Run, mart: str, scope: Scope, names: Collection[str]) -> Totals:
    """Return rows and sums of a mart, in one pass over it, but for the columns that are names."""
    columns = run.columns(mart)
    summed = [
        column for column in columns if _SUMMED.fullmatch(column.type) and column.name not in names
    ]
    by_type = mart == _EVENTS and any(column.name == _EVENT_TYPE for column in columns)
    group = quote(_EVENT_TYPE) if by_type else "null"
    wanted = ["count(*)", *map(_sum, summed)]
    rows = scope.select(run.relation(mart), columns)
    found = rows.aggregate(
        f"{f'grouping({group})' if by_type else '1'}, {group}::varchar, {', '.join(wanted)}",
        f"rollup ({group})" if by_type else "",
    ).fetchall()
    return {
        None if is_all else str(name): (
            count,
            {column.name: total for column, total in zip(summed, sums, strict=True)},
        )
        for is_all, name, count, *sums in found
    }


def _sum(column: Column) -> str:
    if column.type == "BOOLEAN":
        return f"count(*) filter ({column.identifier})"
    return f"coalesce(sum({column.identifier}), 0)"


def _side_by_side(a: dict[str, Amount], b: dict[str, Amount]) -> tuple[Sum, ...]:
    return tuple(Sum(name, a.get(name), b.get(name)) for name in {**a, **b})


def _differs(one: Sum) -> bool:
    return one.a != one.b


def _sums_as_dicts(sums: Sequence[Sum]) -> list[dict[str, str | None]]:
    return [
        {
            "column": one.column,
            "a": _text(one.a),
            "b": _text(one.b),
            "difference": _text(one.difference),
        }
        for one in sums
    ]


def _text(amount: Amount | None) -> str | None:
    return None if amount is None else f"{amount:f}" if isinstance(amount, Decimal) else str(amount)
