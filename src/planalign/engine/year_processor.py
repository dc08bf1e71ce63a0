"""Take a block of trajectories through one simulated year, in seven steps."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planalign.engine.checks import judge
from planalign.engine.inputs import set_block, set_year
from planalign.engine.pipeline import Materialization, Step
from planalign.errors import ModelError, PlanalignError
from planalign.marts.summary import COLUMNS, YearSummary
from planalign.record.telemetry import timed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from planalign.engine.checks import Checks
    from planalign.engine.database import Database
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.runners.base import Runner, Timing
    from planalign.record.telemetry import Listener

# What has to be there before a step: the one before it. Setup is done once per
# run; the others in every year.
STEPS = tuple(Step)
# The steps that build models, each year.
BUILDING = (Step.BASELINE, Step.REQUIREMENTS, Step.EVENTS, Step.SNAPSHOT)


class StepOrderError(ModelError):
    """A step was asked for before the one that it needs."""


@dataclass
class _Year:
    """A year on its way: the steps that it has behind it, and what they told."""

    year: int
    started: float
    done: list[Step]
    seconds: dict[Step, float] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    checks: Checks | None = None


@dataclass(frozen=True)
class YearResult:
    """What a year did: seconds by step and model, rows by fact, and the summary.

    `seconds` are from the year's start to that of the next one, so that those of
    all years add up to the study's. Steps may overlap: `seconds_by_step` are from
    the first start of a step's work to its last end. A year that was taken from an
    earlier run has neither steps nor models.
    """

    year: int
    seconds: float
    seconds_by_step: dict[Step, float]
    seconds_by_model: dict[str, float]
    rows: dict[str, int]
    summaries: tuple[YearSummary, ...]
    warnings: tuple[str, ...]
    is_from_cache: bool = False


class YearProcessor:
    """Takes each year through its steps, and refuses one whose prerequisite is missing.

    Setup runs once; transition, baseline, requirements, events, snapshot and
    validation in every year, years in order. A year is complete when its rows in
    `run_years` are there, written last: after its checks have passed, and after
    the year before it is complete. A runner that can lets the checks of a year go
    on beside the models of the next.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        database: Database,
        runner: Runner,
        load_inputs: Callable[[Database], None],
        listener: Listener,
    ) -> None:
        self._pipeline = pipeline
        self._database = database
        self._runner = runner
        self._load_inputs = load_inputs
        self._tell = listener
        self._is_set_up = False
        self._block: tuple[Trajectory, ...] = ()
        self._blocks = 0
        self._groups = pipeline.group_numbers
        self._in_hand: _Year | None = None
        self._unchecked: _Year | None = None  # built; its checks are under way
        self._completed: tuple[YearResult, ...] = ()  # while another year failed

    @property
    def blocks(self) -> int:
        """Return how many blocks were taken up."""
        return self._blocks

    def begin_block(self, block: Sequence[Trajectory]) -> None:
        """Take up another block; its years start anew.

        Raises:
            StepOrderError: setup has not run, or a year of the last block is not
                settled.
        """
        self._require(Step.SETUP, self._is_set_up)
        self._require_settled()
        self._block = tuple(block)
        self._blocks += 1
        self._database.attempt(
            "taking up a block", lambda cursor: set_block(cursor, self._pipeline, self._block)
        )

    async def process_year(self, year: int) -> YearResult:
        """Simulate a year without blocking the event loop.

        Raises:
            ModelError: a model failed, or a check found rows.
        """
        return await asyncio.to_thread(self.run_year, year)

    def run_year(self, year: int) -> YearResult:
        """Simulate a year, check it and mark it complete.

        Raises:
            ModelError: a model failed, or a check found rows.
            StepOrderError: setup has not run, or no block was taken up.
        """
        return [*self.start_year(year), *self.settle()][-1]

    def start_year(self, year: int) -> tuple[YearResult, ...]:
        """Build a year and begin its checks; return the years completed meanwhile.

        That is the year before, whose checks went on beside the models of this
        one, and this one, where its runner does not check beside. `settle`
        completes the last.

        Raises:
            ModelError: a model failed, or a check found rows.
            StepOrderError: setup has not run, or no block was taken up.
        """
        self._tell("year_started", year=year, block=self._blocks, trajectories=len(self._block))
        current = self._begin(year)
        try:
            self.run_step(Step.TRANSITION)
            if self._runner.overlaps_steps:
                self._build(BUILDING)
            else:
                for step in BUILDING:
                    self._build((step,))
        except PlanalignError:
            # The year before counts, or its broken rule is the cause to be told.
            self._completed += self._settle(until=current.started)
            raise
        completed = (*self._completed, *self._settle(until=current.started))
        self._completed = ()
        current.checks = self._runner.start_tests(Step.VALIDATION)
        self._in_hand, self._unchecked = None, current
        return completed if current.checks.is_beside else (*completed, *self.settle())

    def settle(self) -> tuple[YearResult, ...]:
        """Wait for the checks that are under way, and return the year they complete.

        Raises:
            ModelError: a check found rows.
        """
        completed = self._settle(until=None)
        if completed:
            self._drop_intermediates()
        completed, self._completed = (*self._completed, *completed), ()
        return completed

    def abandon_year(self) -> None:
        """Remove what there is of years that are not complete, of every trajectory.

        For a year that failed, before its block is taken up again, and for what a
        stopped run left: rules look at all rows of a year, whatever its blocks.
        """
        self._in_hand = self._unchecked = None
        with self._database.cursor() as cursor:
            for fact in self._pipeline.yearly_facts:
                if fact.has_year:
                    key = ["scenario_id", "simulation_year"]
                    names = ", ".join(key + (["replicate"] if fact.has_replicate else []))
                    cursor.execute(
                        f"delete from {fact.relation} where ({names}) not in "  # noqa: S608 - compiled names
                        f"(select {names} from run_years)"
                    )
        self._drop_intermediates()

    def adopt_year(
        self, year: int, copy: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> YearResult:
        """Take a year that an earlier run has computed, in place of computing it.

        `copy` puts its rows into the facts and marks it complete.

        Raises:
            StepOrderError: the year before it is not complete.
            duckdb.Error: `copy` failed; the year is as it was.
        """
        self._require_settled()
        current = self._begin(year)
        self._turn_to(year)
        with self._database.cursor() as cursor:
            copy(cursor)
            for fact in self._pipeline.yearly_facts:
                if not fact.has_year:
                    for statement in fact.statements():
                        cursor.execute(statement)
        self._in_hand = None
        return self._result(current, time.perf_counter(), is_from_cache=True)

    def begin_year(self, year: int) -> None:
        """Make `year` the one that the steps work on.

        Raises:
            StepOrderError: setup has not run, or no block was taken up.
        """
        self._begin(year)

    def run_step(self, step: Step) -> float:
        """Run one step and return its seconds.

        Raises:
            StepOrderError: the step before it has not run for this year.
            ModelError: a model failed, or a check found rows.
        """
        started = time.perf_counter()
        if step in BUILDING:
            self._build((step,))
            return time.perf_counter() - started
        self._start((step,))
        if step is Step.SETUP:
            self._setup()
            return time.perf_counter() - started
        current = self._current
        if step is Step.TRANSITION:
            self._turn_to(current.year)
        current.warnings += judge(self._tell, step, current.year, self._runner.start_tests(step))
        current.done.append(step)
        current.seconds[step] = time.perf_counter() - started
        return current.seconds[step]

    @property
    def _current(self) -> _Year:
        if self._in_hand is None:
            raise StepOrderError("no year is in hand", "Call begin_year first.")
        return self._in_hand

    def _begin(self, year: int) -> _Year:
        self._require(Step.SETUP, self._is_set_up)
        if not self._block:
            raise StepOrderError(f"year {year} has no trajectories", "Call begin_block first.")
        if self._unchecked is not None and self._unchecked.year != year - 1:
            self._require_settled()
        self._in_hand = _Year(year, time.perf_counter(), [Step.SETUP])
        return self._in_hand

    def _require(self, needed: Step, is_met: bool, step: Step | None = None) -> None:
        if not is_met:
            what = f"step {step}" if step else "a year"
            raise StepOrderError(
                f"{what} needs {needed}, which has not run"
                + (f" for {self._in_hand.year}" if self._in_hand is not None else ""),
                f"Run {needed} first.",
            )

    def _require_settled(self) -> None:
        if self._unchecked is not None:
            raise StepOrderError(f"{self._unchecked.year} is still being checked", "Settle it.")

    def _start(self, steps: Sequence[Step]) -> None:
        """Refuse steps whose prerequisite is missing, and tell that they start."""
        if steps[0] is not Step.SETUP:
            needed = STEPS[STEPS.index(steps[0]) - 1]
            done = self._in_hand.done if self._in_hand is not None else []
            self._require(needed, self._is_set_up and needed in done, steps[0])
        for step in steps:
            year = self._in_hand.year if self._in_hand is not None else None
            self._tell("step_started", year=year, step=step.value)

    def _setup(self) -> None:
        """Make inputs, reference tables, empty facts and staging models, once per run."""
        with timed(self._tell, "reading the census"):
            self._load_inputs(self._database)
        with timed(self._tell, "creating the facts"):
            self._database.attempt("creating the facts", self._create_facts)
        with timed(self._tell, "loading the reference tables"):
            self._runner.load_seeds()
        for timing in self._runner.run_models((Step.SETUP,)):
            self._tell_of(timing, None)
        judge(self._tell, Step.SETUP, None, self._runner.start_tests(Step.SETUP))
        self._is_set_up = True

    def _create_facts(self, cursor: duckdb.DuckDBPyConnection) -> None:
        for fact in self._pipeline.yearly_facts:
            cursor.execute(fact.create_statement())
        cursor.execute(
            "create table if not exists run_years (scenario_id varchar not null, "
            "replicate integer not null, simulation_year integer not null)"
        )

    def _turn_to(self, year: int) -> None:
        """Turn to a year, if the one before it is complete or being checked."""

        def turn(cursor: duckdb.DuckDBPyConnection) -> None:
            missing = cursor.execute(
                "select scenario_id, replicate from inputs.trajectories "
                "where ? > (select start_year from inputs.control) "
                "and (scenario_id, replicate) not in "
                "(select scenario_id, replicate from run_years where simulation_year = ? - 1)",
                [year, year],
            ).fetchall()
            if missing and self._unchecked is None:
                scenario, replicate = missing[0]
                raise StepOrderError(
                    f"year {year} needs {year - 1}, which is not complete for "
                    f"scenario {scenario}, replicate {replicate}",
                    "Run the years in order.",
                )
            # Whatever was there of this year and later ones is stale now.
            cursor.execute(
                "delete from run_years where simulation_year >= ? and (scenario_id, replicate) "
                "in (select scenario_id, replicate from inputs.trajectories)",
                [year],
            )
            set_year(cursor, year)

        with timed(self._tell, "turning to the year", year):
            self._database.attempt(f"turning to {year}", turn)

    def _build(self, steps: Sequence[Step]) -> None:
        """Build the models of steps that follow each other."""
        self._start(steps)
        current = self._current
        spans: dict[Step, tuple[float, float]] = {}
        for timing in self._runner.run_models(steps):
            current.timings.append(timing)
            self._tell_of(timing, current.year)
            start, end = timing.started, timing.started + timing.seconds
            first, last = spans.get(timing.step, (start, end))
            spans[timing.step] = (min(first, start), max(last, end))
        for step in steps:
            first, last = spans.get(step, (0.0, 0.0))
            current.done.append(step)
            current.seconds[step] = last - first

    def _tell_of(self, timing: Timing, year: int | None) -> None:
        self._tell(
            "model_completed",
            year=year,
            step=timing.step.value,
            group=self._groups[timing.name],
            model=timing.name,
            started=round(timing.started, 6),
            seconds=round(timing.seconds, 6),
            thread=timing.thread,
            rows=timing.rows,
            attempt=timing.attempt,
            is_prepared=timing.is_prepared,
            dbt_compile_seconds=timing.compile_seconds,
            dbt_execute_seconds=timing.execute_seconds,
            **timing.usage.as_dict(),
        )
        if timing.query_plan is not None:
            found = json.loads(timing.query_plan)
            self._tell("query_plan", year=year, model=timing.name, plan=found)

    def _settle(self, until: float | None) -> tuple[YearResult, ...]:
        """Complete the year whose checks are under way; it lasted `until` then."""
        year = self._unchecked
        if year is None or year.checks is None:
            return ()
        self._unchecked = None  # not complete, should a check be broken
        year.warnings += judge(self._tell, Step.VALIDATION, year.year, year.checks)
        year.seconds[Step.VALIDATION] = year.checks.seconds
        mark = "insert into run_years select scenario_id, replicate, ? from inputs.trajectories"
        with timed(self._tell, "completing the year", year.year):
            self._database.attempt(
                f"completing {year.year}", lambda cursor: cursor.execute(mark, [year.year])
            )
        result = self._result(year, until or time.perf_counter())
        self._tell(
            "year_completed",
            year=result.year,
            seconds=round(result.seconds, 6),
            steps={step.value: round(value, 6) for step, value in result.seconds_by_step.items()},
            rows=result.rows,
        )
        return (result,)

    def _drop_intermediates(self) -> None:
        """Drop what lives for one year, when no other year takes its place."""
        with self._database.cursor() as cursor:
            for model in reversed(self._pipeline.intermediates):
                kind = "view" if model.materialization is Materialization.VIEW else "table"
                cursor.execute(f"drop {kind} if exists {model.relation}")

    def _result(self, year: _Year, until: float, *, is_from_cache: bool = False) -> YearResult:
        counts = " union all ".join(
            f"select '{fact.name}', count(*) from {fact.relation} where simulation_year = $year"  # noqa: S608 - compiled names
            for fact in self._pipeline.yearly_facts
            if fact.has_year
        )
        summaries, rows = self._database.attempt(
            f"the summary of {year.year}",
            lambda cursor: (
                self._summaries(cursor, year.year),
                dict(cursor.execute(counts, {"year": year.year}).fetchall()),
            ),
        )
        return YearResult(
            year=year.year,
            seconds=until - year.started,
            seconds_by_step=year.seconds,
            seconds_by_model={timing.name: timing.seconds for timing in year.timings},
            rows=rows,
            summaries=summaries,
            warnings=(
                *year.warnings,
                *(
                    f"{year.year}: scenario {s.scenario_id}, replicate {s.replicate}: "
                    f"{s.unmet_reduction} employees above the target headcount; "
                    "terminations alone do not reach it"
                    for s in summaries
                    if s.unmet_reduction
                ),
            ),
            is_from_cache=is_from_cache,
        )

    def _summaries(self, cursor: duckdb.DuckDBPyConnection, year: int) -> tuple[YearSummary, ...]:
        names = ", ".join(COLUMNS)
        return tuple(
            YearSummary(*row)
            for row in cursor.execute(
                f"select {names} from fct_financial_summary where simulation_year = ? "  # noqa: S608 - compiled names
                "and (scenario_id, replicate) in "
                "(select scenario_id, replicate from inputs.trajectories) order by 1, 2",
                [year],
            ).fetchall()
        )
