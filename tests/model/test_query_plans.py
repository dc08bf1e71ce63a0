"""Every model joins by hash: nothing grows with the square of the company."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planalign.engine.pipeline import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

# A cross product may have one small side: the control year, job levels, or bands.
SMALL = 7
# Operators that compare each row of one side with each of the other.
QUADRATIC = ("NESTED_LOOP", "BLOCKWISE", "PIECEWISE", "IE_JOIN", "ASOF")


def operators(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", []):
        yield from operators(child)


def estimate(node: dict[str, Any]) -> float:
    """Give how many rows the planner expects; an operator that does not say is not small."""
    text = str(node.get("extra_info", {}).get("Estimated Cardinality", "inf"))
    return float(text.lstrip("~").replace(",", ""))


def quadratic(plan: dict[str, Any]) -> list[str]:
    found = []
    for node in operators(plan):
        name = node["name"].upper()
        if any(kind in name for kind in QUADRATIC):
            found.append(name)
        if "CROSS_PRODUCT" in name and min(map(estimate, node["children"])) > SMALL:
            found.append(f"{name} of {[estimate(child) for child in node['children']]} rows")
    return found


def plans(cursor, sql: str) -> list[dict[str, Any]]:
    [(_, text)] = cursor.execute(f"explain (format json) {sql}").fetchall()
    plan = json.loads(text)
    return plan if isinstance(plan, list) else [plan]


def test_no_model_has_a_quadratic_join(stepped, studies, pipeline):
    census = studies.generated(2_000)
    cursor = stepped(census, Step.SNAPSHOT, simulation={"start_year": 2025, "replicates": 3})
    joins = 0
    for model in pipeline.models:
        for plan in plans(cursor, model.sql):
            assert quadratic(plan) == [], model.name
            joins += sum("HASH_JOIN" in node["name"].upper() for node in operators(plan))
    assert joins > 50  # the plans were really read


def test_a_quadratic_join_would_be_found(stepped, studies):
    cursor = stepped(studies.generated(500), Step.BASELINE)
    workforce = "int_baseline_workforce"
    for sql in (
        f"select count(*) from {workforce} a join {workforce} b on a.age < b.tenure + b.age",
        f"select * from {workforce} a cross join {workforce} b",
    ):
        assert any(quadratic(plan) for plan in plans(cursor, sql))
