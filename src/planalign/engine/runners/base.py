"""What a runner is: the one part of the engine that knows how models are executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from planalign.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.engine.pipeline import DataTest, Model, Pipeline, Step


@dataclass(frozen=True)
class Timing:
    """How long one unit of work took.

    `rows` is how many were written, where the runner learns it. `started` and
    `seconds` are on the clock of `time.perf_counter`.
    """

    name: str
    started: float
    seconds: float
    thread: str
    rows: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a data test found."""

    test: DataTest
    failures: int
    is_warning: bool = False
    is_error: bool = False


class Runner(Protocol):
    """Executes a compiled project; the same models, whoever runs them."""

    name: str

    def load_seeds(self) -> None:
        """Load the reference tables."""

    def run_models(self, step: Step) -> Iterator[Timing]:
        """Build the models of a step in dependency order, telling of each."""

    def run_tests(self, step: Step) -> Sequence[Outcome]:
        """Run the data tests that belong to a step."""

    def close(self) -> None:
        """Give back what the runner holds."""


def model_error(model: Model, runner: str, message: str) -> ModelError:
    """Return the error that names a failed model, its file and the database's words."""
    return ModelError(
        f"model {model.name} ({model.path}) failed in the {runner} runner: {message.strip()}",
        "Mend the model or its input; the years before are complete, --resume goes on from them.",
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
