"""Read `events.jsonl` into a record: every format, whole or cut off, of one session or several."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from planalign.errors import InputError, Problem
from planalign.files import open_regular
from planalign.record.events import LaterFormatError, lines_of, read_event
from planalign.record.record import (
    DbtCommand,
    ModelRun,
    Node,
    Note,
    Record,
    Sample,
    Session,
    Span,
    TestRun,
    YearRun,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import BufferedReader
    from pathlib import Path


FILE_NAME = "events.jsonl"
# Of a file that is something else, the first ones say as much as all.
_MOST_PROBLEMS = 20


def folder_of(run: Path) -> Path:
    """Return where a run is: its folder, or that of the unfinished one of its name."""
    # Not with_name: the run may be `.` or `/`.
    partial = run.parent / f"{run.name}.partial"
    return partial if not run.exists() and partial.is_dir() else run


def read_record(path: Path) -> Record:
    """Read the record of a run: its folder, an unfinished one, or the file itself.

    A last line that is not whole, as of a process at work, is left out.

    Raises:
        InputError: there is none, or a line is no event, or a later version wrote it.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        with open_regular(file) as lines:
            events = _events(file, lines)
    except OSError as error:
        raise InputError(
            "the record cannot be read",
            [Problem(f"cannot be read ({error.strerror})", "Name a run.", file=str(file))],
        ) from error
    if not events or events[0]["kind"] != "run_started":
        raise InputError(
            "the record is empty",
            [Problem("does not begin with run_started", "Name a run.", str(file), line=1)],
        )
    return record_of(events)


def _events(file: Path, lines: BufferedReader) -> list[dict[str, Any]]:
    events, problems = [], []
    number = 0
    try:
        for number, line in enumerate(lines_of(lines), start=1):
            try:
                events.append(read_event(line))
            except LaterFormatError as error:
                raise InputError(
                    "the record is of a later version",
                    [Problem(str(error), "Use that planalign.", str(file), number)],
                ) from error
            except ValueError as error:
                problems.append(_damaged(file, number, error))
            if len(problems) == _MOST_PROBLEMS:
                break
    except ValueError as error:
        problems.append(_damaged(file, number + 1, error))
    if problems:
        raise InputError("the record is damaged", problems)
    return events


def _damaged(file: Path, number: int, error: ValueError) -> Problem:
    reason = str(error) if str(error).startswith("is ") else f"is no event: {error}"
    return Problem(reason, "Name a run's own events.jsonl.", str(file), line=number)


def record_of(events: Iterable[Mapping[str, Any]]) -> Record:
    """Return the record that events tell. What a kind of event does not have is None."""
    builder = _Builder()
    for session in _by_session(list(events)):
        builder.add(session)
    return builder.record()


def _by_session(events: list[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    sessions: list[list[Mapping[str, Any]]] = []
    for event in events:
        if event["kind"] == "run_started" or not sessions:
            sessions.append([])
        sessions[-1].append(event)
    return sessions


_OUTCOMES = {
    "run_completed": "completed",
    "run_failed": "failed",
    "run_interrupted": "interrupted",
}
_NOTES = frozenset(
    {"retried", "group_failed", "breaker_tripped", "warning", "cache_ignored", "test_failed"}
)
_COMPILATION = ("compiling", "graph_planned")
_MODEL_KEYS = tuple(f.name for f in fields(ModelRun) if f.name not in Span.__dataclass_fields__)


class _Builder:
    """Puts the events of one session after another on the axis of the run."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._found: dict[str, list[Any]] = {
            name: []
            for name in (
                "sessions", "models", "tests", "work", "dbt_commands", "samples", "notes",
            )
        }  # fmt: skip
        self._years: list[YearRun] = []
        self._plans: dict[tuple[str, int | None, int | None], Any] = {}
        self._graph: dict[str, Node] = {}
        self._planned: int | None = None
        self._end = 0.0
        self._compile_seconds = 0.0
        self._block: dict[int | None, int] = {}

    def add(self, events: list[Mapping[str, Any]]) -> None:
        """Add a session."""
        origin, shift = self._end, _clock_of(events)
        zero = shift(events[0])
        self._origin = origin - zero
        if not self._head:
            self._head = dict(events[0])
        self._compile_seconds += _compiling(events, shift)
        last = events[0]
        for event in events:
            self._end = max(self._end, shift(event) + self._origin)
            self._take(event, shift(event) + self._origin)
            if event["kind"] in _OUTCOMES:
                last = event
        self._found["sessions"].append(
            Session(
                origin,
                self._end,
                events[0]["time"],
                _OUTCOMES.get(last["kind"]),
                last.get("error"),
                bool(events[0].get("resumed", False)),
            )
        )

    def _take(self, event: Mapping[str, Any], at: float) -> None:
        kind = event["kind"]
        if kind == "graph_planned":
            self._graph = {
                one["model"]: Node(
                    one["model"], one["step"], one["path"], one["materialization"],
                    tuple(one["reads"]),
                )
                for one in event["models"]
            }  # fmt: skip
        elif kind == "run_planned":
            self._planned = event["years"]
        elif kind == "year_started":
            self._start_year(event, at)
        elif kind == "year_completed":
            self._complete(event, at)
        elif kind == "year_from_cache":
            self._years.append(
                YearRun(
                    event["year"], event.get("block") or 1, event["trajectories"],
                    at - event["seconds"], at, is_from_cache=True,
                    saved_seconds=event["saved_seconds"],
                )
            )  # fmt: skip
        elif kind == "model_completed":
            details = {key: event[key] for key in _MODEL_KEYS if event.get(key) is not None}
            self._found["models"].append(
                ModelRun(**self._span(event, event["model"], at), **details)
            )
        elif kind == "test_completed":
            self._found["tests"].append(
                TestRun(**self._span(event, event["test"], at), failures=event["failures"])
            )
        elif kind == "work_completed":
            self._found["work"].append(Span(**self._span(event, event["what"], at)))
        elif kind == "dbt_command_completed":
            keys = (
                "nodes", "dbt_compile_seconds", "dbt_execute_seconds", "cpu_seconds",
                "memory_peak",
            )  # fmt: skip
            self._found["dbt_commands"].append(
                DbtCommand(
                    **self._span(event, f"dbt {event['command']}", at),
                    **{key: event[key] for key in keys},
                )
            )
        elif kind == "query_plan":
            year = event["year"]
            block = event.get("block") or self._block.get(year)
            self._plans[event["model"], year, block] = event["plan"]
        elif kind == "sample":
            self._found["samples"].append(
                Sample(
                    at, len(self._found["sessions"]), event["resident_bytes"],
                    event["cpu_seconds"], tuple(event["busy_by_core"]), event["read_bytes"],
                    event["written_bytes"], event["spilled_bytes"], event["memory_by_tag"],
                )
            )  # fmt: skip
        elif kind in _NOTES:
            envelope = {"sequence", "time", "clock", "kind"}
            details = {key: value for key, value in event.items() if key not in envelope}
            self._found["notes"].append(Note(at, kind, details))

    def _span(self, event: Mapping[str, Any], name: str, at: float) -> dict[str, Any]:
        year = event.get("year")
        start = event["started"] + self._origin if "started" in event else at
        return {
            "name": name,
            "start": start,
            "end": start + event.get("seconds", 0.0),
            "thread": event.get("thread", "MainThread"),
            "year": year,
            # Workers do several blocks at a time, and say which one.
            "block": event.get("block") or self._block.get(year),
            "step": event.get("step"),
        }

    def _start_year(self, event: Mapping[str, Any], at: float) -> None:
        year = event["year"]
        # Blocks were not numbered in format 1; one begins where years begin anew.
        block = event.get("block") or self._block.get(year, 0) + 1
        self._block[year] = block
        self._years.append(YearRun(year, block, event["trajectories"], at))

    def _complete(self, event: Mapping[str, Any], at: float) -> None:
        for index in range(len(self._years) - 1, -1, -1):
            begun = self._years[index]
            is_it = event.get("block") in (None, begun.block)
            if begun.year == event["year"] and begun.end is None and is_it:
                self._years[index] = YearRun(
                    begun.year, begun.block, begun.trajectories, begun.start, at,
                    event["steps"], event["rows"],
                )  # fmt: skip
                return

    def record(self) -> Record:
        """Return what was put together."""
        head = self._head
        self._found["models"], self._found["tests"] = _on_few_threads(
            self._found["models"], self._found["tests"]
        )
        return Record(
            format=head.get("format", 1),
            runner=head["runner"],
            first_year=head["first_year"],
            last_year=head["last_year"],
            trajectories=head["trajectories"],
            threads=head.get("threads"),
            cores=head.get("cores"),
            memory_limit_bytes=head.get("memory_limit_bytes"),
            versions=head.get("versions", {}),
            planned_years=self._planned,
            compile_seconds=self._compile_seconds,
            graph=self._graph,
            years=tuple(self._years),
            query_plans=self._plans,
            **{name: tuple(found) for name, found in self._found.items()},
        )


def _on_few_threads(
    models: list[ModelRun], tests: list[TestRun]
) -> tuple[list[ModelRun], list[TestRun]]:
    """Name dbt's threads anew, as few as there are at a time: each command starts its own."""
    free_from: list[float] = []
    renamed: dict[int, str] = {}
    for span in sorted((*models, *tests), key=lambda one: one.start):
        if not span.thread.startswith("Thread-"):
            continue
        # dbt tells its times by another clock than ours.
        lane = next(
            (n for n, end in enumerate(free_from) if end <= span.start + 0.005), len(free_from)
        )
        free_from[lane : lane + 1] = [span.end]
        renamed[id(span)] = f"dbt_{lane}"
    return (
        [replace(one, thread=renamed.get(id(one), one.thread)) for one in models],
        [replace(one, thread=renamed.get(id(one), one.thread)) for one in tests],
    )


def _compiling(events: list[Mapping[str, Any]], shift: Any) -> float:
    """Return how long a session compiled the dbt project: until its graph was known."""
    told = {one["kind"]: shift(one) for one in events if one["kind"] in _COMPILATION}
    began, ended = (told.get(kind) for kind in _COMPILATION)
    return 0.0 if began is None or ended is None else max(0.0, ended - began)


def _clock_of(events: list[Mapping[str, Any]]) -> Any:
    """Return how to read the clock of a session's events, the one of their `started`.

    Format 1 has Unix time only; a model is told of right after it ended.
    """
    if "clock" in events[0]:
        return lambda event: event.get("clock", events[0]["clock"])
    behind = min(
        (
            e["time"] - e["started"] - e["seconds"]
            for e in events
            if e["kind"] == "model_completed" and {"started", "seconds"} <= e.keys()
        ),
        default=0.0,
    )
    return lambda event: event["time"] - behind
