"""What the process took of the machine over time: memory, cores, input and output."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from planalign.charts.style import (
    BYTES,
    DASHES,
    GREY,
    LEFT,
    ORANGE,
    RIGHT,
    SERIES,
    SKY,
    VERMILLION,
    faded,
    figure,
    plain,
    scale_of,
    template,
)
from planalign.profile.analysis import BUDGET_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planalign.record.record import Record, Sample

_Point = TypeVar("_Point")

# More points than a screen has pixels for are thinned; peaks stay.
MOST_POINTS = 600
# What DuckDB holds is drawn by tag: so many, the rest together.
MOST_TAGS = 6
# A line of the limit that is further above the peak than this would flatten all else.
HEADROOM = 3.0


def memory(record: Record, dark: bool = False) -> go.Figure:
    """Draw the memory of the process and, stacked, what DuckDB holds of it by tag.

    The limit of the run and the budget of 4 GB are lines, or a note where they are far
    above. The time axis is that of the timeline.
    """
    points = _memory_points(record)
    highest = max(points, key=lambda point: point[1], default=None)
    peak = highest[1] if highest else 0
    unit, name = scale_of(peak, BYTES)
    drawn = figure("Memory", 320, dark=dark, hovermode="x")
    thinned = thin(
        record.samples,
        MOST_POINTS // 2,
        (lambda one: one.resident_bytes, lambda one: sum(one.memory_by_tag.values())),
    )
    for number, (label, tags) in enumerate(_tags(record.samples)):
        colour = SERIES[number % len(SERIES)]
        drawn.add_trace(
            go.Scatter(
                name=plain(label),
                x=[round(one.at, 3) for one in thinned],
                y=[
                    round(sum(one.memory_by_tag.get(tag, 0) for tag in tags) / unit, 4)
                    for one in thinned
                ],
                stackgroup="duckdb",
                mode="lines",
                line={"width": 0.8, "color": colour},
                fillcolor=faded(colour, 0.55),
                hovertemplate=f"{plain(label)}: %{{y:,.4~g}} {name}<extra></extra>",
            )
        )
    shown = _thin_points(points, MOST_POINTS)
    drawn.add_trace(
        go.Scatter(
            name="process, resident",
            x=[round(at, 3) for at, _ in shown],
            y=[round(held / unit, 4) for _, held in shown],
            mode="lines",
            line={"width": 2, "color": VERMILLION},
            hovertemplate=f"process: %{{y:,.4~g}} {name}<extra></extra>",
        )
    )
    if highest is not None:
        _mark_peak(drawn, highest, record.seconds, unit, name)
    _draw_limits(drawn, record, peak, unit)
    drawn.update_xaxes(**_time_axis(record))
    drawn.update_yaxes(title_text=f"memory, {name}", rangemode="tozero")
    return drawn


def cores(record: Record, dark: bool = False) -> go.Figure:
    """Draw how busy each core was, the process's own CPU, and what it read and wrote.

    How busy a core was is of the machine, whoever used it, as a part of 100 %. CPU is in
    cores: 2 means that two were used all the time. Bytes are those of calls to the system.
    """
    rates = _rates(record.samples)
    drawn = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.09, row_heights=[0.3, 0.4, 0.3]
    )
    drawn.update_layout(
        title_text="Cores, input and output",
        height=470,
        template=template(dark=dark),
        hovermode="x",
    )
    count = max((len(one.busy_by_core) for one in record.samples), default=0)
    busy = thin(record.samples, MOST_POINTS, (lambda one: sum(one.busy_by_core),))
    drawn.add_trace(
        go.Heatmap(
            name="busy by core",
            x=[round(one.at, 3) for one in busy],
            y=list(range(count)),
            z=[
                [
                    round(100 * one.busy_by_core[core]) if core < len(one.busy_by_core) else None
                    for one in busy
                ]
                for core in range(count)
            ],
            zmin=0,
            zmax=100,
            ygap=1.5,
            colorscale="Cividis",
            # A colour bar breaks a strict content policy; the lines below have the numbers.
            showscale=False,
            hovertemplate="core %{y}: %{z} % busy<extra></extra>",
        ),
        row=1, col=1,
    )  # fmt: skip
    shown = thin(rates, MOST_POINTS, (lambda one: one.cores, lambda one: one.written or 0.0))
    times = [round(one.at, 3) for one in shown]

    def line(name: str, values: list[float | None], number: int, row: int, form: str) -> None:
        drawn.add_trace(
            go.Scatter(
                name=name,
                x=times,
                y=values,
                mode="lines",
                line={
                    "width": 1.8,
                    "color": (SERIES[0], GREY, SKY, ORANGE)[number],
                    "dash": (DASHES[0], DASHES[2], DASHES[0], DASHES[1])[number],
                },
                hovertemplate=f"{name}: {form}<extra></extra>",
            ),
            row=row, col=1,
        )  # fmt: skip

    line("CPU of the run", [round(one.cores, 3) for one in shown], 0, 2, "%{y:.2f} cores")
    line("of the machine", [round(one.machine, 3) for one in shown], 1, 2, "%{y:.2f} cores")
    line("read", [_megabytes(one.read) for one in shown], 2, 3, "%{y:,.2f} MB/s")
    line("written", [_megabytes(one.written) for one in shown], 3, 3, "%{y:,.2f} MB/s")
    drawn.add_annotation(
        text="bright: busy, dark: idle",
        xref="paper",
        yref="paper",
        x=1,
        y=1,
        xanchor="right",
        yanchor="bottom",
        showarrow=False,
        font={"size": 11},
    )
    drawn.update_yaxes(
        title_text="core", row=1, col=1, showgrid=False, zeroline=False, range=[-0.5, count - 0.5],
        tickmode="linear", dtick=max(1, -(-count // 8)), tick0=0,
    )  # fmt: skip
    drawn.update_yaxes(title_text="cores used", rangemode="tozero", row=2, col=1)
    drawn.update_yaxes(title_text="MB/s", rangemode="tozero", row=3, col=1)
    drawn.update_xaxes(range=_time_axis(record)["range"])
    drawn.update_xaxes(title_text=_time_axis(record)["title_text"], row=3, col=1)
    drawn.update_layout(margin={"l": LEFT, "r": RIGHT, "t": 84, "b": 48})
    return drawn


def thin(
    points: Sequence[_Point], most: int, heights: Sequence[Callable[[_Point], float]]
) -> list[_Point]:
    """Return some of the points: of each equal stretch those that are highest by a measure.

    The first and the last stay, and at most `most` in each measure are kept.
    """
    if len(points) <= most:
        return list(points)
    kept = {0, len(points) - 1}
    for number in range(most):
        stretch = range(number * len(points) // most, (number + 1) * len(points) // most)
        kept.update(max(stretch, key=lambda place: height(points[place])) for height in heights)
    return [points[place] for place in sorted(kept)]


@dataclass(frozen=True)
class _Rate:
    """Between two samples: cores used by the run and by all, bytes a second."""

    at: float
    cores: float
    machine: float
    read: float | None
    written: float | None


def _rates(samples: Sequence[Sample]) -> list[_Rate]:
    found = []
    for before, after in pairwise(samples):
        seconds = after.at - before.at
        if before.session != after.session or seconds <= 0:
            continue  # counters begin anew

        def rate(earlier: int | None, later: int | None, over: float = seconds) -> float | None:
            return None if earlier is None or later is None else (later - earlier) / over

        found.append(
            _Rate(
                after.at,
                (after.cpu_seconds - before.cpu_seconds) / seconds,
                sum(after.busy_by_core),
                rate(before.read_bytes, after.read_bytes),
                rate(before.written_bytes, after.written_bytes),
            )
        )
    return found


def _megabytes(value: float | None) -> float | None:
    return None if value is None else round(value / 1e6, 3)


def _memory_points(record: Record) -> list[tuple[float, int]]:
    """Return the memory of the process at every instant that is known, in order of time.

    When within a model its peak was is not known; it is drawn in its middle.
    """
    points = [(one.at, one.resident_bytes) for one in record.samples]
    known: list[tuple[float, int | None]] = []
    for model in record.models:
        known.append((model.start, model.memory_before))
        known.append(((model.start + model.end) / 2, model.memory_peak))
        known.append((model.end, model.memory_after))
    known += [((one.start + one.end) / 2, one.memory_peak) for one in record.dbt_commands]
    return sorted(points + [(at, held) for at, held in known if held is not None])


def _thin_points(points: list[tuple[float, int]], most: int) -> list[tuple[float, int]]:
    return thin(points, most, (lambda point: point[1],))


def _tags(samples: Sequence[Sample]) -> list[tuple[str, tuple[str, ...]]]:
    """Return DuckDB's tags by their highest, those that were never used left out."""
    highest: dict[str, int] = {}
    for sample in samples:
        for tag, held in sample.memory_by_tag.items():
            highest[tag] = max(held, highest.get(tag, 0))
    used = sorted((tag for tag, held in highest.items() if held), key=lambda tag: -highest[tag])
    labels: list[tuple[str, tuple[str, ...]]]
    labels = [(f"DuckDB {tag.lower().replace('_', ' ')}", (tag,)) for tag in used[:MOST_TAGS]]
    if len(used) > MOST_TAGS:
        labels.append(("DuckDB, other", tuple(used[MOST_TAGS:])))
    return labels


def _mark_peak(
    drawn: go.Figure, highest: tuple[float, int], seconds: float, unit: float, name: str
) -> None:
    at, held = highest
    is_late = at > 0.7 * seconds
    drawn.add_annotation(
        x=at,
        y=held / unit,
        text=f"peak {held / unit:,.4g} {name}",
        showarrow=True,
        arrowhead=2,
        ax=-46 if is_late else 46,
        ay=-18,
        xanchor="right" if is_late else "left",
    )


def _draw_limits(drawn: go.Figure, record: Record, peak: float, unit: float) -> None:
    limits = {"budget": BUDGET_BYTES}
    if record.memory_limit_bytes is not None:
        limits["limit of the run"] = record.memory_limit_bytes
    if len(set(limits.values())) < len(limits):
        limits = {"limit of the run and budget": BUDGET_BYTES}
    above = []
    for number, (label, held) in enumerate(limits.items()):
        text = f"{label} {held / 1e9:,.4g} GB"
        if held > HEADROOM * peak:
            above.append(text)
            continue
        drawn.add_hline(
            y=held / unit,
            line={"color": GREY, "width": 1.5, "dash": DASHES[1 + number]},
            annotation={"text": text, "font": {"size": 11}},
            annotation_position="top left",
        )
    highest = max(peak, *(held if held <= HEADROOM * peak else 0 for held in limits.values()))
    drawn.update_yaxes(range=[0, 1.35 * highest / unit or 1])
    if above:
        drawn.add_annotation(
            text="above the chart: " + ", ".join(above),
            xref="paper", yref="paper", x=0.005, y=1, xanchor="left", yanchor="top",
            showarrow=False, font={"size": 11},
        )  # fmt: skip


def _time_axis(record: Record) -> dict[str, Any]:
    return {
        "title_text": "seconds since the run began",
        "range": [0, max(record.seconds, 1e-3)],
    }
