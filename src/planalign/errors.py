"""What can go wrong, as one small tree, and the exit code of each kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from planalign.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    FAILED = 1
    INPUT = 2
    DIFFERENCE = 3
    ENVIRONMENT = 4
    INTERRUPTED = 130


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input, and what to do about it.

    `line` is the 1-based line of a text file, `row` the 1-based data row of a
    table (a header is not counted), `column` the column or configuration key.
    """

    message: str
    remedy: str
    file: str | None = None
    line: int | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        """Return the problem as one line: where, what, the value, the remedy.

        What a file brought along (names of columns, its own name) is made harmless to
        a terminal.
        """
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        if self.row is not None:
            place += f" row {self.row}"
        if self.column is not None:
            place += f" {self.column}"
        value = "" if self.value is None else f" (is {self.value!r})"
        lead = f"{place.strip()}: " if place.strip() else ""
        return visible(f"{lead}{self.message}{value}. {self.remedy}")

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as the object that `--json` prints."""
        return asdict(self)


class PlanalignError(Exception):
    """Base of every error that a user can cause or must act on.

    Args:
        what: what failed, on which object.
        remedy: what to do about it.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}. {remedy}".strip() if remedy else what)
        self.what = what
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again: it may come from another process."""
        return type(self), (self.what, self.remedy)


class ProblemsError(PlanalignError):
    """Something cannot be used; carries every problem found."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        super().__init__(what)
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again, with its problems."""
        return type(self), (self.what, self.problems)

    def __str__(self) -> str:
        """Return the summary line followed by one line per problem."""
        return "\n".join([self.what, *(f"  {problem}" for problem in self.problems)])


class InputError(ProblemsError):
    """Configuration or census cannot be used."""

    exit_code = ExitCode.INPUT


class UsageError(PlanalignError):
    """A command was called in a way that cannot work."""

    exit_code = ExitCode.INPUT


class ModelError(PlanalignError):
    """A model, test or step of the simulation failed."""

    exit_code = ExitCode.FAILED


class ProjectError(ProblemsError, ModelError):
    """The models of a dbt project cannot be run."""


class EnvironmentFaultError(PlanalignError):
    """The machine is in the way: locked database, full disk, dbt missing."""

    exit_code = ExitCode.ENVIRONMENT


class MemoryFaultError(EnvironmentFaultError):
    """Memory did not suffice; with less at once it may."""


class InterruptedRunError(PlanalignError):
    """The user stopped the run; it can be resumed."""

    exit_code = ExitCode.INTERRUPTED
