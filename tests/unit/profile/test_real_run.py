"""The six views of a real run, recomputed from the lines of its record by their definitions."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from planalign.profile.analysis import analyse
from planalign.profile.path import ROUNDING
from planalign.record.reading import read_record


@pytest.fixture(scope="module", params=["direct", "batch"])
def run(request, real_runs):
    path = real_runs[request.param]
    lines = (path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    by_kind = defaultdict(list)
    for event in events:
        by_kind[event["kind"]].append(event)
    return events, by_kind, analyse(read_record(path))


def spans_of(by_kind, *kinds):
    return [
        (event["started"], event["started"] + event["seconds"], event)
        for kind in kinds
        for event in by_kind[kind]
    ]


def sweep(spans):
    """Return how long each number of spans was under way at a time."""
    steps = sorted([(start, 1) for start, _, _ in spans] + [(end, -1) for _, end, _ in spans])
    seconds, count, last = defaultdict(float), 0, None
    for at, change in steps:
        if last is not None:
            seconds[count] += at - last
        count, last = count + change, at
    return seconds


def test_wall(run):
    events, _, found = run
    assert found.wall_seconds == pytest.approx(events[-1]["clock"] - events[0]["clock"])


def test_total_count_and_longest_of_each_model(run):
    _, by_kind, found = run
    seconds = defaultdict(list)
    for event in by_kind["model_completed"]:
        seconds[event["model"]].append(event["seconds"])
    assert {one.name: one.total for one in found.models} == pytest.approx(
        {name: sum(each) for name, each in seconds.items()}
    )
    assert {one.name: (one.count, one.longest) for one in found.models} == {
        name: (len(each), pytest.approx(max(each))) for name, each in seconds.items()
    }
    assert found.longest_model == max(seconds, key=lambda name: sum(seconds[name]))


def test_peak_memory(run):
    events, _, found = run
    keys = ("memory_before", "memory_peak", "memory_after", "resident_bytes")
    highest = max(event[key] for event in events for key in keys if event.get(key) is not None)
    assert found.memory.peak_bytes == highest
    assert found.memory.is_within_budget is (highest <= 4_000_000_000)


def test_memory_of_each_model(run):
    _, by_kind, found = run
    spans = spans_of(by_kind, "model_completed")
    expected = defaultdict(int)
    for start, end, event in spans:
        sampled = [
            one["resident_bytes"] for one in by_kind["sample"] if start <= one["clock"] <= end
        ]
        expected[event["model"]] = max(expected[event["model"]], event["memory_peak"], *sampled)
    assert found.memory.by_model == expected


def test_concurrency(run):
    _, by_kind, found = run
    seconds = sweep(spans_of(by_kind, "model_completed", "test_completed"))
    busy = sum(each for count, each in seconds.items() if count)
    weighted = sum(count * each for count, each in seconds.items())
    assert found.concurrency == pytest.approx(weighted / busy, rel=1e-4)
    assert found.busy_seconds == pytest.approx(busy, rel=1e-4)


def test_cache_hit_rate(run):
    _, by_kind, found = run
    cached = sum(event["trajectories"] for event in by_kind["year_from_cache"])
    computed = len(by_kind["year_completed"])  # one trajectory
    assert found.cache_hit_rate == cached / (cached + computed)


def test_seconds_of_each_step(run):
    _, by_kind, found = run
    steps = defaultdict(list)
    for span in spans_of(by_kind, "model_completed", "test_completed"):
        steps[span[2]["step"]].append(span)
    expected = {
        step: sum(each for count, each in sweep(spans).items() if count)
        for step, spans in steps.items()
    }
    told = {step: each for step, each in found.seconds_by_step.items() if step != "other work"}
    assert told == pytest.approx(expected, abs=1e-4)


def test_seconds_of_each_year(run):
    _, by_kind, found = run
    starts = [event["clock"] for event in by_kind["year_started"]]
    last = max(event["clock"] for event in by_kind["year_completed"])
    ends = [*starts[1:], last]
    years = [event["year"] for event in by_kind["year_started"]]
    expected = {year: end - start for year, start, end in zip(years, starts, ends, strict=True)}
    assert found.seconds_by_year == pytest.approx(expected)


def test_critical_path_is_made_of_what_is_on_record_and_tiles_the_wall(run):
    events, by_kind, found = run
    zero = events[0]["clock"]
    told = {
        (event.get("model") or event.get("test") or event["what"], round(start - zero, 5))
        for start, _, event in spans_of(
            by_kind, "model_completed", "test_completed", "work_completed"
        )
    }
    at = idle = 0.0
    for span in found.critical_path:
        assert span.name.startswith("dbt ") or (span.name, round(span.start, 5)) in told
        assert span.start >= at - ROUNDING
        idle += max(0.0, span.start - at)
        at = span.end
    idle += found.wall_seconds - at
    assert found.critical_path_seconds + idle == pytest.approx(found.wall_seconds, abs=0.001)


def test_dbt_seconds(run):
    _, by_kind, found = run
    commands = by_kind["dbt_command_completed"]
    for part in ("compile", "execute") if commands else ():
        expected = sum(event[f"dbt_{part}_seconds"] for event in commands)
        assert found.dbt_seconds[part] == pytest.approx(expected)
    assert bool(found.dbt_seconds) is bool(commands)
