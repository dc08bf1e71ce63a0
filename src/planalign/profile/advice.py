"""Advise on a run: what its record says, what was suggested, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from planalign.profile import language_model, prompt
from planalign.profile.analysis import analyse
from planalign.profile.findings import Finding, find
from planalign.profile.judgement import PAIRS
from planalign.profile.suggestions import suggest
from planalign.profile.trial import YEARS, Trial, try_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from planalign.profile.trial import Outcome
    from planalign.record.record import Record


@dataclass(frozen=True)
class Advice:
    """Findings of a run; with a trial, what was tried, and what a language model said."""

    run: Path
    has_plans: bool
    findings: tuple[Finding, ...]
    trial: Trial | None = None
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as the object that `--json` prints."""
        return {
            "run": str(self.run),
            "has_plans": self.has_plans,
            "findings": [{**asdict(one), "evidence": dict(one.evidence)} for one in self.findings],
            "trial": None if self.trial is None else _trial(self.trial),
            "remarks": list(self.remarks),
        }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "first_year": trial.years[0],
        "last_year": trial.years[1],
        "pairs": trial.pairs,
        "changes": list(trial.changes),
        "outcomes": [_outcome(one) for one in trial.outcomes],
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    judgement = None if one.judgement is None else asdict(one.judgement)
    return {
        "suggestion": one.proposal.suggestion.model_dump(mode="json"),
        "change": str(one.proposal.suggestion),
        "reason": one.proposal.reason,
        "source": one.proposal.source,
        "verdict": one.verdict,
        "detail": one.detail,
        "judgement": judgement,
    }


def advise(run: Path, record: Record, earlier: Record | None = None) -> Advice:
    """Return what the record of a run says.

    Args:
        run: the folder.
        record: of that run.
        earlier: the record of another run of the same study, to compare with.
    """
    return Advice(run, bool(record.query_plans), find(record, analyse(record), earlier))


def with_trial(
    advice: Advice,
    record: Record,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    *,
    memory_bytes: int,
    years: int = YEARS,
    pairs: int = PAIRS,
) -> Advice:
    """Return the advice with what the findings, and a language model, suggest tried.

    Args:
        advice: on the run.
        record: of that run.
        environment: may configure a language model, which is asked then.
        say: is told what is tried, what is sent, and of faults of the endpoint, which end
            nothing.
        memory_bytes: of the machine.
        years: how many of the run's years are simulated, from the first on.
        pairs: how often each suggestion is measured.

    Raises:
        PlanalignError: the run cannot be simulated again.
    """
    answer = _asked(advice, record, environment, say)
    proposals = {one.suggestion: one for one in answer.proposals}
    # What a finding suggests too is the finding's.
    proposals |= {one.suggestion: one for one in suggest(advice.findings, record, memory_bytes)}
    trial = try_out(
        advice.run,
        record,
        tuple(sorted(proposals.values(), key=lambda one: one.source)),
        memory_bytes,
        years=years,
        pairs=pairs,
        say=say,
    )
    return replace(advice, trial=trial, remarks=answer.remarks)


def _asked(
    advice: Advice, record: Record, environment: Mapping[str, str], say: Callable[[str], None]
) -> language_model.Answer:
    try:
        endpoint = language_model.endpoint_in(environment)
        if endpoint is None:
            return language_model.Answer((), ())
        say(f"Asking {endpoint.model} at {endpoint.host}: names, plans and times are sent.")
        return language_model.ask(
            endpoint, prompt.messages(record, analyse(record), advice.findings)
        )
    except language_model.EndpointError as error:
        say(f"No suggestions of a language model: {error}.")
        return language_model.Answer((), ())
