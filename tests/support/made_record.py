"""A record made by hand: two threads, two years, a test, other work, samples."""

from __future__ import annotations

from planalign.record.record import ModelRun, Node, Note, Record, Sample, Session, Span, YearRun
from planalign.record.record import TestRun as Checked
from planalign.results.summary import Spread, YearSpread

MB = 1_000_000


def model(name, start, end, thread="model_0", *, year=2025, step="events", **details):
    return ModelRun(name, start, end, thread, year, 1, step, **details)


def sample(at, resident=100 * MB, cpu=0.0, busy=(0.5, 1.0), session=0, **tags):
    return Sample(at, session, resident, cpu, busy, int(at * MB), int(at * 2 * MB), 0, tags)


def record(**changes):
    found = {
        "format": 2,
        "runner": "direct",
        "first_year": 2025,
        "last_year": 2026,
        "trajectories": 1,
        "threads": 2,
        "cores": 2,
        "memory_limit_bytes": 2_000 * MB,
        "sessions": (Session(0.0, 10.0, 1_800_000_000.0, "completed"),),
        "graph": {"int_a": Node("int_a", "events", "a.sql", "table", ())},
        "models": (
            model("stg_a", 0.0, 1.0, year=None, step="setup"),
            model("int_a", 1.0, 4.0, rows=1234, memory_peak=300 * MB, attempt=2),
            model("fct_a", 2.0, 5.0, "model_1", step="snapshot"),
            model("int_a", 5.0, 9.0, year=2026),
            model("mine", 5.0, 6.0, "model_1", year=2026),
        ),
        "tests": (Checked("unique", 6.0, 7.0, "model_1", 2025, 1, "validation", failures=3),),
        "work": (Span("closing", 9.0, 10.0, "MainThread"),),
        "years": (YearRun(2025, 1, 1, 1.0, 7.0), YearRun(2026, 1, 1, 5.0)),
        "samples": (
            sample(1.0, BASE_TABLE=10 * MB),
            sample(2.0, cpu=1.5, BASE_TABLE=20 * MB, HASH_TABLE=90 * MB),
            sample(3.0, resident=150 * MB, cpu=2.0),
        ),
        "notes": (Note(4.0, "retried", {"what": "<b>a file</b>"}),),
    }
    return Record(**{**found, **changes})


def spread(scenario, year, replicates=3, **means):
    return YearSpread(
        scenario, year, replicates,
        {name: Spread(mean, mean * 0.9, mean * 1.1) for name, mean in means.items()},
    )  # fmt: skip
