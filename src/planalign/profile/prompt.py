"""What a language model is told of a run: names, plans and times, never a value of the data.

Of the text in a plan only words that are known to be names of tables, columns and SQL
stay; a constant is none of them. An allowlist, because how DuckDB writes constants
changes with its version.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from planalign.profile.findings.of_query_plans import read_plans
from planalign.profile.suggestions import SUGGESTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planalign.profile.analysis import Analysis
    from planalign.profile.findings import Finding
    from planalign.record.query_plans import Operator, QueryPlan
    from planalign.record.record import Record

# The plans told, of the models that took longest, and operators of each.
MODELS_WITH_PLAN, MOST_OPERATORS = 6, 60
# Details of an operator that name what it works on. Dynamic filters hold nothing but
# values that were met while the statement ran.
DETAILS = ("Conditions", "Filters", "Expression", "Groups")
SQL = frozenset(
    {"AND", "OR", "NOT", "IN", "IS", "NULL", "BETWEEN", "CAST", "AS", "CASE", "WHEN", "THEN",
     "ELSE", "END", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "VARCHAR",
     "DECIMAL", "DATE", "BOOLEAN", "DOUBLE"}
)  # fmt: skip
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
# A text in quotes is one word: what is in it is not looked at.
_WORDS = re.compile(r"'(?:[^']|'')*'?|\"[^\"]*\"?|[^\W\d]\w*|[<>=!]+|[()+*/%-]|\S")
UNKNOWN = "?"

_TASK = f"""\
You advise on the speed of a simulation: a dbt project whose models DuckDB executes for each
simulated year. You are given its graph, times and query plans. Answer with one JSON object:
{{"suggestions": [...], "remarks": [...]}}. A suggestion has a kind, its keys and a "reason"
(text); they are tried on a copy, so that only what may make the run faster is of use. At most
eight, the most promising first; remarks are texts for what no suggestion can say. JSON schema
of a suggestion without its reason: {json.dumps(SUGGESTION.json_schema())}"""


def messages(
    record: Record, analysis: Analysis, findings: Sequence[Finding]
) -> list[dict[str, str]]:
    """Return the messages of a chat that asks for suggestions."""
    content = json.dumps(told(record, analysis, findings))
    return [{"role": "system", "content": _TASK}, {"role": "user", "content": content}]


def told(record: Record, analysis: Analysis, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return all that is told of a run."""
    plans: dict[str, QueryPlan] = {}
    for (model, _, _), plan in read_plans(record).items():
        if model not in plans or plan.seconds > plans[model].seconds:
            plans[model] = plan
    known = names_in(record, plans.values())
    return {
        "run": {
            "runner": record.runner,
            "years": record.last_year - record.first_year + 1,
            "trajectories": record.trajectories,
            "threads": record.threads,
            "cores": record.cores,
            "memory_limit_bytes": record.memory_limit_bytes,
            "seconds": round(analysis.wall_seconds, 3),
            "concurrency": round(analysis.concurrency, 2),
            "peak_memory_bytes": analysis.memory.peak_bytes,
        },
        "models": [
            {
                "model": model.name,
                "step": model.step,
                "materialization": record.graph[model.name].materialization,
                "reads": list(record.graph[model.name].reads),
                "times_built": model.count,
                "seconds": round(model.total, 4),
                "rows": model.rows,
                "cpu_seconds": model.cpu_seconds and round(model.cpu_seconds, 4),
                "memory_peak_bytes": model.memory_peak,
                "spilled_bytes": model.spilled_bytes,
            }
            for model in analysis.models
            if model.name in record.graph
        ],
        "findings": [
            {"kind": one.kind, "model": one.model, "severity": one.severity} for one in findings
        ],
        "plans": {
            model.name: _outline(plans[model.name].root, known)
            for model in [one for one in analysis.models if one.name in plans][:MODELS_WITH_PLAN]
        },
    }


def names_in(record: Record, plans: Iterable[QueryPlan]) -> frozenset[str]:
    """Return the names of models, and of the tables and columns that plans scan."""
    found = set(record.graph)
    for plan in plans:
        for operator in plan.walk():
            if operator.is_scan:
                columns = operator.details.get("Projections", "").split("; ")
                found.update(name for name in (operator.name, *columns) if _NAME.fullmatch(name))
    return frozenset(found)


def without_values(text: str, known: frozenset[str]) -> str:
    """Return the names, keywords and comparisons of a text, with a mark for all else."""
    words = [
        word
        if word in known or word in SQL or re.fullmatch(r"[<>=!]+|[()+*/%-]", word)
        else UNKNOWN
        for word in _WORDS.findall(text)
    ]
    return re.sub(r"\?( \?)+", UNKNOWN, " ".join(words))


def _outline(root: Operator, known: frozenset[str]) -> list[dict[str, Any]]:
    """Return a plan as a list of operators with their depth, without those that matter least."""
    found: list[tuple[float, int, dict[str, Any]]] = []

    def add(operator: Operator, depth: int) -> None:
        about = {
            key.lower(): without_values(operator.details[key], known)
            for key in DETAILS
            if key in operator.details
        }
        told = {
            "depth": depth,
            "operator": operator.kind,
            "table": operator.name if operator.is_scan and operator.name in known else None,
            "seconds": round(operator.seconds, 5),
            "rows": operator.rows,
            "estimated_rows": operator.estimated_rows,
            "rows_scanned": operator.rows_scanned,
            **about,
        }
        found.append(
            (operator.seconds, len(found), {k: v for k, v in told.items() if v is not None})
        )
        for child in operator.children:
            add(child, depth + 1)

    add(root, 0)
    kept = sorted(sorted(found, key=lambda one: -one[0])[:MOST_OPERATORS], key=lambda one: one[1])
    return [told for _, _, told in kept]
