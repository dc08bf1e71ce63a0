"""Two runs side by side."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from nicegui import ui

from planalign.errors import PlanalignError
from planalign.studio import fragments, words
from planalign.studio.layout import PATIENCE, html, is_dark, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.profile.compare import Change, Comparison
    from planalign.studio.layout import Studio


def register(studio: Studio) -> None:
    """Add the page."""

    @ui.page("/compare", response_timeout=PATIENCE)
    async def compare(a: str = "", b: str = "") -> None:
        names = await to_thread(studio.runs.place.names)
        with page("Compare", "/compare"):
            html(
                Markup(
                    "<h1>Compare two runs</h1>"
                    '<p class="facts">The second is measured against the first.</p>'
                )
            )
            html(_form(names, a, b)).classes("card")
            if a and b:
                await _compare(studio, a, b)


def _form(names: list[str], a: str, b: str) -> Markup:
    def choice(field: str, title: str, chosen: str) -> Markup:
        options = Markup("").join(
            Markup('<option value="{0}"{1}>{0}</option>').format(
                name, Markup(" selected") if name == chosen else ""
            )
            for name in names
        )
        return Markup('<label>{}<select name="{}">{}</select></label>').format(
            title, field, options
        )

    return Markup(
        '<form class="choose" method="get" action="/compare">{}{}'
        '<button class="button main">Compare</button></form>'
    ).format(choice("a", "First", a), choice("b", "Second", b))


async def _compare(studio: Studio, a: str, b: str) -> None:
    from planalign.charts import compare_models  # noqa: PLC0415 - plotly
    from planalign.profile.compare import compare  # noqa: PLC0415

    records = []
    for name in (a, b):
        watched = await to_thread(studio.runs.find, name)
        if watched is None:
            html(fragments.note(f"There is no run {name}.", "Choose another.", "error"))
            return
        await to_thread(watched.summary, studio.is_working)
        try:
            records.append((await to_thread(watched.record))[0])
        except PlanalignError as error:
            html(fragments.note(str(error), kind="error"))
            return
    comparison = await to_thread(compare, *records)
    html(_conditions(comparison))
    html(_figures(a, b, comparison)).classes("card")
    box = ui.element("div").classes("card chart")
    box.props('role="group" aria-label="Models of both runs"')

    async def draw() -> None:
        figure = await to_thread(compare_models, comparison, dark=await is_dark())
        with box:
            ui.plotly({**figure.to_plotly_json(), "config": {"displayModeBar": False}})

    ui.timer(0, draw, once=True)
    html(_changes(a, b, comparison)).classes("card")


def _conditions(comparison: Comparison) -> Markup:
    if not comparison.conditions:
        return Markup("")
    said = "; ".join(f"{name}: {x} and {y}" for name, x, y in comparison.conditions)
    return fragments.note("The runs differ in more than their models.", said, "warn")


def _figures(a: str, b: str, comparison: Comparison) -> Markup:
    first, second = comparison.a, comparison.b

    def row(title: str, x: float | None, y: float | None, show: Callable[[Any], str]) -> Any:
        change = "" if not x or y is None else f"{(y - x) / x:+.0%}"
        return (title, show(x), show(y), change or words.UNKNOWN)

    return Markup("<h2>At a glance</h2>{}").format(
        fragments.table(
            "Figures of both runs",
            ("Figure", a, b, "Change"),
            [
                row("Wall time", first.wall_seconds, second.wall_seconds, words.seconds),
                row(
                    "Critical path",
                    first.critical_path_seconds,
                    second.critical_path_seconds,
                    words.seconds,
                ),
                row("Peak memory", first.memory.peak_bytes, second.memory.peak_bytes, words.size),
                row("Concurrency", first.concurrency, second.concurrency, lambda x: f"{x:.2f}"),
                row("Overhead", first.overhead_seconds, second.overhead_seconds, words.seconds),
                row("CPU", first.cpu_seconds, second.cpu_seconds, words.seconds),
            ],
            numeric=(1, 2, 3),
        )
    )


def _changes(a: str, b: str, comparison: Comparison) -> Markup:
    def verdict(change: Change) -> Markup:
        if not change.is_beyond_noise:
            return Markup("within noise")
        slower = change.difference > 0
        return Markup("<strong>{}</strong>").format("▲ slower" if slower else "▼ faster")

    changed = len(comparison.changed)
    said = f"{changed} of {len(comparison.models)} models changed by more than noise explains."
    only = [
        fragments.note(f"Only in {name}:", ", ".join(models))
        for name, models in ((a, comparison.only_a), (b, comparison.only_b))
        if models
    ]
    return Markup("<h2>Models</h2><p>{}</p>{}{}").format(
        said,
        Markup("").join(only),
        fragments.table(
            "Models of both runs, the largest change first",
            ("Model", a, b, "Difference", "Ratio", "Verdict"),
            [
                (
                    one.name,
                    words.seconds(sum(one.before)),
                    words.seconds(sum(one.after)),
                    f"{one.total_difference:+.3f} s",
                    words.UNKNOWN if one.ratio is None else f"{one.ratio:.2f}",
                    verdict(one),
                )
                for one in comparison.models
            ],
            numeric=(1, 2, 3, 4),
        ),
    )
