"""A run: its heading, how it goes, what can be done with it, and one of its views."""

from __future__ import annotations

import time
from asyncio import to_thread
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from nicegui import ui

from planalign.errors import PlanalignError
from planalign.studio import fragments
from planalign.studio.layout import button, html, not_found, page, set_html
from planalign.studio.pages.views import BUILD
from planalign.studio.runs import State

if TYPE_CHECKING:
    from planalign.studio.jobs import Job
    from planalign.studio.layout import Studio
    from planalign.studio.runs import Summary, Watched


def register(studio: Studio) -> None:
    """Add the pages of a run."""

    @ui.page("/run/{name}")
    async def overview(name: str) -> None:
        await _show(studio, name, "")

    @ui.page("/run/{name}/{view}")
    async def other(name: str, view: str) -> None:
        await _show(studio, name, view)


async def _show(studio: Studio, name: str, view: str) -> None:
    watched = await to_thread(studio.runs.find, name)
    job = studio.jobs.get(name)
    with page(name):
        if view not in BUILD:
            not_found(f"{name} with a page {view}")
        elif watched is not None:
            await _Page(studio, watched, view).build()
        elif job is not None:
            _starting(studio, name, job)
        else:
            not_found(name)


def _starting(studio: Studio, name: str, job: Job) -> None:
    """Show a run that was started here and has no record yet, or never got one."""
    html(Markup("<h1>{}</h1>").format(name))
    shown = html(fragments.note("Starting: the configuration and the census are read."))

    async def refresh() -> None:
        if await to_thread(studio.runs.find, name) is not None:
            ui.navigate.reload()
        elif not job.is_working:
            said = job.words() or f"It ended with exit code {job.exit_code}."
            set_html(
                shown,
                fragments.note("It did not start, and nothing is kept of it.\n", said, "error"),
            )

    ui.timer(0.5, refresh)


class _Page:
    """A page of one run, which follows it."""

    def __init__(self, studio: Studio, watched: Watched, view: str) -> None:
        self._studio = studio
        self._watched = watched
        self._view = view
        self._name = watched.output.name
        self._refresh: Any = None
        self._state: State | None = None
        self._error = ""
        self._job: Job | None = None  # resumed by this page

    async def build(self) -> None:
        """Build the page and keep it fresh."""
        summary = await self._look()
        self._head = html(fragments.run_head(summary))
        self._said = html(Markup("")).classes("hidden").props('role="status"')
        html(fragments.views(self._name, self._view))
        self._trouble = html(self._alerts(summary)).props('role="region" aria-label="Alerts"')
        self._live = ui.element("section").classes("card").props('aria-label="Progress"')
        with self._live:
            html(Markup("<h2>Progress</h2>"))
            self._progress = html(fragments.progress(summary.live, time.time()))
        self._buttons = ui.element("div").classes("buttons")
        self._body = ui.element("div").classes("stack")
        await self._turn(summary)
        ui.timer(1.0, self._tick)

    async def _look(self) -> Summary:
        return await to_thread(self._watched.summary, self._studio.is_working)

    async def _tick(self) -> None:
        if await to_thread(self._studio.runs.find, self._name) is None:
            ui.navigate.reload()  # it was removed
            return
        summary = await self._look()
        if self._job is not None and self._job.exit_code:
            # Why it could not go on may be in no record.
            self._error, self._job = self._job.words(), None
        set_html(self._head, fragments.run_head(summary))
        set_html(self._trouble, self._alerts(summary))
        if summary.state is not self._state:
            await self._turn(summary)
        elif summary.state is State.RUNNING:
            set_html(self._progress, fragments.progress(summary.live, time.time()))
            if self._refresh is not None:
                await self._refresh(summary)
        self._say(summary)

    async def _turn(self, summary: Summary) -> None:
        """Build what depends on the state."""
        self._state = summary.state
        self._live.set_visibility(summary.state is State.RUNNING)
        set_html(self._progress, fragments.progress(summary.live, time.time()))
        self._buttons.clear()
        with self._buttons:
            self._offer(summary)
        self._body.clear()
        with self._body:
            self._refresh = await BUILD[self._view](self._watched, summary)

    def _say(self, summary: Summary) -> None:
        """Tell a screen reader what changed, and no more often."""
        live = summary.live
        years = f", {live.done} of {live.planned} years" if live.planned else ""
        set_html(self._said, Markup("{}").format(f"{summary.state.value}{years}"))

    def _alerts(self, summary: Summary) -> Markup:
        known = fragments.alerts(summary.live)
        if summary.damaged:
            known += fragments.note(
                f"{summary.damaged} lines of the record are damaged.", "", "warn"
            )
        if summary.state is State.STALE:
            known += fragments.note(fragments.EXPLAINED[State.STALE], "", "warn")
        return known + (fragments.note(self._error, "", "error") if self._error else Markup(""))

    def _offer(self, summary: Summary) -> None:
        job = self._studio.jobs.get(self._name)
        if summary.state is State.RUNNING:
            if job is not None and job.is_working:
                button("Cancel the run", self._cancel, "stop")
            else:
                html(
                    Markup(
                        '<p class="facts">It was started elsewhere: it is cancelled there, '
                        "by Ctrl-C.</p>"
                    )
                )
        elif summary.state.is_resumable:
            button("Resume the run", self._resume, "main")

    async def _cancel(self) -> None:
        self._studio.jobs.cancel(self._name)
        self._buttons.clear()
        with self._buttons:
            html(Markup('<p class="facts">Cancelling: the statement at work is stopped.</p>'))

    async def _resume(self) -> None:
        self._error = ""
        self._buttons.clear()
        summary = await self._look()
        try:
            job = await to_thread(
                self._studio.jobs.resume, self._watched.output, summary.live.runner
            )
        except (PlanalignError, OSError) as error:
            self._error = str(error)
            await self._turn(summary)
            return
        self._job = job
        await self._turn(await self._look())
