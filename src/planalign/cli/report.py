"""`planalign report`: a run as one page."""

from pathlib import Path
from typing import Annotated

import typer

from planalign.cli import console


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, finished or not.")],
    output: Annotated[Path, typer.Option(metavar="F.html", help="File to write; must not exist.")],
) -> None:
    """Write what a run did, and what it found, as one page of HTML.

    The page opens from disk and needs no network: where time and memory went,
    what to change, query plans if the run recorded them, and the results. Of
    an unfinished or failed run it shows what was recorded.
    """
    from planalign.report.build import write_report  # noqa: PLC0415 - plotly is slow to import

    write_report(run, output)
    console.say(f"Wrote {output}")
