"""`planalign export`: results for other programs."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from planalign.cli import console
from planalign.cli.options import RunFolder


class ListingMarts(TyperCommand):
    """Ends its help with the marts that are shipped, as they are declared."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the marts and their sheets."""
        from planalign.marts.origin import RUN  # noqa: PLC0415 - only for help
        from planalign.marts.packaged import packaged_marts  # noqa: PLC0415 - reads YAML

        with formatter.section("Marts and their sheets"):
            formatter.write_dl(
                [
                    (mart.name, mart.sheet.title if mart.sheet else "-")
                    for mart in (RUN, *packaged_marts().values())
                ]
            )


def export(
    run: RunFolder,
    fmt: Annotated[
        Literal["xlsx", "csv", "parquet"], typer.Option("--format", help="What to write.")
    ],
    output: Annotated[Path, typer.Option(help="Folder or workbook to write; must not exist.")],
) -> None:
    """Write results as CSV, Parquet or an Excel workbook.

    csv: a folder with one file per mart. parquet: a folder; marts of facts (fct_)
    are folders in it, by employee with a file per scenario and year. xlsx: one
    workbook with the inputs, the comparison of scenarios where there are several,
    a sheet of each mart that declares one, and the provenance.

    Text that a spreadsheet would take for a formula is made harmless: CSV gets
    an apostrophe, a workbook text cells.
    """
    from planalign.results import open_run  # noqa: PLC0415 - duckdb is slow to import
    from planalign.results.export import export as write  # noqa: PLC0415

    with open_run(run) as opened:
        write(opened, fmt, output)
    console.say(f"Wrote {output}")
