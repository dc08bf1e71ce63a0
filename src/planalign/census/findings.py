"""What was found in a census, by kind: a line for each column and reason, with three examples."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from planalign.census.columns import COLUMNS
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.columns import Column

MOST_EXAMPLES = 3
# Characters of a value: of a problem, and of an example.
MOST_OF_A_VALUE = 100
_MOST_OF_AN_EXAMPLE = 40


@dataclass(frozen=True)
class Example:
    """A cell that a finding is about.

    Args:
        line: of a text file, 1-based, on which the row begins.
        row: of the table, 1-based, the header not counted; None for none of its cells.
        value: of the cell; None if it is empty, or not to be shown.
        detail: what else belongs to it, such as the date that it contradicts.

    """

    line: int | None = None
    row: int | None = None
    value: str | None = None
    detail: str | None = None

    def __str__(self) -> str:
        """Return value, place and detail."""
        place = "" if self.row is None else f"row {self.row}"
        if self.line is not None:
            place = f"line {self.line} ({place})"
        value = "" if self.value is None else repr(cut(self.value, _MOST_OF_AN_EXAMPLE))
        detail = f"({self.detail})" if self.detail else ""
        return " ".join(filter(None, (value, "in" if value and place else "", place, detail)))


@dataclass(frozen=True)
class Finding:
    """One kind of problem or warning: a column, a reason, and how many rows it is true of.

    Args:
        message: the reason, in words.
        remedy: what to do about it.
        column: None if it is of the file or of whole rows.
        count: rows; 0 if it is not of rows.
        examples: the first rows with different values, at most `MOST_EXAMPLES`.
        code: of a warning, as the documentation lists them; empty for a problem.

    """

    message: str
    remedy: str
    column: str | None = None
    count: int = 0
    examples: tuple[Example, ...] = ()
    code: str = ""

    def __str__(self) -> str:
        """Return the finding as one line, with its examples."""
        examples = ", ".join(map(str, self.examples))
        if self.count > len(self.examples) > 0:
            examples += " and others"
        return self._line(f": {examples}" if examples else "")

    @property
    def sentence(self) -> str:
        """The finding without any example, for it is kept in a run."""
        return self._line("")

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as the object that `--json` prints."""
        return asdict(self)

    def _line(self, examples: str) -> str:
        rows = "row" if self.count == 1 else "rows"
        count = f", {self.count:,} {rows}" if self.count else ""
        return str(Problem(f"{self.message}{count}{examples}", self.remedy, column=self.column))


class CensusError(InputError):
    """A census cannot be used; carries its problems one by one, and by kind.

    Args:
        file: the census.
        problems: sorted by row and column; of many, the first ones.
        kinds: every kind, by column.
        warnings: what is unusual in it, too.

    """

    def __init__(
        self,
        file: str,
        problems: Sequence[Problem],
        kinds: Sequence[Finding],
        warnings: Sequence[Finding] = (),
    ) -> None:
        self.total = sum(max(1, kind.count) for kind in kinds)
        self.kinds = tuple(kinds)
        self.warnings = tuple(warnings)
        super().__init__(f"census {file} has {count_of(self.total, self.kinds)}", problems)

    def __str__(self) -> str:
        """Return the summary line, one line per kind of problem, and the warnings."""
        warnings = (f"  Warning: {warning}" for warning in self.warnings)
        return "\n".join([self.what, *(f"  {kind}" for kind in self.kinds), *warnings])


class Findings:
    """The problems of a census so far: kinds of all of them, and a list of the first ones."""

    def __init__(self, most: int, columns: Sequence[Column] = COLUMNS) -> None:
        self.most = most
        self._position = {column.name: number for number, column in enumerate(columns)}
        self.kinds: dict[tuple[str | None, str], Finding] = {}
        self._listed: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self.kinds)

    def add(self, *problems: Problem) -> None:
        """Add problems, each to the kind of the same column and message."""
        self.list(*problems)
        for problem in problems:
            in_table = problem.row is not None
            line = problem.line if in_table else None
            example = Example(line, problem.row, problem.value)
            shown = (example,) if in_table or problem.value is not None else ()
            self.add_kind(
                Finding(problem.message, problem.remedy, problem.column, int(in_table), shown)
            )

    def add_kind(self, finding: Finding) -> None:
        """Add a kind whose problems are listed already, or what else is of that kind."""
        known = self.kinds.get((finding.column, finding.message))
        if known is not None:
            examples = sorted(
                known.examples + finding.examples, key=lambda example: example.row or 0
            )
            finding = replace(
                known,
                count=known.count + finding.count,
                examples=tuple(examples[:MOST_EXAMPLES]),
            )
        self.kinds[finding.column, finding.message] = finding

    def list(self, *problems: Problem) -> None:
        """List problems, without adding a kind."""
        self._listed += problems[: self.most]

    def error(self, file: str, warnings: Sequence[Finding] = ()) -> CensusError:
        """Return the error that reports them by row and column, the first ones if many."""
        position = self._position
        kinds = sorted(
            self.kinds.values(), key=lambda kind: (position.get(kind.column or "", -1), -kind.count)
        )
        ordered = sorted(
            self._listed,
            key=lambda problem: (problem.row or 0, position.get(problem.column or "", -1)),
        )[: self.most]
        more = sum(max(1, kind.count) for kind in kinds) - len(ordered)
        if more:
            remedy = "Correct those above, then check again"
            ordered.append(Problem(f"{more:,} more problems are not listed", remedy, file=file))
        return CensusError(file, ordered, kinds, warnings)


def cut(value: str, most: int) -> str:
    """Return the beginning of a value, with dots if there is more of it."""
    return value if len(value) <= most else value[:most] + "..."


def count_of(total: int, kinds: Sequence[Finding]) -> str:
    """Return how many problems there are, and of how many kinds."""
    noun = "problem" if total == 1 else "problems"
    return f"{total:,} {noun}" + (f" of {len(kinds)} kinds" if len(kinds) > 1 else "")
