"""Changes that can be tried without understanding a model, and which of them a finding calls for.

Whoever suggests one - a finding, or a language model - has it tried in the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.profile.findings import Finding
    from planalign.record.record import Node, Record

# Of the machine's memory; the rest is Python's, the page cache's and everybody else's.
USABLE_MEMORY = 0.8

# They become part of a statement: nothing but plain names.
Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
Columns = Annotated[tuple[Name, ...], Field(min_length=1, max_length=4)]


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Materialize(_Change):
    """Build a view as a table, or a table as a view."""

    kind: Literal["materialize"] = "materialize"
    model: Name
    materialization: Literal["table", "view"]

    def __str__(self) -> str:
        """Say what to change."""
        return f"make {self.model} a {self.materialization}"


class _OfColumns(_Change):
    model: Name
    columns: Columns


class Sort(_OfColumns):
    """Build a table in the order of columns."""

    kind: Literal["sort"] = "sort"

    def __str__(self) -> str:
        """Say what to change."""
        return f"build {self.model} in the order of {', '.join(self.columns)}"


class Index(_OfColumns):
    """Index columns of a table."""

    kind: Literal["index"] = "index"

    def __str__(self) -> str:
        """Say what to change."""
        return f"index {', '.join(self.columns)} of {self.model}"


class Threads(_Change):
    """Run on so many threads."""

    kind: Literal["threads"] = "threads"
    threads: Annotated[int, Field(ge=1, le=256)]

    def __str__(self) -> str:
        """Say what to change."""
        return f"set resources.threads to {self.threads}"


class MemoryLimit(_Change):
    """Let DuckDB use so much memory."""

    kind: Literal["memory_limit"] = "memory_limit"
    megabytes: Annotated[int, Field(ge=100, le=100_000_000)]

    def __str__(self) -> str:
        """Say what to change."""
        return f"set resources.memory_limit to {self.megabytes}MB"


class ModelsAtOnce(_Change):
    """Run so many models of a step side by side."""

    kind: Literal["models_at_once"] = "models_at_once"
    step: Literal["setup", "baseline", "requirements", "events", "snapshot"]
    models: Annotated[int, Field(ge=1, le=256)]

    def __str__(self) -> str:
        """Say what to change."""
        return f"set resources.models_at_once to {{{self.step}: {self.models}}}"


class BlockSize(_Change):
    """Take so many opening employees through a year in one pass."""

    kind: Literal["block_size"] = "block_size"
    employees: Annotated[int, Field(ge=1, le=1_000_000_000)]

    def __str__(self) -> str:
        """Say what to change."""
        return f"set resources.employees_per_block to {self.employees}"


OfModel = Materialize | Sort | Index
Suggestion = Annotated[
    OfModel | Threads | MemoryLimit | ModelsAtOnce | BlockSize,
    Field(discriminator="kind"),
]
SUGGESTION: TypeAdapter[Suggestion] = TypeAdapter(Suggestion)


@dataclass(frozen=True)
class Proposal:
    """A suggestion, why, and whose it is: `finding` or `language_model`."""

    suggestion: Suggestion
    reason: str
    source: Literal["finding", "language_model"] = "finding"


def suggest(findings: Sequence[Finding], record: Record, memory_bytes: int) -> tuple[Proposal, ...]:
    """Return what the findings call for, each change once.

    Args:
        findings: of the run.
        record: of the run.
        memory_bytes: of the machine.
    """
    found: dict[Suggestion, Proposal] = {}
    for finding in findings:
        for suggestion in _changes_for(finding, record, memory_bytes):
            if refusal(suggestion, record, memory_bytes) is None:
                found.setdefault(suggestion, Proposal(suggestion, finding.title))
    return tuple(found.values())


def refusal(suggestion: Suggestion, record: Record, memory_bytes: int) -> str | None:
    """Return why a suggestion cannot be tried, or nothing."""
    if isinstance(suggestion, MemoryLimit):
        most = int(USABLE_MEMORY * memory_bytes / 1e6)
        return f"the machine has {most} MB to give" if suggestion.megabytes > most else None
    if isinstance(suggestion, OfModel):
        return _refusal_of_model(suggestion, record)
    return None


def _refusal_of_model(suggestion: OfModel, record: Record) -> str | None:
    node = record.graph.get(suggestion.model)
    if node is None:
        return f"the run has no model {suggestion.model}"
    if node.materialization == "yearly":
        return f"{node.name} is a fact of every year, which stays what it is"
    if isinstance(suggestion, _OfColumns):
        return None if node.materialization == "table" else f"{node.name} is no table"
    if node.materialization == suggestion.materialization:
        return f"{node.name} is a {node.materialization} already"
    return None


def _changes_for(finding: Finding, record: Record, memory_bytes: int) -> Iterator[Suggestion]:
    node = record.graph.get(finding.model or "")
    if finding.kind == "view_read_often" and node is not None:
        yield Materialize(model=node.name, materialization="table")
    if finding.kind == "unpruned_scan":
        evidence = dict(finding.evidence)
        yield from _ordered(evidence["table"], evidence["filter"])
    if finding.kind in {"spill", "near_memory_limit"}:
        yield from _lighter(record, node, memory_bytes)
    if finding.kind == "over_parallel":
        if record.cores and (record.threads or 1) > record.cores:
            yield Threads(threads=record.cores)
        else:
            yield ModelsAtOnce(step="events", models=1)
    if node is not None and finding.kind in {
        "slow_model", "slower_than_earlier", "memory_hog", "spill", "bad_estimate",
        "repeated_scan", "cross_product", "nested_loop",
    }:  # fmt: skip
        # What it reads as a view is planned together with it, for better or worse.
        for name in node.reads:
            if name in record.graph and record.graph[name].materialization == "view":
                yield Materialize(model=name, materialization="table")
        readers = [one for one in record.graph.values() if node.name in one.reads]
        if node.materialization == "table" and len(readers) == 1 and node.step != "setup":
            yield Materialize(model=node.name, materialization="view")


def _lighter(record: Record, node: Node | None, memory_bytes: int) -> Iterator[Suggestion]:
    limit = record.memory_limit_bytes or 0
    most = int(USABLE_MEMORY * memory_bytes)
    if limit and most > limit:
        yield MemoryLimit(megabytes=min(4 * limit, most) // 1_000_000)
    if node is not None and (record.threads or 1) > 1:
        yield ModelsAtOnce.model_validate({"step": node.step, "models": 1})
    opening = max((run.rows or 0 for run in record.models if run.year is not None), default=0)
    if record.trajectories > 1 and opening > 1:
        yield BlockSize(employees=max(1, opening // 2))


def _ordered(table: str, condition: str) -> Iterator[Suggestion]:
    """Order a table by the first column that a filter compares, and index it."""
    without_text = re.sub(r"'(?:[^']|'')*'", "", condition)
    columns = re.findall(r"\b([a-z_][a-z0-9_]*)\s*(?:[<>=!]|IN\b|IS\b|BETWEEN\b)", without_text)
    if columns and re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", table):
        yield Sort(model=table, columns=(columns[0],))
        yield Index(model=table, columns=(columns[0],))
