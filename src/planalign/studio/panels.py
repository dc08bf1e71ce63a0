"""Parts of a run's pages that show its analysis, as HTML: pure functions of it.

`Markup.format` and `join` escape all that comes from a run: names, conditions, findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup

from planalign.studio import fragments, words

if TYPE_CHECKING:
    from planalign.profile.analysis import Analysis, MemoryReport
    from planalign.profile.findings import Finding
    from planalign.record.query_plans import Operator, QueryPlan


def tiles(analysis: Analysis) -> Markup:
    """Return the six figures that tell a run at a glance."""
    memory = analysis.memory
    longest = next((m for m in analysis.models if m.name == analysis.longest_model), None)
    path = analysis.critical_path_seconds
    shown = (
        ("Wall time", words.seconds(analysis.wall_seconds), _cpu(analysis)),
        (
            "Critical path",
            words.seconds(path),
            f"{words.share(path / analysis.wall_seconds)} of the time"
            if analysis.wall_seconds
            else "",
        ),
        (
            "Longest model",
            words.seconds(longest.total) if longest else words.UNKNOWN,
            longest.name if longest else "",
        ),
        ("Peak memory", words.size(memory.peak_bytes), _of_limit(memory)),
        ("Concurrency", f"{analysis.concurrency:.2f}", "at a time, while any was"),
        ("Cache hits", words.share(analysis.cache_hit_rate), "of the years"),
    )
    return Markup('<dl class="tiles">{}</dl>').format(
        Markup("").join(
            Markup("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>").format(*one)
            for one in shown
        )
    )


def _cpu(analysis: Analysis) -> str:
    busy = analysis.cores_busy
    return "" if busy is None else f"{busy:.1f} cores busy"


def _of_limit(memory: MemoryReport) -> str:
    if memory.peak_bytes is None or not memory.limit_bytes:
        return ""
    part = words.share(memory.peak_bytes / memory.limit_bytes)
    return f"{part} of {words.size(memory.limit_bytes)}"


def dbt_times(analysis: Analysis) -> Markup:
    """Return dbt's own times beside ours; empty where dbt had no part in it."""
    if not analysis.dbt_seconds:
        return Markup("")
    pairs = [
        ("Wall time", words.seconds(analysis.wall_seconds)),
        *((f"dbt, {name}", words.seconds(value)) for name, value in analysis.dbt_seconds.items()),
    ]
    return Markup(
        '<section class="card" aria-label="dbt"><h2>dbt\'s own time</h2>{}</section>'
    ).format(fragments.facts(pairs))


def model_table(analysis: Analysis) -> Markup:
    """Return every model with its times, the longest first."""
    return fragments.table(
        "Models, the longest first",
        ("Model", "Step", "Runs", "Total", "Share", "Median", "p95", "Longest", "On the path",
         "Rows", "CPU", "Memory growth", "Spilled"),
        [
            (
                one.name, one.step, words.count(one.count), words.seconds(one.total),
                words.share(one.share), words.seconds(one.median), words.seconds(one.p95),
                words.seconds(one.longest), words.seconds(one.on_critical_path),
                words.count(one.rows), words.seconds(one.cpu_seconds),
                words.size(one.memory_growth), words.size(one.spilled_bytes),
            )
            for one in analysis.models
        ],
        numeric=range(2, 13),
    )  # fmt: skip


def memory_report(memory: MemoryReport, budget: int) -> Markup:
    """Return the verdict on memory, and the peaks by step, by model and by kind."""
    return Markup("").join(
        (
            verdict(memory, budget),
            Markup("<h3>By step</h3>"),
            _peaks("Peak memory by step", "Step", memory.by_step),
            Markup("<h3>By model</h3>"),
            _peaks("Peak memory by model", "Model", memory.by_model),
            Markup("<h3>DuckDB's own memory</h3>"),
            _peaks("DuckDB's own memory by kind", "Kind", memory.by_tag),
        )
    )


def verdict(memory: MemoryReport, budget: int) -> Markup:
    """Say whether memory stayed within the budget, and who was under way at its peak."""
    if memory.is_within_budget is None:
        return Markup('<p class="verdict">The record does not tell of memory.</p>')
    kind, said = ("ok", "Within") if memory.is_within_budget else ("error", "Beyond")
    by = ", ".join(memory.under_way) or "nothing that the record knows of"
    return Markup(
        '<p class="verdict {}"><strong>{} the budget of {}.</strong> '
        "The peak of {} was reached while {} was under way.</p>"
    ).format(kind, said, words.size(budget), words.size(memory.peak_bytes), by)


def _peaks(caption: str, head: str, peaks: object) -> Markup:
    found = sorted(dict(peaks).items(), key=lambda one: -one[1])  # type: ignore[call-overload]
    if not found:
        return Markup("<p>Nothing is recorded.</p>")
    most = max(1, found[0][1])
    return fragments.table(
        caption,
        (head, "Peak", "Against the highest"),
        [
            (
                name,
                words.size(peak),
                Markup(
                    '<span class="bar" aria-hidden="true"><span style="width:{}%"></span></span>'
                ).format(round(100 * peak / most)),
            )
            for name, peak in found
        ],
        numeric=(1,),
    )


_SEVERITIES = {"high": "▲ high", "medium": "■ medium", "low": "● low"}


def bar_of(name: str, model: str, year: int | None) -> str:
    """Return the address of a run's timeline, moved to the bars of a model."""
    chosen = {"model": model, **({} if year is None else {"year": str(year)})}
    return f"{fragments.path_of(name, 'timeline')}?{urlencode(chosen)}"


def finding(name: str, one: Finding) -> Markup:
    """Return a finding of a run as a card: what, the evidence, what to change, what it gains.

    It leads to the bars of its model.
    """
    where = Markup(" · ").join(str(part) for part in (one.model, one.year) if part is not None)
    if one.model is not None:
        told = one.model if one.year is None else f"{one.model} of {one.year}"
        where += Markup(' · <a href="{}">Show {} on the timeline</a>').format(
            bar_of(name, one.model, one.year), told
        )
    return Markup(
        '<article class="finding {0}"><header><h3>{1}</h3><span class="severity">{2}</span>'
        '</header><p class="facts">{3}</p>{4}<p><strong>Change:</strong> {5}</p>'
        "<p><strong>Gain:</strong> {6}</p></article>"
    ).format(
        one.severity, one.title, _SEVERITIES[one.severity], where, fragments.facts(one.evidence),
        one.change, one.gain,
    )  # fmt: skip


def plan_tree(plan: QueryPlan) -> Markup:
    """Return a query plan as nested lists, each operator with its share of the time."""
    total = max(_seconds_of(plan.root), 1e-9)
    head = fragments.facts(
        (
            ("Time", words.seconds(plan.seconds)),
            ("CPU", words.seconds(plan.cpu_seconds)),
            ("Peak memory", words.size(plan.peak_memory_bytes)),
            ("Spilled", words.size(plan.spilled_bytes)),
        )
    )
    tree = _operator(plan.root, total)
    return Markup(
        '{}<div class="scroll" tabindex="0" role="region" aria-label="Operators">'
        '<ul class="plan">{}</ul></div>'
    ).format(head, tree)


def _seconds_of(operator: Operator) -> float:
    return operator.seconds + sum(_seconds_of(child) for child in operator.children)


def _operator(one: Operator, total: float) -> Markup:
    part = one.seconds / total
    estimate = f", estimated {words.count(one.estimated_rows)}" if one.estimated_rows else ""
    details = fragments.facts(one.details.items()) if one.details else Markup("<p>No details.</p>")
    children = Markup("").join(_operator(child, total) for child in one.children)
    return Markup(
        '<li><details><summary><span class="operator">{}</span> <span class="facts">{} ({}) · '
        '{} rows{}</span><span class="bar" aria-hidden="true"><span style="width:{}%"></span>'
        "</span></summary>{}</details>{}</li>"
    ).format(
        one.name or one.kind, words.seconds(one.seconds), words.share(part),
        words.count(one.rows), estimate, round(100 * part), details,
        Markup("<ul>{}</ul>").format(children) if children else "",
    )  # fmt: skip
