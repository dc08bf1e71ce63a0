"""`planalign config`: what a configuration may contain."""

import typer

from planalign.cli.output import emit_json

config = typer.Typer(
    name="config",
    help="Print what a configuration may contain.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@config.callback()
def _group() -> None:
    """Print what a configuration may contain."""


@config.command()
def schema() -> None:
    """Print the JSON schema of planalign.yaml, for editors and forms.

    Of each key: title, description, group, default, the range or the words,
    unit, step, and whether it may be given by_year and by_level.
    """
    from planalign.config import json_schema  # noqa: PLC0415 - slow to import

    emit_json(json_schema())
