"""Start, cancel and resume runs: each a `planalign simulate` of its own.

A run goes on when the dashboard ends. Cancelling is for the runs that this dashboard
started; what a process says on stderr is kept to tell why a run that left no record failed.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from planalign.errors import InputError, PlanalignError, UsageError
from planalign.studio.runs import is_name, is_text, partial_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from planalign.config import Config

RUNNERS = ("direct", "batch", "legacy")
_SAID_BYTES = 8_000


@dataclass(frozen=True)
class Order:
    """A run that was asked for, checked: its files are in the folder of the dashboard.

    Without a `census`, `threads` or a `memory_limit` they are those that the configuration
    names.
    """

    config: Path
    output: Path
    first_year: int
    last_year: int
    seeds: int
    runner: str
    scenario: str | None = None
    census: Path | None = None
    threads: int | None = None
    memory_limit: str | None = None
    with_query_plans: bool = False

    def arguments(self, *, resume: bool = False) -> list[str]:
        """Return the arguments of `planalign`; none of them is read by a shell."""
        return [
            "simulate",
            f"{self.first_year}-{self.last_year}",
            f"--config={self.config}",
            f"--output={self.output}",
            f"--runner={self.runner}",
            f"--seeds={self.seeds}",
            *([f"--scenario={self.scenario}"] if self.scenario is not None else []),
            *([f"--census={self.census}"] if self.census is not None else []),
            *([f"--threads={self.threads}"] if self.threads is not None else []),
            *([f"--memory-limit={self.memory_limit}"] if self.memory_limit is not None else []),
            *(["--profile=plans"] if self.with_query_plans else []),
            *(["--resume"] if resume else []),
        ]


def configurations(folder: Path) -> list[str]:
    """Return the names of the YAML files of a folder, planalign.yaml first."""
    try:
        found = [
            path.name
            for path in folder.iterdir()
            if path.suffix in (".yaml", ".yml")
            and not path.name.startswith(".")
            and is_text(path.name)
            and path.is_file()
            and path.resolve().is_relative_to(folder.resolve())
        ]
    except OSError:
        return []
    return sorted(found, key=lambda name: (name != "planalign.yaml", name))


def read_configuration(
    folder: Path, name: str, changes: Mapping[str, Mapping[str, object]] | None = None
) -> Config:
    """Return a configuration of the folder, with other years, seeds or resources.

    Raises:
        PlanalignError: there is none of that name, or it has problems.
    """
    from planalign.config import load  # noqa: PLC0415 - pydantic

    if name not in configurations(folder):
        raise UsageError(f"there is no {name!r} in {folder}", "Choose one of the list.")
    return load(folder / name, changes)


def check(
    form: Mapping[str, object], *, folder: Path, runs: Path
) -> tuple[Order | None, dict[str, str]]:
    """Return the run that a form asks for, or what is wrong, by field.

    Args:
        form: `config`, `first_year`, `last_year`, `seeds`, `runner`, `scenario` (empty
            for all), `threads` and `memory_limit` (empty for those configured), `plans`,
            `name`; anything may be in it.
        folder: where configurations are.
        runs: where runs are written.
    """
    problems: dict[str, str] = {}
    first = _whole(form, "first_year", problems, "a year, such as 2025")
    last = _whole(form, "last_year", problems, "a year, such as 2029")
    seeds = _whole(form, "seeds", problems, "a whole number from 1")
    name = str(form.get("name") or "").strip()
    if not is_name(name):
        problems["name"] = "Use 1 to 64 letters, digits, dots, dashes or underscores."
    elif (runs / name).exists() or partial_of(runs / name).exists():
        problems["name"] = f"There is a run {name} already."
    runner = str(form.get("runner") or "")
    if runner not in RUNNERS:
        problems["runner"] = f"Choose one of {', '.join(RUNNERS)}."
    if first is not None and last is not None and last < first:
        problems["last_year"] = "This is before the first year."
    if seeds is not None and seeds < 1:
        problems["seeds"] = "At least 1."
    threads = (
        _whole(form, "threads", problems, "a number of threads") if _text(form, "threads") else None
    )
    memory_limit = _text(form, "memory_limit") or None
    with_query_plans = form.get("plans") is True
    if with_query_plans and runner != "direct":
        problems.setdefault("plans", "Query plans are recorded with the runner direct alone.")
    scenario = str(form.get("scenario") or "") or None
    file = str(form.get("config") or "")
    if not problems:
        simulation = {"start_year": first, "end_year": last, "replicates": seeds}
        resources = {"threads": threads, "memory_limit": memory_limit}
        _check_configuration(folder, file, (simulation, resources), scenario, problems)
    if problems or first is None or last is None or seeds is None:
        return None, problems
    order = Order(
        folder / file, runs / name, first, last, seeds, runner, scenario,
        threads=threads, memory_limit=memory_limit, with_query_plans=with_query_plans,
    )  # fmt: skip
    return order, {}


def _text(form: Mapping[str, object], field: str) -> str:
    return str(form.get(field) if form.get(field) is not None else "").strip()


def _whole(
    form: Mapping[str, object], field: str, problems: dict[str, str], what: str
) -> int | None:
    text = _text(form, field)
    text = text.removesuffix(".0")  # a browser's number
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        problems[field] = f"Write {what}."
        return None
    return int(text)


def _check_configuration(
    folder: Path,
    file: str,
    wanted: tuple[Mapping[str, object], Mapping[str, object]],
    scenario: str | None,
    problems: dict[str, str],
) -> None:
    from planalign.config import scenario_settings  # noqa: PLC0415 - pydantic

    simulation, resources = (
        {key: value for key, value in section.items() if value is not None} for section in wanted
    )
    try:
        config = read_configuration(
            folder, file, {"simulation": simulation, "resources": resources}
        )
    except InputError as error:
        fields = {
            "start_year": "first_year", "end_year": "last_year", "replicates": "seeds",
            "threads": "threads", "memory_limit": "memory_limit",
        }  # fmt: skip
        for problem in error.problems:
            key = (problem.column or "").rpartition(".")[2]
            told = problem.message if key in fields else str(problem)
            problems.setdefault(fields.get(key, "config"), told)
        problems.setdefault("config", error.what) if not problems else None
        return
    except PlanalignError as error:
        problems["config"] = str(error)
        return
    if scenario is not None and scenario not in scenario_settings(config):
        problems["scenario"] = "This configuration has no such scenario."


@dataclass
class Job:
    """A process that this dashboard started."""

    order: Order
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    is_cancelled: bool = False

    @property
    def is_working(self) -> bool:
        """Say whether the process still goes on."""
        return self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, None while it goes on."""
        return self.process.poll()

    def words(self) -> str:
        """Return the end of what it said on stderr."""
        size = self.said.seek(0, 2)
        self.said.seek(max(0, size - _SAID_BYTES))
        return self.said.read().decode("utf-8", "replace").strip()


class Jobs:
    """The runs that this dashboard started, by name."""

    def __init__(
        self, folder: Path, program: Sequence[str] = (sys.executable, "-P", "-m", "planalign")
    ) -> None:
        self._folder = folder
        self._program = tuple(program)
        self._jobs: dict[str, Job] = {}

    def get(self, name: str) -> Job | None:
        """Return the job of a run, if it was started here."""
        return self._jobs.get(name)

    def is_working(self, output: Path) -> bool:
        """Say whether a process of ours works on a run."""
        job = self._jobs.get(output.name)
        return job is not None and job.order.output == output and job.is_working

    def start(self, order: Order, *, resume: bool = False) -> Job:
        """Start a run in a process that goes on without us.

        Raises:
            UsageError: it is under way already.
        """
        if self.is_working(order.output):
            raise UsageError(f"{order.output.name} is under way", "Wait for it, or cancel it.")
        # Without a name: it is gone when both processes are.
        said = tempfile.TemporaryFile()  # noqa: SIM115 - the job holds it
        process = subprocess.Popen(  # noqa: S603 - a list, checked; no shell
            [*self._program, *order.arguments(resume=resume)],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # Ctrl-C in the terminal of the dashboard is not for the run.
            start_new_session=True,
        )
        job = Job(order, process, said)
        self._jobs[order.output.name] = job
        return job

    def cancel(self, name: str) -> bool:
        """Ask a run to stop, as Ctrl-C does; say whether it was ours and under way."""
        job = self._jobs.get(name)
        if job is None or not job.is_working:
            return False
        # Not SIGINT, which a dashboard in the background ignores, and so do its runs.
        job.process.send_signal(signal.SIGTERM)
        job.is_cancelled = True
        return True

    def resume(self, output: Path, live_runner: str) -> Job:
        """Go on with an unfinished run, from its last whole year.

        One that was started elsewhere goes on with the configuration that it wrote down.

        Raises:
            PlanalignError: that cannot be read.
        """
        job = self._jobs.get(output.name)
        if job is not None:
            return self.start(job.order, resume=True)
        return self.start(self._order_of(output, live_runner), resume=True)

    def _order_of(self, output: Path, live_runner: str) -> Order:
        """Return the order of a run from what it wrote down itself.

        A folder that came from elsewhere may name any file, or models of its own, which
        are programs: what leads out of our folder is left to who starts it by hand.
        """
        from planalign.config import load  # noqa: PLC0415 - pydantic
        from planalign.config.document import read_document  # noqa: PLC0415 - yaml

        by_hand = "Resume it with the command that it was started with."
        file = partial_of(output) / "config.yaml"
        if not file.is_file():
            raise UsageError(
                f"{output.name} was stopped before its configuration was written down", by_hand
            )
        written = read_document(file).data
        try:
            census = (file.parent / written["census"]).resolve()
        # None is named, or no text, or no path, or links in a circle.
        except (KeyError, TypeError, OSError, RuntimeError, ValueError) as error:
            raise UsageError(f"the census of {output.name} is no file", by_hand) from error
        if any(written.get(key) is not None for key in ("dbt_project", "models")):
            raise UsageError(f"{output.name} was started with models of its own", by_hand)
        if written.get("tables"):
            raise UsageError(f"{output.name} was started with tables of its own", by_hand)
        if not census.is_relative_to(self._folder.resolve()):
            raise UsageError(f"the census of {output.name} is not in {self._folder}", by_hand)
        simulation = load(file, {"census": str(census)}).simulation
        return Order(
            file,
            output,
            simulation.start_year,
            simulation.end_year,
            simulation.replicates,
            live_runner if live_runner in RUNNERS else RUNNERS[0],
            census=census,
        )
