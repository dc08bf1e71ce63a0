"""Findings from how DuckDB executed the models: they need `simulate --profile plans`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.profile.findings.finding import Finding, seconds, severity_of
from planalign.record.query_plans import QueryPlan, query_plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planalign.profile.analysis import Analysis
    from planalign.record.query_plans import Operator
    from planalign.record.record import Record

    Plans = Mapping[tuple[str, int | None, int | None], QueryPlan]

# An operator that takes less is no bottleneck; seconds, and as a part of its statement's.
OPERATOR_SECONDS, OPERATOR_SHARE = 0.1, 0.1
# The planner's estimates are within some ten times where it knows the columns, and it
# knows little of what is computed; a plan turns bad when they are off by more.
ESTIMATE_FACTOR, ESTIMATE_ROWS = 100, 100_000
# It did harm where the join gave so many times the rows of its larger side, or hashed,
# on its right, so many times the rows that it passed by. Many are wrong without harm.
HARM_FACTOR = 10
# And its joins are such a part of the seconds of all models; DuckDB 1.5 hashes a wrong
# side in the shipped project, for one of a hundred.
JOIN_SHARE = 0.03
# Operators that compare each row of one side with each of the other. One side may be
# small: a year, job levels, bands. Pairs of a company of 500, fast as they are, are a
# million of times as many in one of 500,000.
QUADRATIC = ("NESTED_LOOP", "BLOCKWISE", "CROSS_PRODUCT")
SMALL_SIDE, MANY_PAIRS = 100, 250_000
# Scans of the same table in a statement, of so many rows each.
MANY_SCANS, SCAN_ROWS = 3, 100_000
# A scan that keeps less could have left row groups out, of some four at least.
KEPT_SHARE, PRUNABLE_ROWS = 0.05, 500_000
# Of the row groups of a table; with less some were left out.
SCANNED_SHARE = 0.9


def read_plans(record: Record) -> Plans:
    """Return the plans of a record."""
    return {key: query_plan_of(raw) for key, raw in record.query_plans.items()}


def bad_estimates(plans: Plans, analysis: Analysis) -> Iterator[Finding]:
    """Find joins that take long and of whose rows the planner knew little."""
    everything = sum(model.total for model in analysis.models)
    for model, year, join, total in _worst(plans, _is_badly_estimated):
        if total < JOIN_SHARE * everything:
            continue
        expected = join.estimated_rows or 0
        yield Finding(
            "bad_estimate", f"{model} joins {join.rows:,} rows where {expected:,} were expected",
            model, year,
            (("operator", join.name), ("on", join.details.get("Conditions", "nothing")),
             ("rows", f"{join.rows:,}"), ("rows expected", f"{expected:,}"),
             ("rows of its sides", " and ".join(f"{one.rows:,}" for one in join.children)),
             ("seconds of its threads", seconds(join.seconds))),
            "Build the side that is computed as a table of its own, so that its rows are known, "
            "or aggregate before the join.",
            "A part of the join: the smaller side would be hashed.",
            total / 2, severity_of(total / 2, analysis.wall_seconds),
        )  # fmt: skip


def _is_badly_estimated(plan: QueryPlan, operator: Operator) -> bool:
    if "JOIN" not in operator.kind or operator.estimated_rows is None:
        return False
    low, high = sorted((operator.rows, operator.estimated_rows))
    return (
        high >= ESTIMATE_ROWS
        and high >= ESTIMATE_FACTOR * max(1, low)
        and _did_harm(operator)
        and _takes_long(plan, operator.seconds)
    )


def _did_harm(join: Operator) -> bool:
    if len(join.children) != 2:
        return False
    passed, hashed = (child.rows for child in join.children)
    grows = join.rows >= HARM_FACTOR * max(1, passed, hashed)
    return grows or hashed >= max(ESTIMATE_ROWS, HARM_FACTOR * passed)


def quadratic_joins(plans: Plans, analysis: Analysis) -> Iterator[Finding]:
    """Find joins that compare every row of one side with every row of the other."""
    for model, year, join, _ in _worst(plans, lambda _, one: _pairs(one) >= MANY_PAIRS):
        # What comes behind the pairs has to take each of them.
        statements = [plan for (name, _, _), plan in plans.items() if name == model]
        total = sum(plan.seconds for plan in statements)
        left, right = (child.rows for child in join.children)
        is_product = join.kind == "CROSS_PRODUCT"
        yield Finding(
            "cross_product" if is_product else "nested_loop",
            f"{model} compares each of {left:,} rows with each of {right:,}",
            model, year,
            (("operator", join.kind), ("pairs", f"{left * right:,}"), ("rows", f"{join.rows:,}"),
             ("seconds of its threads", seconds(join.seconds)),
             ("seconds of the model's statements", seconds(total))),
            "Join on equal columns, beside the inequality too; aggregate one side before; or "
            "write the rows that are wanted as a range with `unnest`.",
            "Nearly all that the statement takes: the pairs grow with the square of the rows.",
            total, severity_of(total, analysis.wall_seconds),
        )  # fmt: skip


def _pairs(operator: Operator) -> int:
    if len(operator.children) != 2 or not any(kind in operator.kind for kind in QUADRATIC):
        return 0
    left, right = (child.rows for child in operator.children)
    return left * right if min(left, right) >= SMALL_SIDE else 0


def repeated_scans(plans: Plans, analysis: Analysis) -> Iterator[Finding]:
    """Find models that read the same large table several times."""
    worst: dict[tuple[str, str], tuple[float, int | None, list[Operator]]] = {}
    total: dict[tuple[str, str], float] = {}
    for (model, year, _), plan in plans.items():
        tables: dict[str, list[Operator]] = {}
        for operator in plan.walk():
            if operator.is_scan and (operator.rows_scanned or 0) >= SCAN_ROWS:
                tables.setdefault(operator.name, []).append(operator)
        for table, scans in tables.items():
            spent = sum(scan.seconds for scan in scans)
            if len(scans) >= MANY_SCANS and _takes_long(plan, spent):
                key = model, table
                total[key] = total.get(key, 0.0) + spent
                if key not in worst or spent > worst[key][0]:
                    worst[key] = spent, year, scans
    for (model, table), (spent, year, scans) in worst.items():
        gain = total[model, table] * (1 - 1 / len(scans))
        yield Finding(
            "repeated_scan", f"{model} reads {table} {len(scans)} times",
            model, year,
            (("table", table), ("scans", str(len(scans))),
             ("rows scanned", f"{sum(scan.rows_scanned or 0 for scan in scans):,}"),
             ("seconds of its threads", seconds(spent))),
            f"Read {table} once, in a CTE with the columns and filters of all, and aggregate with "
            "`filter (where ..)` in place of one query each.",
            f"At most {seconds(gain)} of the processor.",
            gain, severity_of(gain, analysis.wall_seconds),
        )  # fmt: skip


def unpruned_scans(plans: Plans, analysis: Analysis) -> Iterator[Finding]:
    """Find scans that look at every row group of a table to keep a few rows of it."""
    for model, year, scan, total in _worst(plans, _is_unpruned):
        groups = scan.row_groups_scanned, scan.row_groups_total
        told = (("row groups scanned", f"{groups[0]} of {groups[1]}"),) if groups[1] else ()
        yield Finding(
            "unpruned_scan",
            f"{model} scans {scan.rows_scanned or 0:,} rows of {scan.name} to keep {scan.rows:,}",
            model, year,
            (("table", scan.name), ("filter", scan.details["Filters"]),
             ("rows scanned", f"{scan.rows_scanned or 0:,}"), ("rows kept", f"{scan.rows:,}"),
             *told, ("seconds of its threads", seconds(scan.seconds))),
            f"Build {scan.name} in the order of what is filtered on, or leave out an `order by` "
            "that mixes it: DuckDB passes over a row group whose least and greatest value "
            "exclude it.",
            "Nearly all of the scan; the sort has its cost too.",
            total, severity_of(total, analysis.wall_seconds),
        )  # fmt: skip


def _is_unpruned(plan: QueryPlan, operator: Operator) -> bool:
    scanned, groups = operator.rows_scanned or 0, operator.row_groups_total
    if "Filters" not in operator.details or scanned < PRUNABLE_ROWS:
        return False
    if groups and (operator.row_groups_scanned or 0) < SCANNED_SHARE * groups:
        return False
    # A scan of one filter is fast: that it is most of its statement counts.
    return (
        operator.rows <= KEPT_SHARE * scanned
        and operator.seconds >= OPERATOR_SHARE * plan.cpu_seconds
    )


def _takes_long(plan: QueryPlan, spent: float) -> bool:
    return spent >= max(OPERATOR_SECONDS, OPERATOR_SHARE * plan.cpu_seconds)


def _worst(
    plans: Plans, is_found: Callable[[QueryPlan, Operator], bool]
) -> Iterator[tuple[str, int | None, Operator, float]]:
    """Yield, of each model, the operator found that took longest, and the seconds of all."""
    worst: dict[str, tuple[int | None, Operator]] = {}
    total: dict[str, float] = {}
    for (model, year, _), plan in plans.items():
        for operator in plan.walk():
            if not is_found(plan, operator):
                continue
            total[model] = total.get(model, 0.0) + operator.seconds
            if model not in worst or operator.seconds > worst[model][1].seconds:
                worst[model] = year, operator
    for model, (year, operator) in worst.items():
        yield model, year, operator, total[model]
