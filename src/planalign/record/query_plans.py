"""How DuckDB executed a statement, as one tree whatever its version writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Operator:
    """An operator: its own seconds of all threads together, without its children's.

    `kind` is DuckDB's, such as HASH_JOIN; `name` is for people: of a scan, the table.
    `rows` left it. Rows and row groups scanned are those of a scan that reads a table;
    None where the version of DuckDB does not tell.
    """

    kind: str
    name: str
    seconds: float
    rows: int
    estimated_rows: int | None
    details: Mapping[str, str]
    children: tuple[Operator, ...]
    rows_scanned: int | None = None
    row_groups_scanned: int | None = None
    row_groups_total: int | None = None

    def walk(self) -> Iterator[Operator]:
        """Yield this operator and all below it, each before its children."""
        left = [self]
        while left:
            operator = left.pop()
            yield operator
            left += reversed(operator.children)

    @property
    def is_scan(self) -> bool:
        """Say whether it reads a table."""
        return "Table" in self.details


@dataclass(frozen=True)
class QueryPlan:
    """The profile of one statement. Seconds of the clock and of the processor; bytes.

    Memory and spilled bytes are those of the whole database at most, meanwhile.
    """

    root: Operator
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    spilled_bytes: int
    read_bytes: int
    written_bytes: int
    row_groups_scanned: int | None
    row_groups_total: int | None
    # Of DuckDB's planner and optimiser, where the version tells.
    planning_seconds: float | None = field(default=None)

    def walk(self) -> Iterator[Operator]:
        """Yield every operator, each before its children."""
        yield from self.root.walk()


def query_plan_of(raw: Mapping[str, Any]) -> QueryPlan:
    """Return a profile as DuckDB wrote it, of version 1.5 or 2.0, as a plan."""
    return _of_sections(raw) if "operator" in raw else _of_one_level(raw)


def _of_sections(raw: Mapping[str, Any]) -> QueryPlan:
    """Read what DuckDB 2.0 writes: a section for each subject."""
    query, system, io = (raw.get(key, {}) for key in ("query", "system", "io"))
    planning = [raw[key]["total_time"] for key in ("planner", "optimizer", "physical_planner")
                if "total_time" in raw.get(key, {})]  # fmt: skip
    return QueryPlan(
        _root(raw["operator"]),
        float(query.get("total_time", 0.0)),
        float(query.get("cpu_time", 0.0)),
        int(system.get("peak_buffer_memory", 0)),
        int(system.get("peak_temp_dir_size", 0)),
        int(io.get("total_bytes_read", 0)),
        int(io.get("total_bytes_written", 0)),
        query.get("total_row_groups_scanned"),
        query.get("total_row_groups_to_scan"),
        sum(planning) if planning else None,
    )


def _of_one_level(raw: Mapping[str, Any]) -> QueryPlan:
    """Read what DuckDB 1.5 writes: the statement is the root, with all its totals."""
    return QueryPlan(
        _root(raw.get("children", [])),
        float(raw.get("latency", 0.0)),
        float(raw.get("cpu_time", 0.0)),
        int(raw.get("system_peak_buffer_memory", 0)),
        int(raw.get("system_peak_temp_dir_size", 0)),
        int(raw.get("total_bytes_read", 0)),
        int(raw.get("total_bytes_written", 0)),
        None,
        None,
    )


def _root(operators: Sequence[Mapping[str, Any]]) -> Operator:
    """Return the operator that builds the rows; what hands a count to Python is left out."""
    if not operators:
        return Operator("NOTHING", "nothing", 0.0, 0, None, {}, ())
    root = _operator(operators[0])
    is_wrapper = root.kind == "RESULT_COLLECTOR" and len(root.children) == 1
    return root.children[0] if is_wrapper else root


def _operator(raw: Mapping[str, Any]) -> Operator:
    kind = str(raw.get("operator_type") or raw.get("type") or "UNKNOWN")
    info = raw.get("extra_info") or {}
    details = {key: _text(value) for key, value in info.items() if key != "Estimated Cardinality"}
    rows = int(raw.get("operator_cardinality", raw.get("intermediate_rows", 0)))
    scanned = raw.get("operator_rows_scanned", raw.get("rows_scanned"))
    return Operator(
        kind,
        _name(kind, details),
        float(raw.get("operator_timing", raw.get("timing", 0.0))),
        rows,
        _estimate(info.get("Estimated Cardinality")),
        details,
        tuple(_operator(child) for child in raw.get("children", [])),
        int(scanned) if scanned is not None and "Table" in details else None,
        raw.get("row_groups_scanned"),
        raw.get("total_row_groups_to_scan"),
    )


def _text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _estimate(value: object) -> int | None:
    text = str(value or "").lstrip("~").replace(",", "")
    return int(text) if text.isdigit() else None


def _name(kind: str, details: Mapping[str, str]) -> str:
    words = kind.replace("_", " ").lower()
    if "Table" in details:
        return table_of(details["Table"])
    if "CTE Name" in details:
        return f"{words} {details['CTE Name']}"
    if "Join Type" in details:
        return f"{words}, {details['Join Type'].lower()}"
    return words


def table_of(name: str) -> str:
    """Return the last part of a qualified name, without quotes."""
    return name.rpartition(".")[2].strip('"')
