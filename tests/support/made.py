"""Records made by hand: whole seconds on one axis, no machine."""

from __future__ import annotations

from typing import Any

from planalign.record.record import (
    DbtCommand,
    ModelRun,
    Node,
    Record,
    Sample,
    Session,
    Span,
    TestRun,
    YearRun,
)


def model(name: str, start: float, end: float, thread: str = "model_0", **more: Any) -> ModelRun:
    details = {"year": 2025, "block": 1, "step": "events", **more}
    return ModelRun(name, start, end, thread, **details)


def check(name: str, start: float, end: float, thread: str = "model_0", **more: Any) -> TestRun:
    return TestRun(name, start, end, thread, year=2025, block=1, step="validation", **more)


def work(name: str, start: float, end: float, thread: str = "MainThread") -> Span:
    return Span(name, start, end, thread)


def command(name: str, start: float, end: float, **more: Any) -> DbtCommand:
    return DbtCommand(name, start, end, "MainThread", **more)


def sample(at: float, memory: int = 100, session: int = 0, cpu: float = 0.0, **more: Any) -> Sample:
    details = {
        "busy_by_core": (0.5, 0.5), "read_bytes": 0, "written_bytes": 0, "spilled_bytes": 0,
        "memory_by_tag": {}, **more,
    }  # fmt: skip
    return Sample(at, session, memory, cpu, **details)


def node(name: str, *reads: str, step: str = "events") -> Node:
    return Node(name, step, f"models/{step}/{name}.sql", "table", reads)


def year(number: int, start: float, end: float | None, **more: Any) -> YearRun:
    return YearRun(number, more.pop("block", 1), more.pop("trajectories", 1), start, end, **more)


def record(seconds: float, *nodes: Node, **more: Any) -> Record:
    details: dict[str, Any] = {
        "format": 2, "runner": "direct", "first_year": 2025, "last_year": 2025,
        "trajectories": 1, "threads": 2,
        "sessions": (Session(0.0, seconds, 1_700_000_000.0, "completed"),),
        "graph": {one.name: one for one in nodes},
        **more,
    }  # fmt: skip
    return Record(**details)
