"""`planalign verify`: whether two runs are the same, bit by bit."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign.cli.options import Json, Replicate, Scenario
from planalign.cli.output import emit, emit_json
from planalign.errors import ExitCode

if TYPE_CHECKING:
    from planalign.results.comparison import Comparison, MartDifference, RowDifference


# Characters of a value that the comparison shows.
_LONGEST = 60


def verify(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="Folder of a finished run.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Another.")],
    scenario: Scenario = None,
    replicate: Replicate = None,
    json: Json = False,
) -> None:
    """Compare two runs bit by bit.

    Exits with 3, and names the first differing rows and columns, if they differ.

    Keys of --json: identical; fingerprint_a and fingerprint_b (digest by mart);
    differences, a list by mart with: mart; only_in ("a", "b" or null); rows_a
    and rows_b (numbers of rows); columns (column, type_a, type_b where they
    differ); reordered (same columns in another order); key (the columns that
    identify a row, empty if none do); rows_only_in_a, rows_only_in_b and
    rows_changed (numbers of rows); rows, the first ten, each with side ("a",
    "b" or "both"), key, and columns: by column the values a and b as text.
    """
    from planalign.results import open_run  # noqa: PLC0415 - duckdb is slow to import
    from planalign.results.verify import verify as compare  # noqa: PLC0415

    with open_run(run_a) as a, open_run(run_b) as b:
        comparison = compare(a, b, scenario, replicate)
    if json:
        emit_json(comparison.as_dict())
    else:
        emit(_text(comparison))
    if not comparison.identical:
        raise typer.Exit(ExitCode.DIFFERENCE)


def _text(comparison: "Comparison") -> str:
    if comparison.identical:
        return f"Identical: {comparison.fingerprint_a['all']}"
    marts = len(comparison.fingerprint_a.keys() | comparison.fingerprint_b.keys()) - 1
    lines = [f"Different: {len(comparison.differences)} of {marts} marts"]
    for mart in comparison.differences:
        lines += ["", *_mart(mart)]
    return "\n".join(lines)


def _mart(mart: "MartDifference") -> list[str]:
    if mart.only_in:
        return [f"{mart.mart}: only in {mart.only_in.upper()}"]
    lines = [
        f"{mart.mart}: {mart.rows_a:,} rows in A, {mart.rows_b:,} in B; "
        f"{mart.rows_changed:,} changed, {mart.rows_only_in_a:,} only in A, "
        f"{mart.rows_only_in_b:,} only in B"
    ]
    lines += [
        f"  column {one.column}: {one.type_a or 'absent'} in A, {one.type_b or 'absent'} in B"
        for one in mart.columns
    ]
    if mart.reordered:
        lines.append("  the columns stand in another order")
    for row in mart.rows:
        lines += _row(row)
    hidden = mart.rows_changed + mart.rows_only_in_a + mart.rows_only_in_b - len(mart.rows)
    if hidden:
        lines.append(f"  and {hidden:,} more rows")
    return lines


def _row(row: "RowDifference") -> list[str]:
    name = _values(row.key)
    if row.side == "both":
        return [
            f"  {name}",
            *(f"    {column}: {' | '.join(_pair(a, b))}" for column, (a, b) in row.cells.items()),
        ]
    place = 0 if row.side == "a" else 1
    name = name or _values({column: pair[place] for column, pair in row.cells.items()})
    return [f"  only in {row.side.upper()}: {name}"]


def _values(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in values.items())


def _pair(a: object, b: object) -> tuple[str, str]:
    """Return two values as text, of long ones the part where they begin to differ."""
    left, right = _value(a), _value(b)
    if max(len(left), len(right)) <= _LONGEST:
        return left, right
    same = next((n for n, (x, y) in enumerate(zip(left, right, strict=False)) if x != y), 0)
    start = max(0, same - _LONGEST // 4)
    return _excerpt(left, start), _excerpt(right, start)


def _excerpt(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'..' if start else ''}{text[start:end]}{'..' if end < len(text) else ''}"


def _value(value: Any) -> str:
    return "NULL" if value is None else str(value)
