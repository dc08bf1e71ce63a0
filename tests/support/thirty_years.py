"""The record of a run that nobody waited for: 30 years of 40 models, with query plans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

YEARS = range(2025, 2055)
MODELS = 40
_LAYERS = ("stg", "int", "fct", "dim")
_STEPS = ("baseline", "requirements", "events", "snapshot")
START = 1_800_000_000.0


def write_record(folder: Path, *, outcome: str | None = "run_completed") -> Path:
    """Write events.jsonl as a run of two threads would have."""
    folder.mkdir()
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        for number, event in enumerate(_events(outcome), start=1):
            clock = event.pop("at")
            head = {"sequence": number, "time": START + clock, "clock": 100.0 + clock}
            file.write(json.dumps({**head, **event}) + "\n")
    return folder


def _events(outcome: str | None) -> list[dict[str, Any]]:
    names = [f"{_LAYERS[n % 4]}_made_up_model_{n:02}" for n in range(MODELS)]
    events: list[dict[str, Any]] = [
        {
            "at": 0.0, "kind": "run_started", "format": 2, "runner": "direct",
            "first_year": YEARS[0], "last_year": YEARS[-1], "trajectories": 1, "resumed": False,
            "cores": 2, "threads": 2, "memory_limit_bytes": 4_000_000_000, "with_plans": True,
            "versions": {"planalign": "0.1.0", "duckdb": "2.0.0"},
        },
        {
            "at": 0.1, "kind": "graph_planned",
            "models": [
                {"model": name, "step": _STEPS[n * 4 // MODELS], "path": f"models/{name}.sql",
                 "materialization": "table", "reads": names[max(0, n - 2) : n]}
                for n, name in enumerate(names)
            ],
        },
        {"at": 0.1, "kind": "run_planned", "years": len(YEARS), "blocks": 1},
    ]  # fmt: skip
    at = 0.2
    for year in YEARS:
        events.append(
            {"at": at, "kind": "year_started", "year": year, "block": 1, "trajectories": 1}
        )
        free = [at, at]
        for n, name in enumerate(names):
            thread = free.index(min(free))
            seconds = 0.02 + 0.01 * (n * 7 % 11) + 0.001 * (year - YEARS[0])
            started, free[thread] = free[thread], free[thread] + seconds
            memory = 200_000_000 + 2_000_000 * (year - YEARS[0]) + 4_000_000 * n
            events += [
                {
                    "at": free[thread], "kind": "model_completed", "year": year,
                    "step": _STEPS[n * 4 // MODELS], "group": n // 4, "model": name,
                    "started": 100.0 + started, "seconds": seconds, "thread": f"model_{thread}",
                    "rows": 1000 * n, "attempt": 1, "is_prepared": True,
                    "memory_before": memory - 4_000_000, "memory_peak": memory,
                    "memory_after": memory - 1_000_000, "cpu_seconds": seconds * 0.9,
                    "read_bytes": 1000, "written_bytes": 5000, "spilled_bytes": 0,
                },
                {"at": free[thread], "kind": "query_plan", "year": year, "model": name,
                 "plan": _plan(seconds, n)},
            ]  # fmt: skip
        for n in range(MODELS - 10):
            thread = free.index(min(free))
            started, free[thread] = free[thread], free[thread] + 0.004
            events.append(
                {
                    "at": free[thread], "kind": "test_completed", "year": year,
                    "step": "validation", "test": f"unique_key_of_made_up_{n:02}",
                    "started": 100.0 + started, "seconds": 0.004, "thread": f"model_{thread}",
                    "failures": 0,
                }
            )  # fmt: skip
        end = max(free)
        for tenth in range(10):
            now = at + (end - at) * tenth / 10
            events.append(
                {
                    "at": now, "kind": "sample", "resident_bytes": 210_000_000 + 2_000_000 * tenth,
                    "cpu_seconds": now * 1.5, "busy_by_core": [0.9, 0.6],
                    "read_bytes": int(now * 1e6), "written_bytes": int(now * 3e6),
                    "spilled_bytes": 0,
                    "memory_by_tag": {"BASE_TABLE": 40_000_000, "HASH_TABLE": tenth * 9_000_000},
                }
            )  # fmt: skip
        at = end + 0.01
        events.append(
            {"at": at, "kind": "year_completed", "year": year, "seconds": at, "steps": {},
             "rows": {}}
        )  # fmt: skip
    if outcome is not None:
        events.append({"at": at + 0.1, "kind": outcome, "error": "a model failed"})
    first = events[:3]
    return first + sorted(events[3:], key=lambda event: event["at"])


def _plan(seconds: float, n: int) -> dict[str, Any]:
    """Return a profile in the form of DuckDB 2.0: joins of scans, 15 operators deep."""
    below: dict[str, Any] = {
        "type": "TABLE_SCAN", "timing": seconds / 40, "intermediate_rows": 1000 * n,
        "extra_info": {"Table": "results.main.made_up", "Estimated Cardinality": "1000",
                       "Projections": ["employee_id", "employee_key", "annual_compensation"] * 4},
        "rows_scanned": 1000 * n, "row_groups_scanned": 1, "total_row_groups_to_scan": 1,
    }  # fmt: skip
    for depth in range(15):
        below = {
            "type": "HASH_JOIN" if depth % 3 == 0 else "PROJECTION", "timing": seconds / 40,
            "intermediate_rows": 500 * n,
            "extra_info": {"Conditions": "employee_key = employee_key",
                           "Estimated Cardinality": "250"},
            "children": [below],
        }  # fmt: skip
    return {
        "operator": [below],
        "query": {"total_time": seconds, "cpu_time": seconds * 1.2},
        "system": {"peak_buffer_memory": 90_000_000, "peak_temp_dir_size": 0},
        "io": {"total_bytes_read": 0, "total_bytes_written": 0},
    }
