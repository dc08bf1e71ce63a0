"""The list of runs."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING

from markupsafe import Markup
from nicegui import ui

from planalign.studio import fragments
from planalign.studio.layout import html, page, set_html

if TYPE_CHECKING:
    from planalign.studio.layout import Studio
    from planalign.studio.runs import Summary

_EMPTY = Markup(
    '<div class="empty"><h2>No runs yet</h2><p>{} holds no runs. Start one here, or with '
    '<code>planalign simulate</code>.</p><a class="button main" href="/new">New run</a></div>'
)


def register(studio: Studio) -> None:
    """Add the page."""

    @ui.page("/")
    async def listing() -> None:
        def shown(found: list[Summary], odd: list[str]) -> Markup:
            runs = fragments.run_list(found) if found else _EMPTY.format(studio.runs.place.folder)
            return fragments.odd_names(odd) + runs

        async def look() -> Markup:
            place = studio.runs.place
            return shown(await to_thread(studio.runs.summaries), await to_thread(place.odd_names))

        with page("Runs", "/"):
            html(
                Markup(
                    '<div class="row"><div><h1>Runs</h1><p class="facts">{}</p></div>'
                    '<a class="button main" href="/new">New run</a></div>'
                ).format(studio.runs.place.folder)
            )
            table = html(await look()).classes("card")

            async def refresh() -> None:
                set_html(table, await look())

            ui.timer(1.0, refresh)
