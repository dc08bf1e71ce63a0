"""Take a block through its years in a process of its own: the same models, steps and checks."""

from __future__ import annotations

import os
import shutil
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planalign.config import scenario_settings
from planalign.duck import literal
from planalign.engine.database import FILE_NAME, Database
from planalign.engine.faults import FAILURES, environment_fault
from planalign.engine.inputs import write_inputs
from planalign.engine.pipeline import Step
from planalign.engine.project import Project
from planalign.engine.runners.direct import DirectRunner
from planalign.engine.year_processor import YearProcessor
from planalign.errors import PlanalignError
from planalign.files import make_folder
from planalign.record.telemetry import Listener, timed, unheard
from planalign.study.blocks.job import COMPLETE, BlockJob, BlockOutcome, Told
from planalign.study.cached_years import CachedYears
from planalign.study.settings import settings_of
from planalign.study.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from planalign.engine.pipeline import Column
    from planalign.engine.year_processor import YearResult
    from planalign.study.blocks.job import Study

# Types that Parquet holds as they are; what is of another one travels as text.
_EXACT = ("BIGINT", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "INTEGER", "JSON", "SMALLINT",
          "TIMESTAMP", "UBIGINT", "UINTEGER", "UUID", "VARCHAR")  # fmt: skip


class Workplace:
    """A scratch database that is set up for a study, for one block after another.

    Not to be used by two threads at a time.
    """

    def __init__(self, study: Study, folder: Path) -> None:
        self._study = study
        self._folder = folder
        self._listener: Listener = unheard
        make_folder(folder)
        project = Project(folder / "project")
        for path, content in study.tables.items():
            make_folder((project.folder / path).parent)
            (project.folder / path).write_bytes(content)
        self._database = Database(folder / FILE_NAME, settings_of(study.config), self._tell)
        self._database.create()
        self._runner = DirectRunner(
            project, study.pipeline, self._database, with_query_plans=study.with_query_plans
        )
        self._processor = YearProcessor(
            study.pipeline, self._database, self._runner, self._load_inputs, self._tell
        )
        self._is_set_up = False

    def take(self, job: BlockJob, hear: Callable[[Told], None]) -> BlockOutcome:
        """Simulate all years of a block; an error comes back with the years before it."""
        worker = f"{socket.gethostname()} {os.getpid()}"

        def tell(kind: str, **details: Any) -> None:
            hear(Told(job.number, worker, kind, time.time(), time.perf_counter(), details))

        years: list[YearResult] = []
        error: PlanalignError | None = None
        self._listener = tell
        started = None
        try:
            self._set_up(tell)
            started = time.perf_counter(), time.process_time()
            for year in self._simulation().years(job.trajectories):
                years.append(year)  # noqa: PERF402 - what there is when one fails
        except PlanalignError as failed:
            error = failed
        except FAILURES as failed:
            error = environment_fault(f"the database of {self._folder}", failed)
            if error is None:
                raise
        outcome = self._handed_over(job, years, error)
        if started is None:
            return outcome
        seconds, cpu_seconds = time.perf_counter() - started[0], time.process_time() - started[1]
        return replace(outcome, seconds=seconds, cpu_seconds=cpu_seconds)

    def close(self) -> None:
        """Give back the database, and remove the folder."""
        self._listener = unheard
        self._runner.close()
        self._database.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _handed_over(
        self, job: BlockJob, years: list[YearResult], error: PlanalignError | None
    ) -> BlockOutcome:
        """Return an outcome with the rows of the years that are complete; remove them here."""
        parts: dict[str, Path | bytes] = {}
        try:
            if error is not None:
                self._processor.abandon_year()
            with timed(self._listener, "handing over the rows"):
                parts |= self._taken_out(job)
        except FAILURES as failed:
            fault = environment_fault(f"handing over the rows in {self._folder}", failed)
            if fault is None and error is None:
                raise
            error, parts, years = error or fault, {}, []
        return BlockOutcome(job, tuple(years), parts, error)

    def _tell(self, kind: str, **details: Any) -> None:
        self._listener(kind, **details)

    def _set_up(self, tell: Listener) -> None:
        if self._is_set_up:
            return
        # Of the run's own setup everything was told: here it is one piece of work.
        self._listener = unheard
        with timed(tell, "setting up the worker"):
            self._processor.run_step(Step.SETUP)
        self._listener, self._is_set_up = tell, True

    def _load_inputs(self, database: Database) -> None:
        study = self._study
        census = self._folder / "census.parquet"
        census.write_bytes(study.census)
        with database.cursor() as cursor:
            write_inputs(cursor, study.pipeline, study.config, scenario_settings(study.config))
            cursor.execute(study.pipeline.source("census").create_statement())
            cursor.execute(f"insert into inputs.census by name from {literal(census)}")
        census.unlink()

    def _simulation(self) -> Simulation:
        return Simulation(
            self._study.config,
            self._study.pipeline,
            self._database,
            self._processor,
            CachedYears(None, self._tell),
            self._tell,
        )

    def _taken_out(self, job: BlockJob) -> dict[str, Path]:
        """Write the rows of every fact to a file, and empty the facts."""
        folder = self._folder / f"block-{job.number}"
        make_folder(folder)
        parts = {}
        with self._database.cursor() as cursor:
            for fact in self._study.pipeline.yearly_facts:
                columns = ", ".join(map(_travelling, fact.columns))
                parts[fact.name] = folder / f"{fact.name}.parquet"
                _copy(cursor, f"select {columns} from {fact.relation}", parts[fact.name], job)  # noqa: S608 - compiled names
            parts[COMPLETE] = folder / f"{COMPLETE}.parquet"
            _copy(cursor, f"from {COMPLETE}", parts[COMPLETE], job)
            cursor.begin()
            for fact in self._study.pipeline.yearly_facts:
                cursor.execute(f"delete from {fact.relation}")  # noqa: S608 - compiled names
            cursor.execute(f"delete from {COMPLETE}")  # noqa: S608 - a constant
            cursor.commit()
            cursor.execute("checkpoint")
        return parts


def _travelling(column: Column) -> str:
    is_exact = column.data_type.upper().partition("(")[0] in _EXACT
    return f'"{column.name}"' if is_exact else f'"{column.name}"::varchar as "{column.name}"'


def _copy(cursor: duckdb.DuckDBPyConnection, query: str, path: Path, job: BlockJob) -> None:
    cursor.execute(
        f"copy ({query}) to {literal(path)} (format parquet, compression {job.compression})"
    )
