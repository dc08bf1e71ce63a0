"""Serve the dashboard: pages, access and the server put together."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware

from planalign.errors import EnvironmentFaultError
from planalign.studio.access import Access, Guard
from planalign.studio.jobs import Jobs
from planalign.studio.layout import Studio, head, lost
from planalign.studio.pages import compare, listing, new
from planalign.studio.pages import runs as run_pages
from planalign.studio.runs import Runs, is_locked, place_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><rect width="20" height="20" '
    'rx="4" fill="#0b5cad"/><path d="M4 6h8M4 10h11M4 14h6" stroke="#fff" stroke-width="2" '
    'stroke-linecap="round"/></svg>'
)


def serve(path: Path, folder: Path, access: Access, port: int, tell: Callable[[str], None]) -> None:
    """Serve until the user stops it.

    Args:
        path: a run, or a folder of runs.
        folder: where configurations of new runs are.
        access: where to listen, and who may come in.
        port: 0 for a free one.
        tell: is told the address, once it listens there.

    Raises:
        EnvironmentFaultError: it cannot listen there.
    """
    listening = _listen(access.host, port)
    host, port = listening.getsockname()[:2]
    jobs = Jobs(folder)
    runs = Runs(place_of(path), lambda output: jobs.is_working(output) or is_locked(output))
    studio = Studio(runs, jobs, folder)
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    ui.add_head_html(head(), shared=True)
    for page in (listing, run_pages, compare, new):
        page.register(studio)
    ui.run_with(
        application,
        root=lost,
        title="planalign",
        favicon=_ICON,
        dark=None,
        language="en-US",
        # A tab that sleeps or a network that breaks off finds its page as it was.
        reconnect_timeout=30,
        tailwind=False,
        show_welcome_message=False,
        # Compressed behind the guard, which completes the pages.
        gzip_middleware_factory=None,
    )
    config = uvicorn.Config(
        GZipMiddleware(Guard(application, access)),
        ws="wsproto",
        log_level="warning",
        # An address may hold the token.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    shown = f"[{host}]" if ":" in host else host
    tell(f"http://{shown}:{port}/")
    # Ctrl-C is how it ends; uvicorn has closed everything before it passes it on.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        raise EnvironmentFaultError(
            f"cannot listen on {host}, port {port} ({error.strerror or error})",
            "Name another --port, or --port 0 for a free one.",
        ) from error
    return listening
