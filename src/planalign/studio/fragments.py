"""Parts of pages as HTML, pure functions of what they show.

`Markup.format` and `join` escape all that comes from a run: names, errors, warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from planalign.studio import words
from planalign.studio.live import NEAR
from planalign.studio.runs import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planalign.profile.analysis import Analysis, MemoryReport
    from planalign.profile.findings import Finding
    from planalign.profile.plans import Operator, Plan
    from planalign.studio.live import Live
    from planalign.studio.runs import Summary

_ICONS = {
    State.FINISHED: Markup('<path d="M3 8.5l3.2 3.2L13 4.8"/>'),
    State.RUNNING: Markup('<path d="M5 3l8 5-8 5z" fill="currentColor"/>'),
    State.FAILED: Markup('<path d="M4 4l8 8M12 4l-8 8"/>'),
    State.INTERRUPTED: Markup('<path d="M5.5 3.5v9M10.5 3.5v9"/>'),
    State.STALE: Markup('<circle cx="8" cy="8" r="5.5" stroke-dasharray="2.6 2"/>'),
}
EXPLAINED = {
    State.FINISHED: "All years are there; the run is never written again.",
    State.RUNNING: "A process works on it.",
    State.FAILED: "It ended with an error; the years before are kept.",
    State.INTERRUPTED: "Somebody stopped it; the whole years are kept.",
    State.STALE: "It is unfinished, and no process works on it: it was killed, or the machine was.",
}
VIEWS = {
    "": "Overview",
    "timeline": "Timeline",
    "memory": "Memory and cores",
    "models": "Models",
    "findings": "Findings",
    "plans": "Query plans",
    "results": "Results",
}


def path_of(name: str, view: str = "") -> str:
    """Return the address of a run's page."""
    address = f"/run/{quote(name, safe='')}"
    return f"{address}/{view}" if view else address


def badge(state: State) -> Markup:
    """Return a state as a sign and a word."""
    return Markup(
        '<span class="badge {0}" title="{2}"><svg viewBox="0 0 16 16" aria-hidden="true">{1}</svg>'
        "{0}</span>"
    ).format(state.value, _ICONS[state], EXPLAINED[state])


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numeric: Iterable[int] = (),
) -> Markup:
    """Return a table whose first column heads its rows; `numeric` columns stand right."""
    right = frozenset(numeric)

    def cell(place: int, value: object) -> Markup:
        kind = Markup(' class="n"') if place in right else Markup("")
        tag = Markup('th scope="row"') if place == 0 else Markup("td")
        end = Markup("th") if place == 0 else Markup("td")
        return Markup("<{}{}>{}</{}>").format(tag, kind, value, end)

    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="n"') if place in right else "", name
        )
        for place, name in enumerate(heads)
    )
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(cell(p, v) for p, v in enumerate(row)))
        for row in rows
    )
    return Markup(
        '<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table>'
        '<caption class="hidden">{0}</caption><thead><tr>{1}</tr></thead><tbody>{2}</tbody>'
        "</table></div>"
    ).format(caption, head, body)


def run_list(found: Sequence[Summary]) -> Markup:
    """Return the runs as a table."""
    return table(
        "Runs, the latest first",
        ("Run", "State", "Runner", "Years", "Done", "Time", "Peak memory", "Begun"),
        [
            (
                Markup('<a href="{}">{}</a>').format(path_of(one.name), one.name),
                badge(one.state),
                one.live.runner or words.UNKNOWN,
                words.years(one.live.first_year, one.live.last_year),
                _done(one.live),
                words.seconds(one.live.seconds),
                words.size(one.live.peak_bytes),
                words.instant(one.live.began),
            )
            for one in found
        ],
        numeric=(5, 6),
    )


def _done(live: Live) -> str:
    return f"{live.done} of {live.planned}" if live.planned else words.UNKNOWN


def run_head(one: Summary) -> Markup:
    """Return the heading of a run's pages."""
    live = one.live
    trajectories = f"{words.count(live.trajectories)} trajectories" if live.trajectories else ""
    facts = [
        live.runner,
        words.years(live.first_year, live.last_year),
        trajectories if live.trajectories != 1 else "1 trajectory",
        f"begun {words.instant(live.began)}" if live.began else "",
    ]
    return Markup('<div class="head"><h1>{}</h1>{}</div><p class="facts">{}</p>').format(
        one.name, badge(one.state), " · ".join(filter(None, facts))
    )


def views(name: str, current: str) -> Markup:
    """Return the links to the pages of a run."""
    links = Markup("").join(
        Markup('<li><a href="{}"{}>{}</a></li>').format(
            path_of(name, view),
            Markup(' aria-current="page"') if view == current else "",
            title,
        )
        for view, title in VIEWS.items()
    )
    return Markup('<nav class="views" aria-label="Pages of this run"><ul>{}</ul></nav>').format(
        links
    )


def progress(live: Live, now: float) -> Markup:
    """Return how far a run is, and what it does."""
    percent = round(100 * (live.share or 0))
    left = live.eta(now)
    eta = "known after the first year" if left is None else f"about {words.roughly(left)}"
    at = [str(live.year) if live.year else "", live.step or "", live.model or ""]
    planned = f"{live.done} of {live.planned} years" if live.planned else "preparing"
    cached = f", {live.from_cache} from the cache" if live.from_cache else ""
    parts = (
        Markup(
            '<div class="bar" role="progressbar" aria-label="Years done" aria-valuemin="0" '
            'aria-valuemax="100" aria-valuenow="{0}" aria-valuetext="{1}"><span '
            'style="width:{0}%"></span></div>'
        ).format(percent, planned),
        facts(
            (
                ("Years", planned + cached),
                ("Now", " · ".join(filter(None, at)) or "starting"),
                ("Time left", eta),
                ("Running for", words.roughly(_running(live, now))),
            )
        ),
        memory_meter(live),
    )
    return Markup("").join(parts)


def _running(live: Live, now: float) -> float:
    if live.session_began is None:
        return 0.0
    return live.seconds_before + max(0.0, now - live.session_began)


def memory_meter(live: Live) -> Markup:
    """Return memory against the limit, in a bar and in words."""
    part = live.memory_share
    if part is None:
        return Markup("")
    taken, limit = words.size(live.memory_bytes), words.size(live.limit_bytes)
    said = f"{taken} of {limit} ({words.share(part)})" + ", near the limit" * (part >= NEAR)
    return Markup(
        '<div class="meter"><span class="what">Memory now</span>'
        '<div class="bar{1}" role="meter" aria-label="Memory now" aria-valuemin="0" '
        'aria-valuemax="100" aria-valuenow="{2}" aria-valuetext="{0}">'
        '<span style="width:{2}%"></span></div><span>{0}</span></div>'
    ).format(said, " near" * (part >= NEAR), min(100, round(100 * part)))


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Return names and values as a list of terms."""
    return Markup('<dl class="pairs">{}</dl>').format(
        Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*one) for one in pairs)
    )


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
    ).format(facts(pairs))


def alerts(live: Live) -> Markup:
    """Return what a reader must know; empty where there is nothing."""
    shown = []
    if live.error:
        shown.append(("error", "Error", live.error))
    part = live.memory_share
    if part is not None and part >= NEAR and live.outcome is None:
        shown.append(("warn", "Memory", f"It takes {words.share(part)} of the limit."))
    shown += [
        ("error" if one.kind == "test_failed" else "warn", _KINDS[one.kind], one.text)
        for one in reversed(live.alerts)
    ]
    if not shown:
        return Markup("")
    items = Markup("").join(
        Markup('<li class="{}"><strong>{}</strong> {}</li>').format(*one) for one in shown
    )
    return Markup('<ul class="alerts">{}</ul>').format(items)


_KINDS = {
    "warning": "Warning",
    "retried": "Tried again",
    "group_failed": "Group failed",
    "breaker_tripped": "Memory ran short",
    "cache_ignored": "Cache",
    "test_failed": "Check failed",
}


def model_table(analysis: Analysis) -> Markup:
    """Return every model with its times, the longest first."""
    return table(
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
    return table(
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
    return f"{path_of(name, 'timeline')}?{urlencode(chosen)}"


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
        one.severity, one.title, _SEVERITIES[one.severity], where, facts(one.evidence),
        one.change, one.gain,
    )  # fmt: skip


def plan_tree(plan: Plan) -> Markup:
    """Return a query plan as nested lists, each operator with its share of the time."""
    total = max(_seconds_of(plan.root), 1e-9)
    head = facts(
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
    details = facts(one.details.items()) if one.details else Markup("<p>No details.</p>")
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


def note(text: str, remedy: str = "", kind: str = "info") -> Markup:
    """Return a paragraph that stands out."""
    return Markup('<p class="note {}">{} {}</p>').format(kind, escape(text), escape(remedy))
