"""`planalign pack`: a run as one file that a colleague can verify."""

from pathlib import Path
from typing import Annotated

import typer

from planalign.cli import console
from planalign.cli.options import RunFolder


def pack(
    run: RunFolder,
    output: Annotated[
        Path | None,
        typer.Option(metavar="F.zip", help="Default: the name of the run and .planalign.zip."),
    ] = None,
    census: Annotated[
        bool, typer.Option("--census", help="Also the census, which is personal data.")
    ] = False,
) -> None:
    """Pack what proves a run again: `planalign verify --against F.zip` does so anywhere.

    In it are the record of the run, the configuration, digests of the results,
    and the study's own models; no result, no path of this machine, and no
    census unless asked for. The same run gives the same bytes.
    """
    from planalign.study.pack import pack as write  # noqa: PLC0415 - duckdb is slow to import

    packed = write(run, output, with_census=census, compiling=_say_compiling)
    console.say(f"Wrote {packed.path}, {len(packed.files):,} files")
    if not census:
        console.say(
            "The census is not in it. Who verifies names the very file with --census; its "
            f"SHA-256 is {packed.census}."
        )


def _say_compiling() -> None:
    console.say("Compiling the models with dbt, once for this version of them.")
