"""What a runner is: the one part of the engine that knows how models are executed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from planalign.engine.faults import environment_fault, first_words
from planalign.engine.meter import Usage
from planalign.errors import InputError, ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.engine.checks import Checks
    from planalign.engine.pipeline import Model, Pipeline, Step
    from planalign.errors import PlanalignError


@dataclass(frozen=True)
class Timing:
    """How long one unit of work took.

    `rows` is how many were written, where the runner learns it. `started` and
    `seconds` are on the clock of `time.perf_counter`. `attempt` is the one that
    succeeded, from 1; `is_prepared` says that its statements had been parsed before.
    `query_plan` is DuckDB's profile, as JSON, where one was asked for; the last two are what
    dbt says of the time it took to compile and to execute.
    """

    name: str
    step: Step
    started: float
    seconds: float
    thread: str
    rows: int | None = None
    attempt: int = 1
    is_prepared: bool = False
    usage: Usage = field(default_factory=Usage)
    query_plan: str | None = None
    compile_seconds: float | None = None
    execute_seconds: float | None = None


class Runner(Protocol):
    """Executes a compiled project; the same models, whoever runs them."""

    name: str
    # Whether a model may start before the step in front of its own has ended, as
    # soon as what it needs is there.
    overlaps_steps: bool

    def load_seeds(self) -> None:
        """Load the reference tables."""

    def run_models(self, steps: Sequence[Step]) -> Iterator[Timing]:
        """Build the models of steps in dependency order, telling of each."""

    def start_tests(self, step: Step) -> Checks:
        """Begin the data tests that belong to a step, on the data as they are now."""

    def close(self) -> None:
        """Give back what the runner holds."""


# An amount, DuckDB's or dbt's words for it: no other number of a model grows like pay.
_TOO_LARGE = re.compile(r"Out of Range Error: |Conversion Error: .* DECIMAL\(")


def model_failure(model: Model, runner: str, error: BaseException) -> PlanalignError:
    """Return the error that names a failed model, its file and the database's words."""
    what = f"model {model.name} ({model.path})"
    if _TOO_LARGE.search(str(error)):
        return InputError(
            f"{what}: an amount is larger than fits ({first_words(error)})",
            [
                Problem(
                    "pay grows beyond what can be counted",
                    "Lower cola_rate, merit_budget, market_adjustment or promotion_increase, "
                    "or simulate fewer years",
                    column="compensation",
                )
            ],
        )
    return environment_fault(what, error) or ModelError(
        f"{what} failed in the {runner} runner: {str(error).strip()}",
        "The years before are complete. With the cause outside gone, --resume goes on from them; "
        "after a change to the models or the input, start anew.",
    )


def pack(groups: Sequence[tuple[Model, ...]], most: int) -> Iterator[tuple[Model, ...]]:
    """Join consecutive topological levels into commands of at most `most` models.

    dbt orders the models of one command itself, so that a command may span
    levels; a level larger than `most` is split.
    """
    command: list[Model] = []
    for model in (model for group in groups for model in group):
        if len(command) == most:
            yield tuple(command)
            command = []
        command.append(model)
    if command:
        yield tuple(command)


def names_of(pipeline: Pipeline, step: Step) -> list[str]:
    """Return the names of a step's data tests, for dbt's --select."""
    return [test.name for test in pipeline.tests_of(step)]
