"""The page: figures and tables put into the template, and what a browser may run of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from planalign._version import __version__
from planalign.profile.analysis import BUDGET_BYTES
from planalign.profile.path import overheads
from planalign.report import figures, words
from planalign.report.query_plans import query_plans_of
from planalign.report.tiles import tiles_of, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.charts import Results
    from planalign.profile.analysis import Analysis
    from planalign.profile.findings import Finding
    from planalign.record.record import Record

# A page stays below this; query plans take what all else leaves.
MOST_BYTES = 6_000_000
_SPARE_BYTES = 100_000


@dataclass(frozen=True)
class Status:
    """How the run ended, if it did not complete: what stands at the top of the page."""

    title: str
    text: str


def page(
    record: Record,
    analysis: Analysis,
    findings: Sequence[Finding],
    results: Results | None,
    *,
    name: str,
    without_results: str = "",
) -> str:
    """Return the page of a run as HTML.

    Args:
        record: what the run recorded.
        analysis: of the record.
        findings: of the record, as cards.
        results: what the run found; None if its database cannot be opened.
        name: the name of the run.
        without_results: why there are no results, a sentence.
    """
    shown = figures.of_process(record, analysis)
    outcomes = figures.of_results(results) if results is not None else ()
    scripts = {"plotly": _plotly(), "report": _asset("report.js")}
    styles = {"plotly": _asset("plotly.css"), "report": _asset("report.css"), "none": ""}
    content: dict[str, Any] = {
        "name": name,
        "version": __version__,
        "record": record,
        "analysis": analysis,
        "status": status_of(record),
        "facts": _facts(record),
        "tiles": tiles_of(record, analysis),
        "findings": findings,
        "process": shown,
        "outcomes": outcomes,
        "replicates": results.replicates if results is not None else 0,
        "without_results": without_results,
        "verdict": verdict_of(analysis.memory),
        "budget": BUDGET_BYTES,
        "dbt": _dbt(record),
        "data": figures.as_json((*shown, *outcomes)),
        "scripts": {key: Markup(text) for key, text in scripts.items()},  # noqa: S704 - ours
        "styles": {key: Markup(text) for key, text in styles.items()},  # noqa: S704 - ours
        "policy": policy(list(scripts.values()), list(styles.values())),
        "plans": (),
        "words": words,
    }
    environment = Environment(
        loader=PackageLoader("planalign.report", "assets"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    template = environment.get_template("report.html")
    bare = template.render(content)
    if not record.query_plans:
        return bare
    room = MOST_BYTES - _SPARE_BYTES - len(bare.encode())
    plans = query_plans_of(record, [model.name for model in analysis.models], room)
    return template.render({**content, "plans": plans})


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return a content policy that allows exactly these scripts and styles, no connection."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_source, scripts))}",
            f"style-src {' '.join(map(_source, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def status_of(record: Record) -> Status | None:
    """Return what a reader must know of a run that did not complete, None if it did."""
    years = len({year.year for year in record.years if year.end is not None})
    planned = record.last_year - record.first_year + 1
    done = f"{years} of {planned} years were complete."
    error = record.sessions[-1].error if record.sessions else None
    if record.outcome == "failed":
        return Status("This run failed", f"{error or 'It does not say why.'} {done}")
    if record.outcome == "interrupted":
        return Status("This run was interrupted", f"{done} It can be resumed.")
    if record.outcome is None:
        return Status(
            "This run is not finished",
            f"It goes on, or was killed. {done} The page shows what it recorded so far.",
        )
    return None


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _asset(name: str) -> str:
    return (files("planalign.report") / "assets" / name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - reads 5 MB

    return str(get_plotlyjs())


def _facts(record: Record) -> list[tuple[str, str]]:
    facts = [
        ("Years", f"{record.first_year} to {record.last_year}"),
        ("Trajectories", words.count(record.trajectories)),
        ("Runner", record.runner),
        ("Threads", words.count(record.threads)),
        ("Cores", words.count(record.cores)),
        ("Memory limit", words.size(record.memory_limit_bytes)),
    ]
    if record.sessions:
        began = datetime.fromtimestamp(record.sessions[0].started_at, UTC)
        facts.insert(0, ("Began", f"{began:%Y-%m-%d %H:%M:%S} UTC"))
        if len(record.sessions) > 1:
            facts.append(("Sessions", f"{len(record.sessions)}, resumed"))
    return [*facts, *((f"{what}", version) for what, version in record.versions.items())]


def _dbt(record: Record) -> list[dict[str, Any]]:
    """Return dbt's own timings by command, the longest first."""
    found: dict[str, dict[str, Any]] = {}
    for one in record.dbt_commands:
        row = found.setdefault(
            one.name,
            {"name": one.name, "count": 0, "nodes": 0, "overhead": 0.0}
            | dict.fromkeys(("seconds", "compile", "execute"), 0.0),
        )
        row["count"] += 1
        row["nodes"] += one.nodes
        row["seconds"] += one.seconds
        row["compile"] += one.dbt_compile_seconds
        row["execute"] += one.dbt_execute_seconds
        if record.runner == "legacy":  # a model is its whole command
            row["overhead"] += one.overhead_seconds
    for piece in overheads(record) if record.runner != "legacy" else ():
        found[piece.name]["overhead"] += piece.seconds
    return sorted(found.values(), key=lambda row: -row["seconds"])
