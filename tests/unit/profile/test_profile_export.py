"""The files for speedscope and Chrome's trace viewer, by the rules of their formats."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from made import check, command, model, node, record, sample, work, year
from test_analysis import records

from planalign.profile.export import chrome_trace, lanes, speedscope
from planalign.profile.timeline import timeline
from planalign.record.reading import read_record
from planalign.record.record import Note

DATA = Path(__file__).parents[1] / "record" / "data"


def of_schema(file):
    """Assert what https://www.speedscope.app/file-format-schema.json asks of a file."""
    # Required: $schema, shared, profiles. Known beside them: name, activeProfileIndex, exporter.
    assert file["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert file.keys() <= {
        "$schema", "shared", "profiles", "name", "activeProfileIndex", "exporter",
    }  # fmt: skip
    assert isinstance(file["name"], str)
    assert isinstance(file["exporter"], str)
    assert file["shared"].keys() == {"frames"}
    frames = file["shared"]["frames"]
    for frame in frames:
        assert frame.keys() <= {"name", "file", "line", "col"}
        assert isinstance(frame["name"], str)
        assert isinstance(frame.get("file", ""), str)
    if file["profiles"]:
        assert 0 <= file["activeProfileIndex"] < len(file["profiles"])
    for profile in file["profiles"]:
        assert profile.keys() == {"type", "name", "unit", "startValue", "endValue", "events"}
        assert profile["type"] == "evented"
        assert profile["unit"] in {
            "bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds",
        }  # fmt: skip
        stack, last = [], profile["startValue"]
        for event in profile["events"]:
            assert event.keys() == {"type", "at", "frame"}
            assert 0 <= event["frame"] < len(frames)
            assert last <= event["at"] <= profile["endValue"]  # in order
            last = event["at"]
            if event["type"] == "O":
                stack.append(event["frame"])
            else:
                assert event["type"] == "C"
                assert stack.pop() == event["frame"]  # the innermost one is closed first
        assert stack == []
    return file


def of_trace(file):
    """Assert what the Trace Event Format asks of a file."""
    assert file["displayTimeUnit"] in {"ms", "ns"}
    named = set()
    for event in file["traceEvents"]:
        assert event["ph"] in {"X", "M", "C", "i"}
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                named.add(event["tid"])
            continue
        assert isinstance(event["ts"], int)  # microseconds
        if event["ph"] == "X":
            assert isinstance(event["dur"], int)
            assert event["dur"] >= 0
        if event["ph"] == "C":
            assert all(isinstance(value, float) for value in event["args"].values())
    assert {event["tid"] for event in file["traceEvents"] if event["ph"] == "X"} <= named
    return json.loads(json.dumps(file, allow_nan=False))


def seconds_by_name(file):
    """Return how long each frame was open, as the viewer adds them up."""
    found = defaultdict(float)
    for profile in file["profiles"]:
        for event in profile["events"]:
            sign = -1 if event["type"] == "O" else 1
            found[file["shared"]["frames"][event["frame"]]["name"]] += sign * event["at"]
    return found


MADE = record(
    12,
    node("int_a"),
    models=(model("int_a", 1, 3, rows=7, memory_peak=9), model("int_b", 2, 5, "model_1")),
    tests=(check("is_unique", 3, 4, failures=2),),
    work=(work("reading the census", 0, 1),),
    years=(year(2025, 1, 8), year(2026, 5, None)),
    samples=(sample(2, 5_000_000, busy_by_core=(0.25, 1.0)),),
    notes=(Note(4, "warning", {"message": "much"}),),
)


def test_speedscope_has_a_profile_for_each_thread():
    file = of_schema(speedscope(MADE, "runs/first"))
    assert [profile["name"] for profile in file["profiles"]] == [
        "years", "years (2)", "MainThread", "model_0", "model_1",
    ]  # fmt: skip
    assert {"name": "int_a", "file": "models/events/int_a.sql"} in file["shared"]["frames"]
    assert seconds_by_name(file)["int_b"] == pytest.approx(3)
    assert {profile["endValue"] for profile in file["profiles"]} == {12}


def test_chrome_trace_has_spans_counters_and_notes():
    file = of_trace(chrome_trace(MADE, "runs/first"))
    events = file["traceEvents"]
    threads = {
        event["args"]["name"]: event["tid"] for event in events if event["name"] == "thread_name"
    }
    (one,) = [event for event in events if event["name"] == "int_a"]
    assert (one["ts"], one["dur"], one["tid"]) == (1_000_000, 2_000_000, threads["model_0"])
    assert one["args"] == {
        "year": 2025, "block": 1, "step": "events", "rows": 7, "attempt": 1, "memory_peak": 9,
    }  # fmt: skip
    counters = {event["name"]: event for event in events if event["ph"] == "C"}
    assert counters["memory, MB"]["args"]["resident"] == 5
    assert counters["cores busy"]["args"] == {"core 0": 0.25, "core 1": 1.0}
    (note,) = [event for event in events if event["ph"] == "i"]
    assert (note["name"], note["ts"], note["args"]) == ("warning", 4_000_000, {"message": "much"})
    assert events[0]["args"] == {"name": "runs/first"}


def test_what_lies_within_a_dbt_command_nests_in_it():
    made = record(
        9,
        models=(model("int_a", 2, 3, "MainThread"),),
        dbt_commands=(command("dbt run", 1, 8),),
    )
    assert list(lanes(made)) == ["MainThread"]
    (profile,) = of_schema(speedscope(made, "run"))["profiles"]
    assert [(event["type"], event["at"]) for event in profile["events"]] == [
        ("O", 1), ("O", 2), ("C", 3), ("C", 8),
    ]  # fmt: skip


def test_rounding_does_not_make_a_lane():
    made = record(9, models=(model("int_a", 1, 2.000001), model("int_b", 2, 3)))
    assert list(lanes(made)) == ["model_0"]
    of_schema(speedscope(made, "run"))


@pytest.mark.parametrize("number", [1, 2])
def test_stored_records_become_files(number):
    found = read_record(DATA / f"format-{number}.jsonl")
    totals = defaultdict(float)
    for one in found.models:
        totals[one.name] += one.seconds
    by_name = seconds_by_name(of_schema(speedscope(found, "run")))
    assert {name: by_name[name] for name in totals} == pytest.approx(totals, abs=1e-4)
    of_trace(chrome_trace(found, "run"))


@given(records())
def test_any_record_becomes_files(made):
    file = of_schema(speedscope(made, "run"))
    of_trace(chrome_trace(made, "run"))
    bars = [bar for lane in lanes(made).values() for bar in lane]
    spans = [*made.models, *made.tests, *made.work, *made.dbt_commands]
    assert sorted(bar.span.name for bar in bars) == sorted(span.name for span in spans)
    assert all(seconds >= 0 for seconds in seconds_by_name(file).values())


def test_timeline_shows_what_took_most_of_each_character():
    rows = dict(timeline(MADE, 12))
    assert rows == {
        "": " |2025",
        "MainThread": "░···········",
        "model_0": "·██▒········",
        "model_1": "··███·······",
    }


def test_timeline_of_a_dbt_command_leaves_its_nodes_to_their_threads():
    made = record(
        4,
        models=(model("int_a", 1, 2, "MainThread"),),
        dbt_commands=(command("dbt run", 0, 4),),
    )
    assert dict(timeline(made, 4))["MainThread"] == "░█░░"


def test_timeline_of_a_record_without_time_is_empty():
    assert timeline(record(0, sessions=()), 40) == []


@given(records())
def test_every_line_of_a_timeline_is_as_wide_as_asked(made):
    rows = timeline(made, 37)
    assert all(len(bar) == 37 for thread, bar in rows if thread)
