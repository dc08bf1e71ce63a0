"""`planalign dashboard`: runs in the browser, live while they go on."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from planalign.errors import EnvironmentFaultError


def dashboard(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]", help="A run, or a folder of runs. Default: the folder runs here."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--host", metavar="H", help="Where to listen. Beyond this machine: a token."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="P", min=0, max=65535, help="0: a free one.")
    ] = 8080,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="T",
            envvar="PLANALIGN_TOKEN",
            help="What a reader must give. Others see the option; better set PLANALIGN_TOKEN.",
        ),
    ] = None,
) -> None:
    """Show runs in the browser, live while they go on; start, cancel and resume them.

    Prints the address and serves until Ctrl-C. Runs that were started go on.
    """
    from planalign.studio.access import Access  # noqa: PLC0415

    access = Access(host, token or None)
    if find_spec("nicegui") is None:
        raise EnvironmentFaultError(
            "the dashboard needs NiceGUI, which is not installed",
            "pip install 'planalign[studio]'",
        )
    from planalign.studio.app import serve  # noqa: PLC0415 - nicegui is slow to import

    serve(path or Path("runs"), Path.cwd(), access, port, typer.echo)
