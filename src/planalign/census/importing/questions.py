"""What an import asks, and what it was answered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class Question:
    """One thing that the files do not tell by themselves.

    Args:
        key: names it in `--answer KEY=VALUE` and in a recipe.
        about: the question in words, with what it is about and how many rows.
        columns: headers of the file that it concerns.
        choices: what may be answered; empty where it is free text.
        proposal: what the import would do; none where nothing speaks for one choice.
        is_certain: whether `--yes` takes the proposal.
    """

    key: str
    about: str
    columns: tuple[str, ...]
    choices: tuple[str, ...]
    proposal: str | None
    is_certain: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the question as the object that `--json` prints."""
        return {
            "key": self.key,
            "about": self.about,
            "columns": list(self.columns),
            "choices": list(self.choices),
            "proposal": self.proposal,
            "certain": self.is_certain,
        }


@dataclass
class Answers:
    """Takes the questions of one pass over the files, and answers what it can.

    Where it cannot, the pass goes on with the proposal, or the first choice, so that all
    questions come at once; nothing of such a pass is written.

    Args:
        given: answer by key, of the recipe and of the command line.
        takes_certain: whether proposals that are certain count as answered.
    """

    given: Mapping[str, str]
    takes_certain: bool = False
    open: dict[str, Question] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    assumed: list[Question] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    file: str = ""

    def choose(
        self,
        key: str,
        about: str,
        *,
        where: str = "",
        columns: Sequence[str] = (),
        choices: Sequence[str] = (),
        proposal: str | None = None,
        certain: bool = False,
        accepts: Callable[[str], bool] | None = None,
    ) -> str:
        """Return the answer to a question, or what the pass goes on with.

        Args:
            key: as in `Question`, as are the others.
            about: the question, the same whichever file asks it.
            where: what it is about in the file that is read, such as its rows.
            columns: headers it concerns.
            choices: what may be answered.
            proposal: what would be done.
            certain: whether `--yes` takes the proposal.
            accepts: of free text, whether it can be used.
        """
        question = Question(key, about, tuple(columns), tuple(choices), proposal, certain)
        answer = self.given.get(key)
        if answer is not None:
            fits = accepts(answer) if accepts else not choices or answer in choices
            if fits:
                self.used[key] = answer
                return answer
            self.refused[key] = answer
        elif certain and self.takes_certain and proposal is not None:
            self.used[key] = proposal
            self.assumed.append(question)
            return proposal
        self._ask(question, where)
        return proposal if proposal is not None else choices[0] if choices else ""

    def _ask(self, question: Question, where: str) -> None:
        """Keep a question; where another file has asked it, one that is about both."""
        place = f"{self.file}: {where}" if self.file and where else where or self.file
        earlier = self.open.get(question.key)
        if earlier is None:
            ending = f" {place}." if place else ""
            self.open[question.key] = replace(question, about=f"{question.about}{ending}")
        elif place and place not in earlier.about:
            self.open[question.key] = replace(
                earlier,
                about=f"{earlier.about.removesuffix('.')}; {place}.",
                columns=tuple(dict.fromkeys((*earlier.columns, *question.columns))),
                choices=tuple(dict.fromkeys((*earlier.choices, *question.choices))),
            )

    def cell(self, column: str, employee_id: str) -> str | None:
        """Return what was answered for one cell, as `birth_date[1234]=1980-05-03`."""
        key = f"{column}[{employee_id}]"
        answer = self.given.get(key)
        if answer is not None:
            self.used[key] = answer
        return answer

    @property
    def unused(self) -> list[str]:
        """Keys that were answered and that nothing asked for."""
        return [key for key in self.given if key not in self.used and key not in self.refused]
