"""`planalign advise`: what cost a run time or memory, what to change, and what that saves."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planalign.cli import console
from planalign.cli.options import Json, RunFolder
from planalign.cli.output import emit, emit_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planalign.profile.advice import Advice
    from planalign.profile.findings import Finding
    from planalign.profile.trial import Outcome, Trial

_WITHOUT_PLANS = (
    "Without query plans only a part is seen; planalign simulate --profile plans records them."
)


def advise(
    run: RunFolder,
    trial: Annotated[
        bool,
        typer.Option("--try", help="Try what is suggested on scratch copies and say what helps."),
    ] = False,
    years: Annotated[
        int,
        typer.Option("--years", metavar="N", min=1, help="With --try: of the run's first years."),
    ] = 2,
    pairs: Annotated[
        int,
        typer.Option(
            "--pairs", metavar="N", min=6, help="With --try: measurements of each, in turn."
        ),
    ] = 6,
    earlier: Annotated[
        Path | None,
        typer.Option("--earlier", metavar="RUN", help="A run of the same study to compare with."),
    ] = None,
    json: Json = False,
) -> None:
    """Say what cost a run time or memory, with the figures, and what to change.

    With --try, each change that needs no understanding of a model (materialise a
    view, order a table, threads, memory, models or employees at once) is made on a
    scratch copy, checked to leave the same bits, and measured in turn with the run
    as it is. Only what is faster beyond noise is advised. The run and its dbt
    project are only read. Where PLANALIGN_LLM_URL, PLANALIGN_LLM_MODEL and
    PLANALIGN_LLM_API_KEY are set, a language model is asked for suggestions too.

    Keys of --json: run; has_plans; findings, each with kind, title, model, year,
    evidence (figures by name), change, gain, gain_seconds and severity; trial, null
    without --try, with first_year, last_year, pairs, changes (since the run) and
    outcomes, what helps first, each with suggestion, change, reason, source
    ("finding" or "language_model"), verdict ("helps", "no_gain", "differs", "failed"
    or "not_tried"), detail and judgement (seconds_without, seconds_with, ratio,
    faster, pairs, p_value); remarks of the language model.
    """
    from planalign.profile import advice  # noqa: PLC0415 - duckdb is slow to import
    from planalign.record.reading import read_record  # noqa: PLC0415

    record = read_record(run)
    found = advice.advise(run, record, read_record(earlier) if earlier else None)
    if not found.has_plans and record.runner == "direct":
        console.say(_WITHOUT_PLANS)
    if trial:
        import psutil  # noqa: PLC0415 - only a trial needs it

        found = advice.with_trial(
            found,
            record,
            os.environ,
            console.say,
            memory_bytes=psutil.virtual_memory().total,
            years=years,
            pairs=pairs,
        )
    if json:
        emit_json(found.as_dict())
    else:
        emit("\n".join(_text(found)))


def _text(advice: "Advice") -> "Iterator[str]":
    if not advice.findings:
        yield "Nothing was found that is worth a change."
    for finding in advice.findings:
        yield from _finding(finding)
    if advice.trial is not None:
        yield from _trial(advice.trial)
    if advice.remarks:
        yield "The language model says, untried:"
        yield from (f"  {remark}" for remark in advice.remarks)


def _finding(finding: "Finding") -> "Iterator[str]":
    year = f" ({finding.year})" if finding.year is not None else ""
    yield f"{finding.severity.upper()}  {finding.title}{year}  [{finding.kind}]"
    yield "  " + "; ".join(f"{name}: {figure}" for name, figure in finding.evidence)
    yield f"  Change: {finding.change}"
    yield f"  Gain: {finding.gain}"
    yield ""


def _trial(trial: "Trial") -> "Iterator[str]":
    from planalign.profile.judgement import LOOKS  # noqa: PLC0415 - only a trial needs it

    first, last = trial.years
    if trial.changes:
        yield f"Since the run, these have changed: {', '.join(trial.changes)}."
    if not trial.outcomes:
        yield "Nothing could be tried."
        return
    yield f"Tried on {first}-{last}, each measured up to {LOOKS * trial.pairs} times in turn:"
    for place, outcome in enumerate(trial.outcomes, start=1):
        lead = f"{place}." if outcome.verdict == "helps" else "-"
        yield f"  {lead} {outcome.proposal.suggestion}: {_verdict(outcome)}"
    if not any(outcome.verdict == "helps" for outcome in trial.outcomes):
        yield "Nothing helps beyond noise: leave it as it is."


def _verdict(outcome: "Outcome") -> str:
    judgement = outcome.judgement
    if judgement is None:
        said = {"differs": "no", "failed": "failed", "not_tried": "not tried"}[outcome.verdict]
        return f"{said}, {outcome.detail}"
    measured = (
        f"{judgement.seconds_without:.3f} s to {judgement.seconds_with:.3f} s in the middle pair, "
        f"faster in {judgement.faster} of {judgement.pairs}"
    )
    if outcome.verdict == "helps":
        return f"saves {1 - judgement.ratio:.0%} ({measured}), with the same bits"
    return f"does not help beyond noise ({measured})"
