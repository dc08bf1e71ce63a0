"""events.jsonl: numbered, append-only, whole lines."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from planalign.record.telemetry import EventLog, saving


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_events_are_numbered_from_any_thread(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path, clock=lambda: 12.5)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log("model_completed", model=str(n)), range(500)))
    log.close()
    found = lines(path)
    assert [event["sequence"] for event in found] == list(range(1, 501))
    assert {event["model"] for event in found} == {str(n) for n in range(500)}
    assert {event["time"] for event in found} == {12.5}


def test_a_resumed_log_goes_on_after_the_last_whole_line(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log("run_started", runner="direct")
    log.close()
    with path.open("a") as file:
        file.write('{"sequence": 2, "kind": "mod')  # killed while writing
    log = EventLog(path)
    log("run_started", runner="batch")
    log.close()
    assert [(e["sequence"], e["runner"]) for e in lines(path)] == [(1, "direct"), (2, "batch")]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1.234, "saved 1.23 s"), (0.005, "saved 0.01 s"), (0.0049, "saved no time"),
     (0.0, "saved no time"), (-0.02, "saved no time")],
)  # fmt: skip
def test_what_a_cached_year_saved_is_never_less_than_nothing(seconds, said):
    assert saving(seconds) == said
