"""What a comparison of two runs found, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ColumnDifference:
    """A column whose type differs; the type is None on the side that lacks it."""

    column: str
    type_a: str | None
    type_b: str | None


@dataclass(frozen=True)
class RowDifference:
    """One differing row.

    Attributes:
        side: `a` or `b` where only that run has the row, `both` where values differ.
        key: what identifies the row; empty for a mart that has no key.
        cells: differing columns with both values (`both`), or all values of a row
            that one run has, with None for the other.

    """

    side: str
    key: dict[str, Any]
    cells: dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class MartDifference:
    """How one mart differs.

    Rows are compared over the columns that both runs have with the same type.

    Attributes:
        only_in: `a` or `b` where the other run lacks the mart.
        reordered: the same columns stand in another order.
        rows: the first differing rows in the order of the key.

    """

    mart: str
    only_in: str | None = None
    rows_a: int | None = None
    rows_b: int | None = None
    columns: tuple[ColumnDifference, ...] = ()
    reordered: bool = False
    key: tuple[str, ...] = ()
    rows_only_in_a: int = 0
    rows_only_in_b: int = 0
    rows_changed: int = 0
    rows: tuple[RowDifference, ...] = ()


@dataclass(frozen=True)
class Fingerprints:
    """The fingerprints of runs A and B, from which follows whether they are the same."""

    fingerprint_a: dict[str, str]
    fingerprint_b: dict[str, str]

    @property
    def identical(self) -> bool:
        """Say whether both runs hold the same marts, columns and bits."""
        return self.fingerprint_a == self.fingerprint_b


@dataclass(frozen=True)
class Comparison(Fingerprints):
    """The outcome of comparing runs A and B."""

    differences: tuple[MartDifference, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as the object that `--json` prints; values are text."""
        return {
            "identical": self.identical,
            "fingerprint_a": self.fingerprint_a,
            "fingerprint_b": self.fingerprint_b,
            "differences": [_mart_dict(mart) for mart in self.differences],
        }


def _mart_dict(mart: MartDifference) -> dict[str, Any]:
    return {
        "mart": mart.mart,
        "only_in": mart.only_in,
        "rows_a": mart.rows_a,
        "rows_b": mart.rows_b,
        "columns": [
            {"column": one.column, "type_a": one.type_a, "type_b": one.type_b}
            for one in mart.columns
        ],
        "reordered": mart.reordered,
        "key": list(mart.key),
        "rows_only_in_a": mart.rows_only_in_a,
        "rows_only_in_b": mart.rows_only_in_b,
        "rows_changed": mart.rows_changed,
        "rows": [
            {
                "side": row.side,
                "key": {name: _text(value) for name, value in row.key.items()},
                "columns": {
                    name: {"a": _text(a), "b": _text(b)} for name, (a, b) in row.cells.items()
                },
            }
            for row in mart.rows
        ],
    }


def _text(value: Any) -> str | None:
    """Return a value as text, which keeps every digit of an amount."""
    return None if value is None else str(value)
