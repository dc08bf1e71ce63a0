"""A record in the formats of two viewers: speedscope and Chrome's trace viewer (Perfetto).

speedscope: https://www.speedscope.app/file-format-schema.json, one evented profile a
thread. Chrome: the JSON object of the Trace Event Format, complete events in microseconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign.record.record import ModelRun, Span, TestRun

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.record.record import Record

SCHEMA = "https://www.speedscope.app/file-format-schema.json"
YEARS = "years"
# Microseconds, by which rounding may let a span reach into the next one.
_ROUNDING = 2


@dataclass(frozen=True)
class _Bar:
    """A span in whole microseconds."""

    span: Span
    start: int
    end: int


def speedscope(record: Record, name: str) -> dict[str, Any]:
    """Return the record as a speedscope file of the given name; seconds."""
    frames: dict[tuple[str, str | None], int] = {}
    profiles = []
    for lane, bars in lanes(record).items():
        events: list[dict[str, Any]] = []
        stack: list[tuple[int, int]] = []  # end, frame

        def close(until: int | None, events: Any = events, stack: Any = stack) -> None:
            while stack and (until is None or stack[-1][0] <= until):
                end, frame = stack.pop()
                events.append({"type": "C", "at": end / 1e6, "frame": frame})

        for bar in bars:
            close(bar.start)
            node = record.graph.get(bar.span.name)
            key = (bar.span.name, node.path if node else None)
            frame = frames.setdefault(key, len(frames))
            events.append({"type": "O", "at": bar.start / 1e6, "frame": frame})
            stack.append((bar.end, frame))
        close(None)
        profiles.append(
            {
                "type": "evented",
                "name": lane,
                "unit": "seconds",
                "startValue": 0,
                "endValue": max([round(record.seconds, 6), *(event["at"] for event in events)]),
                "events": events,
            }
        )
    shared = [{"name": one, **({"file": file} if file else {})} for one, file in frames]
    return {
        "$schema": SCHEMA,
        "name": name,
        "exporter": "planalign",
        "activeProfileIndex": 0,
        "shared": {"frames": shared},
        "profiles": profiles,
    }


def chrome_trace(record: Record, name: str) -> dict[str, Any]:
    """Return the record as a Chrome trace of the given name; microseconds."""
    events: list[dict[str, Any]] = [_named("process_name", 0, name)]
    for thread, (lane, bars) in enumerate(lanes(record).items()):
        events.append(_named("thread_name", thread, lane))
        events.append(
            {"ph": "M", "name": "thread_sort_index", "pid": 1, "tid": thread,
             "args": {"sort_index": thread}}
        )  # fmt: skip
        events.extend(
            {
                "ph": "X",
                "name": bar.span.name,
                "cat": _category(bar.span),
                "ts": bar.start,
                "dur": bar.end - bar.start,
                "pid": 1,
                "tid": thread,
                "args": _arguments(bar.span),
            }
            for bar in bars
        )
    events.extend(_counters(record))
    events.extend(
        {"ph": "i", "s": "p", "name": note.kind, "cat": "note", "ts": _micro(note.at),
         "pid": 1, "tid": 0, "args": dict(note.details)}
        for note in record.notes
    )  # fmt: skip
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"runner": record.runner, **record.versions},
    }


def lanes(record: Record) -> dict[str, tuple[_Bar, ...]]:
    """Return the spans by thread, the years first, so that those of a lane nest.

    What overlaps another of its thread without lying within it gets a lane of its own:
    years that are checked while the next is built.
    """
    threads: dict[str, list[Span]] = defaultdict(list)
    for year in record.years:
        end = record.seconds if year.end is None else year.end
        threads[YEARS].append(
            Span(str(year.year), year.start, max(end, year.start), YEARS, year.year, year.block)
        )
    spans = (*record.models, *record.tests, *record.work, *record.dbt_commands)
    for span in sorted(spans, key=lambda one: one.thread):
        threads[span.thread].append(span)
    found = {}
    for thread, of_it in threads.items():
        for number, bars in enumerate(_nested(of_it), start=1):
            found[thread if number == 1 else f"{thread} ({number})"] = tuple(bars)
    return found


def _nested(spans: Iterable[Span]) -> list[list[_Bar]]:
    """Lay spans into as few lanes as first come, first served needs."""
    found: list[list[_Bar]] = []
    under_way: list[list[_Bar]] = []  # of each lane, the innermost last
    bars = [_Bar(span, _micro(span.start), _micro(span.end)) for span in spans]
    for bar in sorted(bars, key=lambda one: (one.start, -one.end)):
        for lane, stack in zip(found, under_way, strict=True):
            fitting = _within(stack, bar)
            if fitting is not None:
                lane.append(fitting)
                stack.append(fitting)
                break
        else:
            found.append([bar])
            under_way.append([bar])
    return found


def _within(stack: list[_Bar], bar: _Bar) -> _Bar | None:
    """Return the bar as it nests in a lane, None where it would cross what is under way."""
    while stack and stack[-1].end <= bar.start + _ROUNDING and stack[-1].end < bar.end:
        # It only seems to reach into this one.
        start = max(bar.start, stack.pop().end)
        bar = _Bar(bar.span, start, max(start, bar.end))
    while stack and stack[-1].end <= bar.start:
        stack.pop()
    return bar if not stack or bar.end <= stack[-1].end else None


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _category(span: Span) -> str:
    if isinstance(span, ModelRun):
        return f"model,{span.step}"
    if isinstance(span, TestRun):
        return f"test,{span.step}"
    return "year" if span.thread == YEARS else "work"


def _arguments(span: Span) -> dict[str, Any]:
    keys = ["year", "block", "step"]
    if isinstance(span, ModelRun):
        keys += ["rows", "attempt", "memory_peak", "cpu_seconds", "spilled_bytes"]
    if isinstance(span, TestRun):
        keys += ["failures"]
    return {key: value for key in keys if (value := getattr(span, key)) is not None}


def _named(kind: str, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": 1, "tid": thread, "args": {"name": name}}


def _counters(record: Record) -> Iterable[dict[str, Any]]:
    for sample in record.samples:
        at = {"ph": "C", "pid": 1, "tid": 0, "ts": _micro(sample.at)}
        yield {
            **at,
            "name": "memory, MB",
            "args": {
                "resident": sample.resident_bytes / 1e6,
                "spilled": sample.spilled_bytes / 1e6,
            },
        }
        yield {
            **at,
            "name": "cores busy",
            "args": {f"core {n}": busy for n, busy in enumerate(sample.busy_by_core)},
        }
