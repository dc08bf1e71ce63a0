"""`planalign verify`: whether two runs, or a run and its repetition, are the same, bit by bit."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planalign.cli.options import Json, Replicate, Scenario
from planalign.cli.output import emit, emit_json
from planalign.errors import ExitCode, UsageError
from planalign.text import visible

if TYPE_CHECKING:
    from planalign.results.verify import Comparison, MartDifference, RowDifference
    from planalign.study.reproduction import Change, Reproduction


# Characters of a value that the comparison shows.
_LONGEST = 60


def verify(
    run_a: Annotated[
        Path | None, typer.Argument(metavar="[RUN_A]", help="Folder of a finished run.")
    ] = None,
    run_b: Annotated[Path | None, typer.Argument(metavar="[RUN_B]", help="Another.")] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="provenance.json or pack of a run: simulate it again and compare.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="F", help="With --against. Default: config.yaml beside."),
    ] = None,
    census: Annotated[
        Path | None,
        typer.Option("--census", metavar="F", help="With --against. Default: the configured one."),
    ] = None,
    fingerprints: Annotated[
        Path | None,
        typer.Option(
            "--fingerprints",
            metavar="F",
            help="With --against: what `planalign fingerprint --json` printed of the run. "
            "Default: the results beside.",
        ),
    ] = None,
    scenario: Scenario = None,
    replicate: Replicate = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="Rows and sums by mart, column and type of event.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="With --summary: also what is the same.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare two runs bit by bit, or a run of the past with what its inputs give now.

    Exits with 3, and names the first differing rows and columns, if they differ.
    With --summary, it tells rows and sums in place of rows.

    Keys of --json: identical; fingerprint_a and fingerprint_b (digest by mart);
    differences, a list by mart with: mart; only_in ("a", "b" or null); rows_a
    and rows_b (numbers of rows); columns (column, type_a, type_b where they
    differ); reordered (same columns in another order); key (the columns that
    identify a row, empty if none do); rows_only_in_a, rows_only_in_b and
    rows_changed (numbers of rows); rows, the first ten, each with side ("a",
    "b" or "both"), key, and columns: by column the values a and b as text.
    With --against, a is the run of the past, b the new simulation, and changes
    lists what is not as recorded: what, recorded, found.

    Keys with --summary: identical; marts, a list of those that differ with: mart;
    identical; only_in, rows_a, rows_b and columns as above; sums, each with column,
    a, b and difference (B less A), as text; event_types, of fct_yearly_events, each
    with event_type, rows_a, rows_b and sums.
    """
    if everything and not summary:
        raise UsageError("--all belongs to --summary", "Give both, or none.")
    if against is None:
        from planalign.results import verify as comparing  # noqa: PLC0415 - duckdb

        summarise = partial(comparing.summarise, everything=everything)
        compare = summarise if summary else comparing.verify
        outcome = _of_two(
            compare, run_a, run_b, (config, census, fingerprints), scenario, replicate
        )
    elif run_a is not None:
        raise UsageError("two runs or --against can be verified, not both", "Name one of them.")
    elif summary:
        raise UsageError("--summary is of two runs", "Name both in place of --against.")
    else:
        from planalign.cli.progress import following  # noqa: PLC0415 - duckdb is slow to import
        from planalign.study.reproduction import reproduce  # noqa: PLC0415

        with following() as listener:
            outcome = reproduce(
                against,
                config=config,
                census=census,
                fingerprints=fingerprints,
                scenario=scenario,
                replicate=replicate,
                listener=listener,
            )
    if json:
        emit_json(outcome.as_dict())
    elif summary:
        from planalign.cli.summary_tables import print_summary_of  # noqa: PLC0415 - rich

        print_summary_of(outcome)
    else:
        emit(_reproduced(outcome) if against else _text(outcome))
    if not outcome.identical:
        raise typer.Exit(ExitCode.DIFFERENCE)


def _of_two(
    compare: Callable[..., Any],
    run_a: Path | None,
    run_b: Path | None,
    of_against: tuple[Path | None, ...],
    *scope: str | int | None,
) -> Any:
    from planalign.results import open_run  # noqa: PLC0415 - duckdb is slow to import

    if run_a is None or run_b is None:
        raise UsageError("two runs are compared", "Name both, or the record of one with --against.")
    if any(of_against):
        raise UsageError(
            "--config, --census and --fingerprints belong to --against",
            "Runs are compared as they are; leave them out.",
        )
    with open_run(run_a) as a, open_run(run_b) as b:
        return compare(a, b, *scope)


def _reproduced(outcome: "Reproduction") -> str:
    lines = [
        f"Not as recorded: {one.what.replace('.', ' of ', 1)}: {_now(one)}"
        for one in outcome.changes
    ]
    if not outcome.identical:
        lines.append("A is the run of the past, B the new simulation.")
    return "\n".join([*lines, _text(outcome.comparison)])


def _now(change: "Change") -> str:
    before, after = (value or "absent" for value in (change.recorded, change.found))
    if change.what.startswith("fingerprints."):
        before, after = before[:12], after[:12]
    return f"{before}, now {after}"


def _text(comparison: "Comparison") -> str:
    if comparison.identical:
        return f"Identical: {comparison.fingerprint_a['all']}"
    marts = len(comparison.fingerprint_a.keys() | comparison.fingerprint_b.keys()) - 1
    lines = [f"Different: {len(comparison.differences)} of {marts} marts"]
    if not comparison.differences:
        lines.append("The digest of all that A gives is not that of its marts.")
    for mart in comparison.differences:
        lines += ["", *_mart(mart)]
    return "\n".join(lines)


def _mart(mart: "MartDifference") -> list[str]:
    if mart.only_in:
        return [f"{mart.mart}: only in {mart.only_in.upper()}"]
    if mart.rows_a is None:
        return [f"{mart.mart}: another digest; without the results of A, no row can be named"]
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
    return "NULL" if value is None else visible(str(value))
