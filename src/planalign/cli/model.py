"""`planalign model`: what a study's own models do."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.configuration import (
    CacheDir,
    Census,
    ConfigFile,
    NoCache,
    Years,
    configuration,
    year_cache,
)
from planalign.cli.options import Json, Replicate, Scenario
from planalign.cli.output import emit, emit_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planalign.record.telemetry import Listener
    from planalign.study.model_change import ModelChange

model = typer.Typer(
    name="model",
    help="Say what a study's own models do.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@model.callback()
def _group() -> None:
    """Say what a study's own models do."""


@model.command()
def diff(
    years: Years = None,
    config: ConfigFile = None,
    census: Census = None,
    scenario: Scenario = None,
    replicate: Replicate = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same.")] = False,
    no_cache: NoCache = False,
    cache_dir: CacheDir = None,
    json: Json = False,
) -> None:
    """Simulate a study without its own models and census columns, and with them; compare.

    Names the files that are new, and those that take the place of packaged
    ones, and tells rows and sums without them (A) and with them (B).

    Keys of --json: files, each with path (in the folder of models), place (in
    the model project) and takes_place (of one that is there without it);
    extra_columns (type by name); identical and marts as in `planalign verify
    --summary --json`.
    """
    from planalign.study import Request  # noqa: PLC0415 - duckdb is slow to import
    from planalign.study.model_change import model_change  # noqa: PLC0415

    request = Request(
        configuration(config, years=years, census=census),
        scenario=scenario,
        replicate=replicate,
        cache=year_cache(cache_dir, is_used=not no_cache),
    )
    change = model_change(request, _following, everything=everything)
    if json:
        emit_json(change.as_dict())
    else:
        _print(change)


@contextmanager
def _following(side: str) -> "Iterator[Listener]":
    from planalign.cli.progress import following  # noqa: PLC0415 - slow to import

    console.say(side)
    with following() as listener:
        yield listener


def _print(change: "ModelChange") -> None:
    from planalign.cli.summary_tables import print_summary_of  # noqa: PLC0415 - rich

    for title, takes_place in (("New:", False), ("In the place of a packaged one:", True)):
        files = [one.path for one in change.files if one.takes_place is takes_place]
        if files:
            emit("\n".join([title, *(f"  {path}" for path in files)]))
    if change.extra_columns:
        columns = (f"{name} ({kind})" for name, kind in change.extra_columns.items())
        emit(f"Columns of the census: {', '.join(columns)}")
    emit("A is the study without them, B with them.\n")
    print_summary_of(change.summary)
