"""How a run goes, on stderr: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from planalign.cli import console
from planalign.record.telemetry import saving
from planalign.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planalign.record.telemetry import Listener

# What went wrong and is mended, in a line of its own.
_SAID = {
    "retried": "{what}: attempt {attempt} failed ({error}); the next in {wait_seconds} s",
    "group_failed": "A group of models failed ({error}); the rest of it runs one by one.",
}


@contextmanager
def following() -> Iterator[Listener]:
    """Lend a listener that shows progress while the block lasts."""
    if not sys.stderr.isatty():
        yield _plain
        return
    from rich.progress import (  # noqa: PLC0415 - only a terminal needs it
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=console.progress(),
        transient=True,
    ) as bar:
        task = bar.add_task("starting", total=None, done="")
        models = {"of_year": 0, "before": 0}
        years = {"all": 0, "begun": 0, "done": 0}

        def begin_year() -> None:
            years["begun"] += 1
            models.update(of_year=0, before=models["of_year"] or models["before"])
            bar.update(task, completed=years["begun"] - 1)

        def finish_year() -> None:
            years["done"] += 1
            bar.update(task, done=f"{years['done']}/{years['all']} years")

        def show(kind: str, **details: Any) -> None:
            if kind == "run_planned":
                years["all"] = details["years"]
                bar.update(task, total=years["all"], done=f"{years['done']}/{years['all']} years")
            elif kind == "compiling":
                bar.update(task, description="compiling the models with dbt")
            elif kind == "year_started":
                begin_year()
            elif kind == "step_started":
                bar.update(task, description=f"{details['year'] or ''} {details['step']}".strip())
            elif kind == "model_completed" and details["year"] is not None:
                # A part of the year for each model, once a year has told how many.
                models["of_year"] += 1
                if models["before"]:
                    bar.advance(task, 1 / models["before"])
                bar.update(task, description=visible(f"{details['year']} {details['model']}"))
            elif kind == "year_from_cache":
                begin_year()
                finish_year()
            elif kind == "year_completed":
                finish_year()
            elif kind == "warning":
                bar.console.print(visible(f"Warning: {details['message']}"), markup=False)
            elif kind in _SAID:
                bar.console.print(visible(_SAID[kind].format(**details)), markup=False)

        yield show


def _plain(kind: str, **details: Any) -> None:
    if kind == "compiling":
        console.say("Compiling the models with dbt, once for this version of them.")
    elif kind == "year_started":
        console.say(f"{details['year']}: {details['trajectories']} trajectories")
    elif kind == "year_completed":
        console.say(f"{details['year']}: complete in {details['seconds']:.2f} s")
    elif kind == "year_from_cache":
        console.say(f"{details['year']}: from cache, {saving(details['saved_seconds'])}")
    elif kind == "warning":
        console.warn(details["message"])
    elif kind in _SAID:
        console.say(_SAID[kind].format(**details))
