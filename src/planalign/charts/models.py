"""Two runs side by side: what each model took in one and in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from planalign.charts.style import BLUE, GREY, ORANGE, RIGHT, figure, plain

if TYPE_CHECKING:
    from planalign.profile.compare import Change, Comparison

MOST_MODELS = 20


def compare_models(comparison: Comparison, dark: bool = False) -> go.Figure:
    """Draw the seconds of the models of two runs that differ most, over all years.

    A change that is beyond noise has its name in bold and is marked with a diamond.
    """
    changes = sorted(comparison.models, key=lambda one: -abs(one.total_difference))[:MOST_MODELS]
    changes.reverse()
    drawn = figure(
        "Models in both runs",
        170 + 34 * max(1, len(changes)),
        dark=dark,
        barmode="group",
        hovermode="y",
        margin={"l": 250, "r": RIGHT, "t": 84, "b": 48},
    )
    places = list(range(len(changes)))
    for name, colour, pattern, values in (
        ("second run", ORANGE, "/", [sum(one.after) for one in changes]),
        ("first run", BLUE, "", [sum(one.before) for one in changes]),
    ):
        drawn.add_trace(
            go.Bar(
                name=name,
                orientation="h",
                x=[round(value, 4) for value in values],
                y=places,
                hovertemplate=f"{name}: %{{x:.3f}} s<extra></extra>",
                marker={
                    "color": colour,
                    "pattern": {"shape": pattern, "fillmode": "overlay", "fgopacity": 0.3},
                },
            )
        )
    told = [(place, one) for place, one in enumerate(changes) if one.is_beyond_noise]
    drawn.add_trace(
        go.Scatter(
            name="beyond noise",
            mode="markers",
            x=[max(sum(one.before), sum(one.after)) for _, one in told],
            y=[place for place, _ in told],
            marker={"symbol": "diamond", "size": 9, "color": GREY},
            customdata=[[_said(one)] for _, one in told],
            hovertemplate="%{customdata[0]}<extra></extra>",
        )
    )
    drawn.update_xaxes(
        title_text="seconds over the years in common", rangemode="tozero", showgrid=True
    )
    drawn.update_yaxes(
        tickvals=places,
        ticktext=[
            f"<b>{plain(one.name)}</b>" if one.is_beyond_noise else plain(one.name)
            for one in changes
        ],
        range=[-0.7, max(len(changes), 1) - 0.3],
        showgrid=False,
        fixedrange=True,
    )
    drawn.update_layout(legend={"traceorder": "reversed"})
    return drawn


def _said(change: Change) -> str:
    ratio = "" if change.ratio is None else f", {change.ratio:.2f} times the first"
    return f"{change.total_difference:+.3f} s{ratio}"
