"""The timeline: which thread did what, when, and what the run had to wait for."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from planalign.charts.style import KINDS, LEFT, RIGHT, faded, figure, ink, plain
from planalign.record.record import DbtCommand, ModelRun, TestRun
from planalign.record.telemetry import saving

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planalign.profile.analysis import Analysis
    from planalign.record.record import Record, Span

# Only so many bars carry their name: to fit text into each takes a browser long.
NAMED_BARS = 400
CRITICAL = "critical path"
FRAMED = "the model asked for"


def timeline(record: Record, analysis: Analysis, dark: bool = False) -> go.Figure:
    """Draw what each thread did, by year and step; white is idle.

    Bars are coloured and patterned by layer; those of the critical path, which only a
    quicker run of themselves would shorten, are outlined. The first two values of a
    bar's `customdata` are its name and year. The time axis is in seconds.
    """
    lanes = _lanes(record)
    drawn = figure(
        "Timeline",
        150 + 46 * (len(lanes) + 1),
        dark=dark,
        barmode="overlay",
        hovermode="closest",
        uniformtext={"minsize": 9, "mode": "hide"},
        margin={"l": LEFT, "r": RIGHT, "t": 84, "b": 48},
    )
    steps, years = _steps(record), _years(record)
    for number, band in enumerate(years):
        if number % 2:
            drawn.add_vrect(
                x0=band.start, x1=band.end, fillcolor=faded("#808080", 0.09), line_width=0,
                layer="below",
            )  # fmt: skip
    named = _named(record)
    for kind, spans in _by_kind(record).items():
        drawn.add_trace(_bars(kind, spans, lanes, named))
    critical = _outlines(record, analysis.critical_path, lanes)
    drawn.add_trace(
        critical.update(
            name=CRITICAL, width=0.8, marker={"line": {"color": ink(dark=dark), "width": 1.6}}
        )
    )
    drawn.add_trace(_bands(steps, len(lanes) + 0.27, "steps"))
    drawn.add_trace(_bands(years, len(lanes) + 0.75, "years"))
    if record.notes:
        drawn.add_trace(_notes(record, len(lanes) - 0.25))
    ticks = {place: name for name, place in lanes.items()}
    drawn.update_yaxes(
        tickvals=[*ticks, len(lanes) + 0.27, len(lanes) + 0.75],
        ticktext=[*(plain(thread_name(name)) for name in ticks.values()), "step", "year"],
        range=[-0.55, len(lanes) + 1.05],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    drawn.update_xaxes(
        title_text="seconds since the run began", range=[0, max(record.seconds, 1e-3)]
    )
    return drawn


def focus(drawn: go.Figure, record: Record, model: str, year: int | None = None) -> bool:
    """Show the bars of a model, of a year or of all, in a timeline; say whether there are any.

    They are framed, and the axis is moved to them with as much again on each side.
    """
    spans = record.runs_of(model, year)
    if not spans:
        return False
    frames = _outlines(record, spans, _lanes(record))
    # A trace: plotly adds shapes in quadratic time.
    drawn.add_trace(
        frames.update(name=FRAMED, width=0.9, marker={"line": {"color": "#D55E00", "width": 3}})
    )
    first, last = min(one.start for one in spans), max(one.end for one in spans)
    around = last - first
    drawn.update_xaxes(range=[max(0.0, first - around), min(record.seconds, last + around)])
    return True


def thread_name(name: str) -> str:
    """Return a thread's name for readers; those of workers have the worker in front."""
    worker, own = _worker(name)
    if worker:
        return f"worker {worker}" if own == "MainThread" else f"worker {worker}, {thread_name(own)}"
    if name.lower() in {"main", "mainthread"}:
        return "main"
    number = re.search(r"(\d+)(?!.*\d)", name)
    return f"thread {int(number[1])}" if number else name


def _worker(name: str) -> tuple[int, str]:
    """Return the number of a thread's worker, 0 for the run's own process, and its name there."""
    found = re.fullmatch(r"worker (\d+) (.+)", name)
    return (int(found[1]), found[2]) if found else (0, name)


@dataclass(frozen=True)
class _Band:
    label: str
    start: float
    end: float
    hover: str


def _spans(record: Record) -> list[Span]:
    return [*record.work, *record.dbt_commands, *record.models, *record.tests]


def _lanes(record: Record) -> dict[str, int]:
    """Return the place of each thread: the main one at the top, then by worker and number."""

    def order(name: str) -> tuple[int, bool, int, str]:
        worker, own = _worker(name)
        number = re.search(r"(\d+)(?!.*\d)", own)
        return worker, thread_name(own) != "main", int(number[1]) if number else 0, name

    names = sorted({span.thread for span in _spans(record)}, key=order, reverse=True)
    return {name: place for place, name in enumerate(names or ["main"])}


def _kind(record: Record, span: Span) -> str:
    if isinstance(span, DbtCommand):
        return "dbt"
    if isinstance(span, TestRun):
        return "test"
    if not isinstance(span, ModelRun):
        return "work"
    node = record.graph.get(span.name)
    layer = node.layer if node else span.name.partition("_")[0]
    return layer if layer in KINDS else "model"


def _by_kind(record: Record) -> dict[str, list[Span]]:
    """Return what was done by kind, in the order of the legend."""
    found: dict[str, list[Span]] = {kind: [] for kind in ("dbt", *KINDS)}
    for span in _spans(record):
        found[_kind(record, span)].append(span)
    return {kind: spans for kind, spans in found.items() if spans}


def _named(record: Record) -> frozenset[int]:
    longest = sorted(_spans(record), key=lambda span: span.seconds, reverse=True)[:NAMED_BARS]
    return frozenset(map(id, longest))


def _bars(kind: str, spans: Sequence[Span], lanes: dict[str, int], named: frozenset[int]) -> go.Bar:
    look = KINDS[kind]
    thin = kind == "dbt"
    return go.Bar(
        name=look.name,
        orientation="h",
        base=[round(span.start, 4) for span in spans],
        x=[round(span.seconds, 4) for span in spans],
        y=[lanes[span.thread] for span in spans],
        width=0.86 if thin else 0.7,
        opacity=0.45 if thin else 1,
        customdata=[[plain(span.name), span.year, _told(span)] for span in spans],
        text=[plain(span.name) if id(span) in named and not thin else "" for span in spans],
        textposition="inside",
        insidetextanchor="start",
        textfont={"color": look.text},
        textangle=0,
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[2]}<extra>%{fullData.name}</extra>",
        marker={
            "color": look.colour,
            "line": {"width": 0},
            "pattern": {
                "shape": look.pattern,
                "fillmode": "overlay",
                "fgcolor": "#1B1F24",
                "fgopacity": 0.28,
                "size": 7,
                "solidity": 0.18,
            },
        },
    )


def _told(span: Span) -> str:
    """Return what is known of a span beside its name, line by line."""
    when = " ".join(
        str(part)
        for part in (span.year, span.step, f"block {span.block}" if (span.block or 1) > 1 else None)
        if part is not None
    )
    lines = [plain(when)] if when else []
    lines.append(f"{span.seconds:.3f} s, from {span.start:.3f} to {span.end:.3f} s")
    if isinstance(span, ModelRun):
        figures = (
            (span.rows, "{:,} rows", 1),
            (span.memory_peak, "memory peak {:,.0f} MB", 1e6),
            (span.cpu_seconds, "CPU {:.3f} s", 1),
            (span.spilled_bytes or None, "spilled {:,.1f} MB", 1e6),
            (span.attempt if span.attempt > 1 else None, "attempt {}", 1),
        )
        lines += [
            form.format(value / unit if unit != 1 else value)
            for value, form, unit in figures
            if value is not None
        ]
    elif isinstance(span, TestRun):
        lines.append(f"{span.failures:,} rows found" if span.failures else "passed")
    elif isinstance(span, DbtCommand):
        lines.append(f"{span.nodes} nodes, {span.overhead_seconds:.3f} s beside them")
    return "<br>".join(lines)


def _outlines(record: Record, spans: Iterable[Span], lanes: dict[str, int]) -> go.Bar:
    """Return the outlines of spans; one for those that follow each other on a thread."""
    joined: list[tuple[float, float, int]] = []
    near = record.seconds / 500
    for span in sorted((one for one in spans if one.thread in lanes), key=lambda one: one.start):
        start, end, lane = span.start, span.end, lanes[span.thread]
        if joined and joined[-1][2] == lane and start - joined[-1][1] < near:
            start, end = joined[-1][0], max(end, joined[-1][1])
            joined.pop()
        joined.append((start, end, lane))
    return go.Bar(
        orientation="h",
        base=[round(start, 4) for start, _, _ in joined],
        x=[round(end - start, 4) for start, end, _ in joined],
        y=[lane for _, _, lane in joined],
        hoverinfo="skip",
        marker={"color": "rgba(0, 0, 0, 0)"},
    )


def _years(record: Record) -> list[_Band]:
    """Return when each year of a block was the newest under way; they may overlap."""
    bands = []
    begun = sorted(record.years, key=lambda year: year.start)
    for number, year in enumerate(begun):
        following = begun[number + 1].start if number + 1 < len(begun) else None
        end = year.end if following is None else following
        told = [f"year {year.year}"]
        if max(one.block for one in begun) > 1:
            told.append(f"block {year.block}")
        told.append(f"{year.trajectories} trajectories")
        if year.is_from_cache:
            told.append(f"from the cache, {saving(year.saved_seconds)}")
        elif year.end is None:
            told.append("not complete")
        else:
            told.append(f"{year.end - year.start:.2f} s, its checks included")
        label = f"{year.year} (cache)" if year.is_from_cache else str(year.year)
        bands.append(
            _Band(label, year.start, record.seconds if end is None else end, "<br>".join(told))
        )
    return bands


def _steps(record: Record) -> list[_Band]:
    """Return the steps of each year one after another, as they come to their end.

    Their work overlaps: a band begins where the one before ends, if its work began earlier.
    """
    found: dict[tuple[int | None, int | None], dict[str, list[Span]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for span in (*record.models, *record.dbt_commands):
        if span.step is not None:
            found[span.year, span.block][span.step].append(span)
    bands = []
    for (year, _), steps in found.items():
        extents = sorted(
            (max(one.end for one in spans), min(one.start for one in spans), step)
            for step, spans in steps.items()
        )
        reached = 0.0
        for end, start, step in extents:
            name = step if year is None else f"{step} of {year}"
            told = f"{plain(name)}<br>{end - start:.3f} s, from {start:.3f} to {end:.3f} s"
            bands.append(_Band(step, max(start, reached), end, told))
            reached = end
    return bands


def _bands(bands: Sequence[_Band], place: float, name: str) -> go.Bar:
    return go.Bar(
        name=name,
        orientation="h",
        base=[round(band.start, 4) for band in bands],
        x=[round(band.end - band.start, 4) for band in bands],
        y=[place] * len(bands),
        width=0.42,
        text=[plain(band.label) for band in bands],
        textposition="inside",
        insidetextanchor="middle",
        textfont={"color": "#14181D"},
        textangle=0,
        customdata=[[None, None, band.hover] for band in bands],
        hovertemplate="%{customdata[2]}<extra></extra>",
        showlegend=False,
        marker={
            "color": ["#98A1AC" if number % 2 else "#B4BBC4" for number in range(len(bands))],
            "line": {"width": 0},
        },
    )


def _notes(record: Record, place: float) -> go.Scatter:
    def told(details: Any) -> str:
        return "<br>".join(plain(f"{key}: {value}")[:160] for key, value in details.items())

    return go.Scatter(
        name="warnings and faults",
        mode="markers",
        x=[round(note.at, 4) for note in record.notes],
        y=[place] * len(record.notes),
        marker={"symbol": "triangle-down", "size": 11, "color": "#D55E00"},
        customdata=[
            [plain(note.kind.replace("_", " ")), None, told(note.details)] for note in record.notes
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[2]}<extra></extra>",
    )
