"""Try suggestions on scratch copies: the same bits, and how many seconds they save."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from planalign.config import load
from planalign.config.frozen import FrozenDict
from planalign.config.models import Resources
from planalign.engine.compiler import pipeline_for
from planalign.engine.overlay import project_of
from planalign.errors import InterruptedRunError, PlanalignError, UsageError
from planalign.profile.judgement import PAIRS, Judgement, Pair, is_decided, judge
from planalign.profile.suggestions import (
    Index,
    Materialize,
    MemoryLimit,
    ModelsAtOnce,
    OfModel,
    Proposal,
    Threads,
    refusal,
)
from planalign.results import open_run
from planalign.results.scope import present
from planalign.results.verify import verify
from planalign.scratch import scratch
from planalign.study import Request, provenance_of, run_study

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planalign.engine.pipeline import Model
    from planalign.engine.project import Project
    from planalign.profile.suggestions import Suggestion
    from planalign.record.record import Record

    # Simulates a request and returns its seconds.
    Measure = Callable[[Request], float]

Verdict = Literal["helps", "no_gain", "differs", "failed", "not_tried"]

# Of a run, from its first on: enough for what comes back every year.
YEARS = 2


@dataclass(frozen=True)
class Outcome:
    """What became of a suggestion; `judgement` where its result was the same.

    `detail` says why it failed, differs or was not tried.
    """

    proposal: Proposal
    verdict: Verdict
    detail: str = ""
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Trial:
    """All that was tried: what helped most first, the others in the order tried.

    `changes` name what is not as it was when the run was made.
    """

    years: tuple[int, int]
    pairs: int
    outcomes: tuple[Outcome, ...]
    changes: tuple[str, ...] = ()


def try_out(
    run: Path,
    record: Record,
    proposals: Sequence[Proposal],
    memory_bytes: int,
    *,
    years: int = YEARS,
    pairs: int = PAIRS,
    say: Callable[[str], None] = lambda _: None,
) -> Trial:
    """Simulate the first years of a run again, with each suggestion and without.

    In a scratch folder, which is removed; the run and its dbt project are only read.

    Args:
        run: the folder of a finished run.
        record: of that run.
        proposals: what to try.
        memory_bytes: of the machine; more is not given to DuckDB.
        years: how many of the run's years, from the first on.
        pairs: how often each is measured, in turn with the run as it is; twice as often
            where that does not decide.
        say: is told what is being tried.

    Raises:
        PlanalignError: the run cannot be simulated as it is.
        InterruptedRunError: the user stopped it.
    """
    with scratch("advise") as folder:
        request = request_of(run, record)
        changes = _changes_since(run, request)
        request = _shortened(request, years)
        simulation = request.config.simulation
        try:
            outcomes = _Trials(folder, request, pairs, say).all(
                [(one, refusal(one.suggestion, record, memory_bytes)) for one in proposals]
            )
        except InterruptedRunError as error:
            raise InterruptedRunError("stopped; nothing was changed") from error
    return Trial((simulation.start_year, simulation.end_year), pairs, in_rank(outcomes), changes)


def in_rank(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Return what helped, what saves most first, before everything else."""
    return tuple(
        sorted(
            outcomes,
            key=lambda one: (
                one.verdict != "helps",
                one.judgement.ratio if one.verdict == "helps" and one.judgement else 0.0,
            ),
        )
    )


def request_of(run: Path, record: Record) -> Request:
    """Return what simulates a run again, without the cache.

    Raises:
        UsageError: the run has no configuration.
        InputError: the configuration has problems.
    """
    path = run / "config.yaml"
    if not path.is_file():
        raise UsageError(f"there is no {path}", "Name the folder of a finished run.")
    with open_run(run) as results:
        trajectories = present(results)
    scenarios = {scenario for scenario, _ in trajectories}
    replicates = {replicate for _, replicate in trajectories}
    return Request(
        load(path, {}, within=Path("/")),  # absolute paths, wherever they lead
        runner=record.runner,
        scenario=scenarios.pop() if len(scenarios) == 1 else None,
        replicate=replicates.pop() if len(replicates) == 1 else None,
    )


def changed(request: Request, suggestion: Suggestion, folder: Path) -> Request:
    """Return the request with a suggestion; of a changed model, on a copy of the project.

    Raises:
        UsageError: the project has no such model any more.
    """
    config = request.config
    if isinstance(suggestion, OfModel):
        project = project_of(config)
        model = _model(project, suggestion)
        indexes = _indexes_with(model, suggestion) if isinstance(suggestion, Index) else ()
        _copy(project, folder)
        _change_model(folder / model.path, suggestion, indexes)
        # The copy has the study's own models and tables.
        own = {"models": None, "tables": FrozenDict[str, Path](), "job_levels": ()}
        in_copy = config.model_copy(update={"dbt_project": folder, **own})
        return replace(request, config=in_copy)
    resources = config.resources.model_dump()
    if isinstance(suggestion, Threads):
        resources["threads"] = suggestion.threads
    elif isinstance(suggestion, MemoryLimit):
        resources["memory_limit"] = f"{suggestion.megabytes}MB"
    elif isinstance(suggestion, ModelsAtOnce):
        at_once = {**config.resources.models_at_once, suggestion.step: suggestion.models}
        resources["models_at_once"] = at_once
    else:
        resources["employees_per_block"] = suggestion.employees
    return replace(
        request,
        config=config.model_copy(update={"resources": Resources.model_validate(resources)}),
    )


def _model(project: Project, suggestion: OfModel) -> Model:
    """Return the model that a suggestion is about, as the project has it."""
    for model in pipeline_for(project).models:
        if model.name == suggestion.model:
            return model
    raise UsageError(f"the project has no {suggestion.model} any more", "Simulate it anew.")


def _indexes_with(model: Model, suggestion: Index) -> tuple[tuple[str, ...], ...]:
    """Return the indexes of a model, and the one suggested."""
    if suggestion.columns in model.indexes:
        raise UsageError(f"{suggestion.model} has that index already", "Keep it.")
    return (*model.indexes, suggestion.columns)


def _copy(project: Project, folder: Path) -> None:
    """Copy what dbt reads, without modes: an installed project may be read-only."""
    for file in project.files:
        copied = folder / file.relative_to(project.folder)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)


def _change_model(file: Path, suggestion: OfModel, indexes: Sequence[Sequence[str]]) -> None:
    """Change a model's file; `indexes` are all that it is to have."""
    sql = file.read_text(encoding="utf-8").rstrip().rstrip(";")
    # The last config of a model counts, whatever its file and the YAML say before.
    if isinstance(suggestion, Materialize):
        text = f"{sql}\n{{{{ config(materialized='{suggestion.materialization}') }}}}\n"
    elif isinstance(suggestion, Index):
        wanted = [{"columns": list(columns)} for columns in indexes]
        text = f"{sql}\n{{{{ config(indexes={wanted}) }}}}\n"
    else:
        names = ", ".join(suggestion.columns)
        text = f"select * from (\n{sql}\n) as in_order\norder by {names}\n"  # noqa: S608 - plain names
    file.write_text(text, encoding="utf-8")


def _shortened(request: Request, years: int) -> Request:
    simulation = request.config.simulation
    last = min(simulation.end_year, simulation.start_year + years - 1)
    shorter = simulation.model_copy(update={"end_year": last})
    return replace(request, config=request.config.model_copy(update={"simulation": shorter}))


def _changes_since(run: Path, request: Request) -> tuple[str, ...]:
    """Name what the run was computed from and is another by now."""
    with open_run(run) as opened:
        recorded = opened.provenance
    found = provenance_of(request)
    return tuple(
        f"{part[:-1]} of {key}"
        for part in ("fingerprints", "versions")
        for key, value in found[part].items()
        if not isinstance(recorded.get(part), dict) or recorded[part].get(key) != value
    )


@dataclass(frozen=True)
class _Trials:
    """Trials in one scratch folder against the same request."""

    scratch: Path
    request: Request
    pairs: int
    say: Callable[[str], None]

    def all(self, proposals: Sequence[tuple[Proposal, str | None]]) -> list[Outcome]:
        """Try each, unless there is a reason not to."""
        outcomes: list[Outcome] = []
        if all(reason for _, reason in proposals):
            return [Outcome(one, "not_tried", reason or "") for one, reason in proposals]
        # Also compiles what is not compiled yet, so that nothing of it is measured.
        self.say("Simulating the run as it is.")
        reference = self._simulate(self.request, "reference")
        for number, (proposal, reason) in enumerate(proposals):
            if reason:
                outcomes.append(Outcome(proposal, "not_tried", reason))
                continue
            self.say(f"Trying {number + 1} of {len(proposals)}: {proposal.suggestion}")
            try:
                outcomes.append(self._one(proposal, reference, number))
            except InterruptedRunError:
                raise
            except PlanalignError as error:
                outcomes.append(Outcome(proposal, "failed", str(error)))
        return outcomes

    def _one(self, proposal: Proposal, reference: Path, number: int) -> Outcome:
        folder = self.scratch / f"project-{number}"
        request = changed(self.request, proposal.suggestion, folder)
        difference = self._difference(reference, self._simulate(request, f"first-{number}"))
        if difference:
            return Outcome(proposal, "differs", difference)
        pairs = alternating(self._seconds, self.request, request, self.pairs)
        judgement = judge(pairs)
        return Outcome(proposal, "helps" if judgement.helps else "no_gain", "", judgement)

    def _simulate(self, request: Request, name: str) -> Path:
        return run_study(replace(request, output=self.scratch / name)).path

    def _seconds(self, request: Request) -> float:
        output = self.scratch / "measured"
        done = run_study(replace(request, output=output))
        shutil.rmtree(output)
        return done.seconds

    def _difference(self, reference: Path, other: Path) -> str:
        """Name the first mart with other bits, or nothing."""
        with open_run(reference) as a, open_run(other) as b:
            comparison = verify(a, b, limit=1)
        shutil.rmtree(other)
        if comparison.identical:
            return ""
        marts = [one.mart for one in comparison.differences]
        return f"the results are others: {', '.join(marts) or 'the digest of all'}"


def alternating(measure: Measure, without: Request, with_it: Request, planned: int) -> list[Pair]:
    """Measure pairs in the order A B B A A B .., until they say whether the change helps.

    What slows the machine for a while, and what grows with time, meets both alike.
    """
    found: list[Pair] = []
    while not is_decided(found, planned):
        if len(found) % 2 == 0:
            before = measure(without)
            after = measure(with_it)
        else:
            after = measure(with_it)
            before = measure(without)
        found.append((before, after))
    return found
