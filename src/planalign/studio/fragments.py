"""Parts of pages as HTML, pure functions of what they show.

`Markup.format` and `join` escape all that comes from a run: names, errors, warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup, escape

from planalign.studio import words
from planalign.studio.live import NEAR
from planalign.studio.runs import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def odd_names(names: Sequence[str]) -> Markup:
    """Return a note on runs that cannot be shown; empty where there are none."""
    if not names:
        return Markup("")
    return note(
        f"Runs whose names are not UTF-8 are not shown: {', '.join(names)}.",
        "Rename their folders.",
        "warn",
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


def note(text: str, remedy: str = "", kind: str = "info") -> Markup:
    """Return a paragraph that stands out."""
    return Markup('<p class="note {}">{} {}</p>').format(kind, escape(text), escape(remedy))
