"""Take a block of trajectories through one simulated year, in seven steps."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planalign.engine.inputs import set_block, set_year
from planalign.engine.pipeline import Materialization, Step
from planalign.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    import duckdb

    from planalign.engine.database import Database
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.runners.base import Outcome, Runner, Timing
    from planalign.engine.telemetry import Listener

# What has to be there before a step: the one before it. Setup is done once per
# run; the others in every year.
STEPS = tuple(Step)


class StepOrderError(ModelError):
    """A step was asked for before the one that it needs."""


@dataclass(frozen=True)
class WorkforceSummary:
    """Headcount and pay of one trajectory and year, from `fct_financial_summary`.

    Counts are employees; pay is in dollars.
    """

    scenario_id: str
    replicate: int
    opening_headcount: int
    hires: int
    experienced_terminations: int
    new_hire_terminations: int
    promotions: int
    raises: int
    closing_headcount: int
    target_closing_headcount: int
    unmet_reduction: int
    payroll: Decimal
    closing_annual_payroll: Decimal
    average_compensation: Decimal | None
    plan_eligible_headcount: int


@dataclass(frozen=True)
class YearResult:
    """What a year did: seconds by step and model, rows by fact, and the summary.

    A year that was taken from an earlier run has neither steps nor models.
    """

    year: int
    seconds: float
    seconds_by_step: dict[Step, float]
    seconds_by_model: dict[str, float]
    rows: dict[str, int]
    summaries: tuple[WorkforceSummary, ...]
    warnings: tuple[str, ...]
    is_from_cache: bool = False


class YearProcessor:
    """Takes each year through its steps, and refuses one whose prerequisite is missing.

    Setup runs once; transition, baseline, requirements, events, snapshot and
    validation in every year, years in order. A year is complete when its rows in
    `run_years` are there, written last.
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
        self._year: int | None = None
        self._done: list[Step] = []
        self._timings: list[Timing] = []
        self._warnings: list[str] = []
        self._actions: dict[Step, Callable[[], None]] = {
            Step.SETUP: self._setup,
            Step.TRANSITION: self._transition,
            Step.BASELINE: lambda: self._build(Step.BASELINE),
            Step.REQUIREMENTS: lambda: self._build(Step.REQUIREMENTS),
            Step.EVENTS: lambda: self._build(Step.EVENTS),
            Step.SNAPSHOT: lambda: self._build(Step.SNAPSHOT),
            Step.VALIDATION: lambda: self._check(Step.VALIDATION),
        }

    def begin_block(self, block: Sequence[Trajectory]) -> None:
        """Take up another block; its years start anew.

        Raises:
            StepOrderError: setup has not run.
        """
        self._require(Step.SETUP, self._is_set_up)
        self._block = tuple(block)
        with self._database.cursor() as cursor:
            set_block(cursor, self._pipeline, self._block)

    async def process_year(self, year: int) -> YearResult:
        """Simulate a year without blocking the event loop.

        Raises:
            ModelError: a model failed, or a check found rows.
        """
        return await asyncio.to_thread(self.run_year, year)

    def run_year(self, year: int) -> YearResult:
        """Simulate a year and mark it complete.

        Raises:
            ModelError: a model failed, or a check found rows.
            StepOrderError: setup has not run, or no block was taken up.
        """
        started = time.perf_counter()
        self._tell("year_started", year=year, trajectories=len(self._block))
        self.begin_year(year)
        seconds: dict[Step, float] = {step: self.run_step(step) for step in STEPS[1:]}
        result = self._complete(year, started, seconds)
        self._tell(
            "year_completed",
            year=year,
            seconds=round(result.seconds, 6),
            steps={step.value: round(value, 6) for step, value in seconds.items()},
            rows=result.rows,
        )
        return result

    def adopt_year(
        self, year: int, copy: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> YearResult:
        """Take a year that an earlier run has computed, in place of computing it.

        `copy` puts its rows into the facts and marks it complete.

        Raises:
            StepOrderError: the year before it is not complete.
            duckdb.Error: `copy` failed; the year is as it was.
        """
        started = time.perf_counter()
        self.begin_year(year)
        self._turn_to_year()
        with self._database.cursor() as cursor:
            copy(cursor)
            for fact in self._pipeline.yearly_facts:
                if not fact.has_year:
                    for statement in fact.statements():
                        cursor.execute(statement)
        return self._result(year, started, {}, is_from_cache=True)

    def begin_year(self, year: int) -> None:
        """Make `year` the one that the steps work on.

        Raises:
            StepOrderError: setup has not run, or no block was taken up.
        """
        self._require(Step.SETUP, self._is_set_up)
        if not self._block:
            raise StepOrderError(f"year {year} has no trajectories", "Call begin_block first.")
        self._year = year
        self._done = [Step.SETUP]
        self._timings, self._warnings = [], []

    def run_step(self, step: Step) -> float:
        """Run one step and return its seconds.

        Raises:
            StepOrderError: the step before it has not run for this year.
            ModelError: a model failed, or a check found rows.
        """
        if step is not Step.SETUP:
            needed = STEPS[STEPS.index(step) - 1]
            self._require(needed, self._is_set_up and needed in self._done, step)
        started = time.perf_counter()
        self._tell("step_started", year=self._year, step=step.value)
        self._actions[step]()
        self._done.append(step)
        return time.perf_counter() - started

    def _require(self, needed: Step, is_met: bool, step: Step | None = None) -> None:
        if not is_met:
            what = f"step {step}" if step else "a year"
            raise StepOrderError(
                f"{what} needs {needed}, which has not run"
                + (f" for {self._year}" if self._year is not None else ""),
                f"Run {needed} first.",
            )

    def _setup(self) -> None:
        """Make inputs, reference tables, empty facts and staging models, once per run."""
        self._load_inputs(self._database)
        with self._database.cursor() as cursor:
            for fact in self._pipeline.yearly_facts:
                cursor.execute(fact.create_statement())
            cursor.execute(
                "create table if not exists run_years (scenario_id varchar not null, "
                "replicate integer not null, simulation_year integer not null)"
            )
        self._runner.load_seeds()
        self._build(Step.SETUP)
        self._check(Step.SETUP)
        self._is_set_up = True

    def _transition(self) -> None:
        """Turn to the year, if the one before it is complete and consistent."""
        self._turn_to_year()
        self._check(Step.TRANSITION)

    def _turn_to_year(self) -> None:
        year = self._year
        with self._database.cursor() as cursor:
            missing = cursor.execute(
                "select scenario_id, replicate from inputs.trajectories "
                "where ? > (select start_year from inputs.control) "
                "and (scenario_id, replicate) not in "
                "(select scenario_id, replicate from run_years where simulation_year = ? - 1)",
                [year, year],
            ).fetchall()
            if missing:
                scenario, replicate = missing[0]
                raise StepOrderError(
                    f"year {year} needs {year - 1 if year else ''}, which is not complete for "
                    f"scenario {scenario}, replicate {replicate}",
                    "Run the years in order.",
                )
            # Whatever was there of this year and later ones is stale now.
            cursor.execute(
                "delete from run_years where simulation_year >= ? and (scenario_id, replicate) "
                "in (select scenario_id, replicate from inputs.trajectories)",
                [year],
            )
            set_year(cursor, year or 0)

    def _build(self, step: Step) -> None:
        for timing in self._runner.run_models(step):
            self._timings.append(timing)
            self._tell(
                "model_completed",
                year=self._year,
                step=step.value,
                model=timing.name,
                started=round(timing.started, 6),
                seconds=round(timing.seconds, 6),
                thread=timing.thread,
                rows=timing.rows,
            )

    def _check(self, step: Step) -> None:
        outcomes = self._runner.run_tests(step)
        for outcome in outcomes:
            if outcome.is_warning or outcome.is_error:
                self._tell(
                    "test_failed",
                    year=self._year,
                    step=step.value,
                    test=outcome.test.name,
                    failures=outcome.failures,
                    is_error=outcome.is_error,
                )
            if outcome.is_warning:
                self._warnings.append(f"test {outcome.test.name} found {outcome.failures} rows")
        failed = [outcome for outcome in outcomes if outcome.is_error]
        if failed:
            raise ModelError(
                f"{self._year or 'setup'}: " + "; ".join(self._describe(o) for o in failed),
                "The rule is in the file named; the years before are complete.",
            )

    def _describe(self, outcome: Outcome) -> str:
        """Name the rule, how many rows break it, and the first of them."""
        with self._database.cursor() as cursor:
            found = cursor.execute(f"select * from ({outcome.test.sql}) limit 3")
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, map(str, row), strict=True)) for row in found.fetchall()]
        return (
            f"rule {outcome.test.name} ({outcome.test.path}) is broken by "
            f"{outcome.failures} rows, first: {rows}"
        )

    def _complete(
        self, year: int, started: float, seconds_by_step: dict[Step, float]
    ) -> YearResult:
        """Drop what lives for one year, and mark the year complete."""
        with self._database.cursor() as cursor:
            for model in reversed(self._pipeline.intermediates):
                kind = "view" if model.materialization is Materialization.VIEW else "table"
                cursor.execute(f"drop {kind} if exists {model.relation}")
            cursor.execute(
                "insert into run_years select scenario_id, replicate, ? from inputs.trajectories",
                [year],
            )
        return self._result(year, started, seconds_by_step)

    def _result(
        self,
        year: int,
        started: float,
        seconds_by_step: dict[Step, float],
        *,
        is_from_cache: bool = False,
    ) -> YearResult:
        with self._database.cursor() as cursor:
            summaries = self._summaries(cursor, year)
            counts = " union all ".join(
                f"select '{fact.name}', count(*) from {fact.relation} where simulation_year = $year"
                for fact in self._pipeline.yearly_facts
                if fact.has_year
            )
            rows = dict(cursor.execute(counts, {"year": year}).fetchall())
        self._year = None
        return YearResult(
            year=year,
            seconds=time.perf_counter() - started,
            seconds_by_step=seconds_by_step,
            seconds_by_model={timing.name: timing.seconds for timing in self._timings},
            rows=rows,
            summaries=summaries,
            warnings=(
                *self._warnings,
                *(
                    f"{year}: scenario {s.scenario_id}, replicate {s.replicate}: "
                    f"{s.unmet_reduction} employees above the target headcount; "
                    "terminations alone do not reach it"
                    for s in summaries
                    if s.unmet_reduction > 0
                ),
            ),
            is_from_cache=is_from_cache,
        )

    def _summaries(
        self, cursor: duckdb.DuckDBPyConnection, year: int
    ) -> tuple[WorkforceSummary, ...]:
        names = ", ".join(WorkforceSummary.__dataclass_fields__)
        return tuple(
            WorkforceSummary(*row)
            for row in cursor.execute(
                f"select {names} from fct_financial_summary where simulation_year = ? "
                "and (scenario_id, replicate) in "
                "(select scenario_id, replicate from inputs.trajectories) order by 1, 2",
                [year],
            ).fetchall()
        )
