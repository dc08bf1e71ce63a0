"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")]
Scenario = Annotated[
    str | None, typer.Option("--scenario", metavar="NAME", help="Only this scenario.")
]
Replicate = Annotated[
    int | None, typer.Option("--replicate", metavar="R", help="Only this replicate, from 0.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
