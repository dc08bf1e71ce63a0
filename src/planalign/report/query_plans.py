"""Query plans for the page: of each model the slowest, as long as there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from planalign.report import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.record.query_plans import Operator, QueryPlan
    from planalign.record.record import Record

# An operator is slow that takes so much of all operators' seconds.
SLOW_PART = 0.2
MOST_DETAIL = 240  # characters
_HIDDEN_DETAILS = frozenset({"Estimated Cardinality"})


@dataclass(frozen=True)
class ModelQueryPlan:
    """The plan of the slowest run of a model, as a tree in HTML."""

    model: str
    when: str
    plan: QueryPlan
    tree: Markup


def query_plans_of(record: Record, models: Iterable[str], room: int) -> tuple[ModelQueryPlan, ...]:
    """Return plans of the models in their order, until they fill `room` bytes of HTML."""
    from planalign.record.query_plans import query_plan_of  # noqa: PLC0415 - only where there are any

    found = []
    for model in models:
        recorded = [(key, raw) for key, raw in record.query_plans.items() if key[0] == model]
        if not recorded:
            continue
        (_, year, block), plan = max(
            ((key, query_plan_of(raw)) for key, raw in recorded), key=lambda one: one[1].seconds
        )
        tree = _tree(plan)
        room -= len(tree.encode())
        if room < 0:
            break
        when = "setup" if year is None else str(year)
        if block is not None and block > 1:
            when += f", block {block}"
        found.append(ModelQueryPlan(model, when, plan, tree))
    return tuple(found)


def _tree(plan: QueryPlan) -> Markup:
    total = sum(operator.seconds for operator in plan.walk())
    return Markup('<ul class="plan">{}</ul>').format(_item(plan.root, total))


def _item(operator: Operator, total: float) -> Markup:
    part = operator.seconds / total if total else 0.0
    is_slow = part >= SLOW_PART
    label = operator.kind.replace("_", " ").lower()
    if operator.name.lower().startswith(label):
        label = operator.name
    elif operator.name:
        label += f" · {operator.name}"
    estimate = "" if operator.estimated_rows is None else f", estimated {operator.estimated_rows:,}"
    rows = "row" if operator.rows == 1 else "rows"
    figures = f"{words.seconds(operator.seconds)} · {operator.rows:,} {rows}{estimate}"
    slow = (
        Markup(' <strong class="slow">slow: {} of this query</strong>').format(words.percent(part))
        if is_slow
        else Markup("")
    )
    details = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(key, _short(str(value)))
        for key, value in operator.details.items()
        if key not in _HIDDEN_DETAILS and str(value).strip()
    )
    children = Markup("").join(_item(child, total) for child in operator.children)
    return Markup(
        "<li><details{}><summary>{} <small>{}</small>{}</summary>{}</details>{}</li>"
    ).format(
        Markup(' class="hot"') if is_slow else Markup(""),
        label,
        figures,
        slow,
        Markup("<dl>{}</dl>").format(details) if details else Markup("<p>No details.</p>"),
        Markup("<ul>{}</ul>").format(children) if children else Markup(""),
    )


def _short(text: str) -> Markup:
    text = text if len(text) <= MOST_DETAIL else f"{text[:MOST_DETAIL]} …"
    return escape(text)
