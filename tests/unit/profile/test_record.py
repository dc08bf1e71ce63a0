"""The record of a run: every format that was ever written, whole or cut, and its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from record_page import ENVELOPE, documented, undocumented

from planalign.errors import InputError
from planalign.profile.analysis import analyse
from planalign.profile.compare import compare
from planalign.profile.export import chrome_trace, speedscope
from planalign.record.reading import read_record, record_of

DATA = Path(__file__).parents[1] / "record" / "data"
SOURCE = Path(__file__).parents[3] / "src" / "planalign"


def events_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_of_format_1_is_read():
    events = events_of(DATA / "format-1.jsonl")
    assert not any("clock" in event or "format" in event for event in events)
    found = read_record(DATA / "format-1.jsonl")
    assert (found.format, found.runner, found.outcome) == (1, "direct", "completed")
    assert (found.first_year, found.last_year, found.planned_years) == (2025, 2027, 3)
    assert [(y.year, y.block, y.end is not None) for y in found.years] == [
        (2025, 1, True), (2026, 1, True), (2027, 1, True),
    ]  # fmt: skip
    told = [event for event in events if event["kind"] == "model_completed"]
    assert [model.name for model in found.models] == [event["model"] for event in told]
    assert sum(model.seconds for model in found.models) == pytest.approx(
        sum(event["seconds"] for event in told)
    )
    assert (found.threads, found.graph, found.samples) == (None, {}, ())
    assert found.models[0].memory_peak is None
    for model in found.models:  # on the axis of the run, although its clock was another
        assert 0 <= model.start <= model.end <= found.seconds + 0.001


def test_a_record_of_format_2_is_read():
    events = events_of(DATA / "format-2.jsonl")
    found = read_record(DATA / "format-2.jsonl")
    assert (found.format, found.threads, found.memory_limit_bytes) == (2, 2, 4_000_000_000)
    assert found.seconds == pytest.approx(events[-1]["clock"] - events[0]["clock"])
    assert found.graph["fct_yearly_events"].step == "events"
    assert found.models[0].memory_peak is not None
    assert len(found.samples) == sum(event["kind"] == "sample" for event in events)
    assert found.samples[0].resident_bytes > 0


def test_compiling_lasts_until_the_graph_is_known():
    events = events_of(DATA / "format-2.jsonl")
    assert record_of(events).compile_seconds == 0
    [graph] = [number for number, event in enumerate(events) if event["kind"] == "graph_planned"]
    begun = {**events[graph], "kind": "compiling", "clock": events[graph]["clock"] - 6.25}
    compiled = [*events[:graph], begun, *events[graph:]]
    assert record_of(compiled).compile_seconds == pytest.approx(6.25)
    assert record_of(events + compiled).compile_seconds == pytest.approx(6.25)
    # Killed meanwhile: how long it would have taken is not known.
    assert record_of(compiled[: graph + 1]).compile_seconds == 0


def test_both_formats_tell_the_same_of_the_time():
    one, two = (analyse(read_record(DATA / f"format-{n}.jsonl")) for n in (1, 2))
    assert {m.name: m.total for m in one.models} == pytest.approx(
        {m.name: m.total for m in two.models}
    )
    assert one.wall_seconds == pytest.approx(two.wall_seconds, abs=0.001)


@pytest.mark.parametrize("number", [1, 2])
def test_a_record_cut_after_any_line_is_analysed(number):
    events = events_of(DATA / f"format-{number}.jsonl")
    whole = record_of(events)
    for length in range(1, len(events)):
        found = record_of(events[:length])
        assert found.outcome is None
        told = analyse(found)
        assert told.wall_seconds <= whole.seconds + 1e-9
        assert told.critical_path_seconds <= told.wall_seconds + 0.01
        json.dumps([speedscope(found, "cut"), chrome_trace(found, "cut")])
        compare(found, whole)


def test_a_record_of_a_real_run_cut_after_any_line_is_analysed(real_runs):
    events = events_of(real_runs["direct"] / "events.jsonl")
    for length in range(1, len(events)):
        found = record_of(events[:length])
        assert analyse(found).wall_seconds <= events[-1]["clock"] - events[0]["clock"]
        assert found.outcome is None


def test_a_last_line_that_is_not_whole_is_left_out(tmp_path):
    path = tmp_path / "events.jsonl"
    text = (DATA / "format-2.jsonl").read_text(encoding="utf-8")
    path.write_text(text[:-20], encoding="utf-8")
    assert read_record(tmp_path).outcome is None


def test_what_a_later_version_adds_within_the_format_is_passed_over():
    events = events_of(DATA / "format-2.jsonl")
    added = [{**event, "colour": "blue"} for event in events]
    added.insert(5, {**events[4], "kind": "something_new"})
    assert analyse(record_of(added)) == analyse(record_of(events))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not begin with run_started"),
        ('{"kind": "run_completed", "time": 1}\n', "does not begin with run_started"),
        ("nonsense\n", "is no event"),
        ("[1]\n", "is no event"),
        ('{"kind": "run_started", "time": 1, "format": 3}\n', "has format 3"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, text, told):
    (tmp_path / "events.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        read_record(tmp_path)


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        read_record(tmp_path / "nowhere")


def test_dbts_threads_are_few():
    def model(name, started, thread):
        return {
            "kind": "model_completed", "time": started + 1, "clock": started + 1, "year": 2025,
            "step": "events", "model": name, "started": started, "seconds": 1.0,
            "thread": thread,
        }  # fmt: skip

    start = {
        "kind": "run_started", "time": 0, "clock": 0, "format": 2, "runner": "batch",
        "first_year": 2025, "last_year": 2025, "trajectories": 1,
    }  # fmt: skip
    found = record_of(
        [
            start,
            model("int_a", 1.0, "Thread-1 (worker)"),
            model("int_b", 1.5, "Thread-2 (worker)"),
            model("int_c", 3.0, "Thread-9 (worker)"),
            model("int_d", 5.0, "model_0"),
        ]
    )
    assert [one.thread for one in found.models] == ["dbt_0", "dbt_1", "dbt_0", "model_0"]


@pytest.mark.parametrize("runner", ["direct", "batch"])
def test_every_kind_and_key_that_a_run_writes_is_documented(real_runs, runner):
    """Those of `legacy`, whose runs take minutes, are looked at where its bits are."""
    assert undocumented(real_runs[runner]) == set()


def test_every_line_has_what_the_page_says():
    for event in events_of(DATA / "format-2.jsonl"):
        assert event.keys() >= ENVELOPE


def test_every_kind_that_is_told_of_is_documented_and_no_other():
    told = set()
    writers = ("study", "engine", "record")
    for path in (path for part in writers for path in (SOURCE / part).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        told |= set(re.findall(r'\b_?tell(?:_end)?\((?:tell, )?\s*"(\w+)"', text))
    assert told == documented().keys()
