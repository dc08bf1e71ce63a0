"""How all figures look: two templates, colours that the colour-blind tell apart, units.

The colours are those of Okabe and Ito (2008), "Color Universal Design". A trace has the
same ones in both templates, so that a page can change the template alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

if TYPE_CHECKING:
    from collections.abc import Sequence

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"

# Blue and purple are lightened as lines need more contrast on dark than on white.
SERIES = ("#2A8FD0", ORANGE, GREEN, "#CC79A7", VERMILLION, SKY, "#B0A300", GREY)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
LEFT, RIGHT = 84, 24  # margins, pixels: figures on one time axis line up


@dataclass(frozen=True)
class Kind:
    """How what was done is told apart: a name for the legend, a colour and a pattern."""

    name: str
    colour: str
    pattern: str
    text: str = "#14181D"  # on the colour


KINDS = {
    "stg": Kind("staging models", SKY, "/"),
    "int": Kind("intermediate models", BLUE, "", "#FFFFFF"),
    "fct": Kind("facts", ORANGE, "x"),
    "dim": Kind("dimensions", PURPLE, "."),
    "model": Kind("other models", YELLOW, "+"),
    "test": Kind("data tests", GREEN, "\\"),
    "work": Kind("other work", GREY, "|"),
    "dbt": Kind("dbt commands", VERMILLION, "", "#FFFFFF"),
}


def ink(*, dark: bool) -> str:
    """Return the colour of text and outlines."""
    return "#E8EAED" if dark else "#1B1F24"


def paper(*, dark: bool) -> str:
    """Return the colour of the page below, which idle time shows."""
    return "#16191D" if dark else "#FFFFFF"


def template(*, dark: bool) -> go.layout.Template:
    """Return the template of all figures."""
    grid = "#343A42" if dark else "#E3E6EA"
    text = ink(dark=dark)
    axis = {
        "gridcolor": grid,
        "linecolor": grid,
        "zerolinecolor": grid,
        "tickcolor": grid,
        "title": {"standoff": 8, "font": {"size": 12}},
        "automargin": False,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": text},
            "title": {
                "font": {"size": 15},
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 12},
            },
            "paper_bgcolor": paper(dark=dark),
            "plot_bgcolor": paper(dark=dark),
            "colorway": list(SERIES),
            "hoverlabel": {
                "bgcolor": "#262B31" if dark else "#FFFFFF",
                "bordercolor": grid,
                "font": {"color": text, "family": FONT, "size": 12},
                "align": "left",
            },
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "margin": {"l": LEFT, "r": RIGHT, "t": 84, "b": 48},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1,
                "yanchor": "bottom",
                "font": {"size": 11},
                "itemsizing": "constant",
            },
            "annotationdefaults": {"arrowcolor": text, "arrowwidth": 1.2},
            "bargap": 0.2,
            "dragmode": "zoom",
            # What is no part of a template by itself; pages that change it read it here.
            "meta": {"ink": text},
        }
    )


def figure(title: str, height: int, *, dark: bool, **layout: Any) -> go.Figure:
    """Return an empty figure; its height is in pixels, its width that of the page."""
    made = go.Figure()
    made.update_layout(title_text=title, height=height, template=template(dark=dark), **layout)
    return made


def plain(text: str) -> str:
    """Return text that plotly, which reads some HTML, shows as it is."""
    return escape(text, quote=False).replace("{", "&#123;")


def faded(colour: str, opacity: float) -> str:
    """Return a colour that lets through what is below."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def scale_of(largest: float, steps: Sequence[tuple[float, str]]) -> tuple[float, str]:
    """Return the largest unit that a figure reaches, and its name; the last if none."""
    return next((step for step in steps if largest >= step[0]), steps[-1])


BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))
DOLLARS = (
    (1e9, "billion dollars"),
    (1e6, "million dollars"),
    (1e3, "thousand dollars"),
    (1.0, "dollars"),
)
