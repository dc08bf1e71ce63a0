"""What all pages share: the header, the way to the content, buttons, the theme."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from nicegui import ui

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nicegui.element import Element
    from nicegui.elements.html import Html

    from planalign.studio.jobs import Jobs
    from planalign.studio.runs import Runs

_THEME = "planalign_theme"
_LINKS = {"/": "Runs", "/compare": "Compare", "/new": "New run"}
_LOGO = Markup(
    '<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="2.4" '
    'stroke-linecap="round" aria-hidden="true"><path d="M3 5h9M6 10h11M3 15h7"/></svg>'
)
_MOON = Markup(
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path fill="none" stroke="currentColor" '
    'stroke-width="1.8" d="M10 3a7 7 0 1 0 0 14z"/><path fill="currentColor" '
    'd="M10 3a7 7 0 0 1 0 14z"/></svg>'
)
# The choice is the browser's; figures are drawn anew in its colours.
_TURN = """() => {
  const theme = document.body.classList.contains('body--dark') ? 'light' : 'dark';
  document.cookie = `planalign_theme=${theme}; path=/; max-age=31536000; SameSite=Strict`;
  location.reload();
}"""


@dataclass(frozen=True)
class Studio:
    """What the pages work with: the runs, the jobs, the folder that new runs start in."""

    runs: Runs
    jobs: Jobs
    folder: Path

    def is_working(self, output: Path) -> bool:
        """Say whether a process works on a run."""
        return self.runs.is_working(output)


def head() -> str:
    """Return what goes into the head of every page."""
    css = Path(__file__).with_name("studio.css").read_text(encoding="utf-8")
    return f"<style>{css}</style>"


@contextmanager
def page(title: str, current: str = "") -> Iterator[None]:
    """Build the frame of a page; what the block builds is its content."""
    ui.page_title(f"{title} - planalign")
    theme = ui.context.client.request.cookies.get(_THEME)
    if theme in ("dark", "light"):
        ui.dark_mode(theme == "dark")
    with ui.header(), ui.element("div").classes("top"):
        links = Markup("").join(
            Markup('<li><a href="{}"{}>{}</a></li>').format(
                address, Markup(' aria-current="page"') if address == current else "", name
            )
            for address, name in _LINKS.items()
        )
        html(
            Markup(
                '<a class="skip" href="#content">Skip to the content</a>'
                '<a class="brand" href="/" aria-label="planalign, list of runs">{}<span>planalign'
                '</span></a><nav aria-label="Dashboard"><ul>{}</ul></nav>'
            ).format(_LOGO, links)
        ).classes("links")
        turn = ui.element("button").classes("button icon")
        turn.props('type="button" aria-label="Turn between dark and light"')
        turn.on("click", js_handler=_TURN)
        with turn:
            html(_MOON, tag="span")
    with ui.element("div").props('id="content" tabindex="-1"'):
        yield


def html(content: Markup, tag: str = "div") -> Html:
    """Show HTML, which the browser cleans once more."""
    return ui.html(_sent(content), sanitize=True, tag=tag)


def set_html(element: Html, content: Markup) -> None:
    """Change what is shown, if it is something else."""
    if element.content != _sent(content):
        element.set_content(_sent(content))


def _sent(content: Markup) -> str:
    """Return HTML as it can be sent: a path may hold bytes that are no text."""
    return str(content).encode("utf-8", "backslashreplace").decode()


def button(text: str, act: Callable[[], Any], kind: str = "") -> Element:
    """Show a button."""
    element = ui.element("button").classes(f"button {kind}").props('type="button"')
    element.on("click", lambda _: act())
    with element:
        html(Markup("{}").format(text), tag="span")
    return element


async def is_dark() -> bool:
    """Ask the browser whether the page is dark."""
    return bool(
        await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=10)
    )


def lost() -> None:
    """Build the page of an address that is none."""
    with page("Not found"):
        not_found("at this address")


def not_found(name: str) -> None:
    """Say that there is no such run."""
    ui.context.client.status_code = 404
    html(
        Markup(
            '<div class="card empty"><h1>There is no run {}</h1><p>It may have been removed, or '
            'lie in another folder.</p><a class="button" href="/">All runs</a></div>'
        ).format(name)
    )
