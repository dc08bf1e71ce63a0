"""Read the lines of `events.jsonl`, which somebody else may have written or damaged.

What comes out has the keys that its kind needs, of the types and within the bounds that
every reader rests on: none has to look again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planalign.files import parse_json
from planalign.record.query_plans import query_plan_of
from planalign.record.telemetry import FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import BufferedReader

    Check = Callable[[object], bool]

# Bytes. The longest are query plans, of which one of a thousand operators has a million.
LONGEST_LINE = 32_000_000
# Unix time up to the year 9900, which every calendar of Python's takes.
_LAST_INSTANT = 250_000_000_000
_MOST_SECONDS, _LEAST_SECONDS = 1e10, 1e-9
_LARGEST_COUNT = 2**63


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _within(low: float, high: float, kinds: tuple[type, ...]) -> Check:
    def check(value: object) -> bool:
        if not isinstance(value, kinds) or isinstance(value, bool):
            return False
        return bool(low <= value <= high)  # type: ignore[operator]

    return check


_count = _within(0, _LARGEST_COUNT, (int,))
_year = _within(1, 9999, (int,))
_instant = _within(0, _LAST_INSTANT, (int, float))
_taken = _within(0, _MOST_SECONDS, (int, float))
# Counters of a machine may go back a little.
_seconds = _within(-_MOST_SECONDS, _MOST_SECONDS, (int, float))


def _on_a_clock(value: object) -> bool:
    # A run that lasts next to nothing has no scale to be drawn to.
    return _seconds(value) and (value == 0 or abs(value) >= _LEAST_SECONDS)  # type: ignore[arg-type]


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _mapping_of(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def _node(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(_text(value.get(key)) for key in ("model", "step", "path", "materialization"))
        and _list_of(_text)(value.get("reads"))
    )


def _plan(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        plan = query_plan_of(value)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return False
    groups = [plan.row_groups_scanned, plan.row_groups_total]
    for one in plan.walk():
        groups += [one.row_groups_scanned, one.row_groups_total]
    return all(map(_or_null(_count), groups)) and all(_seconds(one.seconds) for one in plan.walk())


_amount = _or_null(_count)
# What the value of a key must be, wherever it is there.
_VALUES: Mapping[str, Check] = {
    "time": _instant, "clock": _on_a_clock, "kind": _text,
    "format": _count, "runner": _text, "first_year": _year, "last_year": _year,
    "trajectories": _count, "resumed": _flag, "cores": _amount, "threads": _amount,
    "memory_limit_bytes": _amount, "with_plans": _flag, "versions": _mapping_of(_text),
    "years": _count, "blocks": _count, "workers": _amount, "worker": _amount,
    "year": _or_null(_year), "block": _amount,
    "step": _or_null(_text), "model": _or_null(_text), "test": _text, "what": _text,
    "command": _text, "nodes": _count, "failures": _count, "group": _amount, "rows": _amount,
    "attempt": _amount, "is_prepared": _or_null(_flag), "thread": _text, "started": _on_a_clock,
    "seconds": _taken, "saved_seconds": _seconds, "wait_seconds": _or_null(_taken),
    "cpu_seconds": _or_null(_seconds), "dbt_compile_seconds": _or_null(_taken),
    "dbt_execute_seconds": _or_null(_taken), "memory_before": _amount, "memory_peak": _amount,
    "memory_after": _amount, "read_bytes": _amount, "written_bytes": _amount,
    "spilled_bytes": _amount, "bytes": _amount, "worker_seconds": _or_null(_taken),
    "worker_cpu_seconds": _or_null(_seconds), "error": _or_null(_text), "reason": _or_null(_text),
    "action": _or_null(_text), "message": _or_null(_text),
}  # fmt: skip
# The keys without which a reader can do nothing with a kind, and their values where others
# have null or something else.
_NEEDED: Mapping[str, Mapping[str, Check]] = {
    "run_started": {
        "runner": _text, "first_year": _year, "last_year": _year, "trajectories": _count,
    },
    "graph_planned": {"models": _list_of(_node)},
    "run_planned": {"years": _count},
    "year_started": {"year": _year, "trajectories": _count},
    "step_started": {"year": _or_null(_year), "step": _text},
    "year_completed": {"year": _year, "steps": _mapping_of(_taken), "rows": _mapping_of(_count)},
    "year_from_cache": {
        "year": _year, "trajectories": _count, "seconds": _taken, "saved_seconds": _seconds,
    },
    "model_completed": {"model": _text},
    "test_completed": {"test": _text, "failures": _count},
    "work_completed": {"what": _text},
    "dbt_command_completed": {
        "command": _text, "nodes": _count, "dbt_compile_seconds": _taken,
        "dbt_execute_seconds": _taken, "cpu_seconds": _or_null(_seconds), "memory_peak": _amount,
    },
    "query_plan": {"year": _or_null(_year), "model": _text, "plan": _plan},
    "sample": {
        "resident_bytes": _count, "cpu_seconds": _seconds, "busy_by_core": _list_of(_seconds),
        "read_bytes": _amount, "written_bytes": _amount, "spilled_bytes": _count,
        "memory_by_tag": _mapping_of(_count),
    },
}  # fmt: skip


class LaterFormatError(ValueError):
    """The lines that follow are of a format that a later version writes."""


def read_event(line: bytes) -> dict[str, Any]:
    """Return the event of a line.

    What a later version adds within the format, kinds and keys, is taken as it is.

    Raises:
        LaterFormatError: it begins a session of a later format.
        ValueError: it is none; says what is wrong.
    """
    event = parse_json(line.decode("utf-8"))
    if not isinstance(event, dict):
        raise ValueError("is no event")
    needed = {"kind": _text, "time": _instant, **_NEEDED.get(str(event.get("kind")), {})}
    missing = needed.keys() - event.keys()
    if _is_of_later_format(event):
        raise LaterFormatError(f"has format {event['format']}")
    if missing:
        raise ValueError(f"is no event: it has no {', '.join(sorted(missing))}")
    for key, value in event.items():
        check = needed.get(key) or _VALUES.get(key)
        if check is not None and not check(value):
            raise ValueError(f"is no event: its {key} cannot be {str(value)[:40]!r}")
    return event


def _is_of_later_format(event: Mapping[str, object]) -> bool:
    number = event.get("format")
    return event.get("kind") == "run_started" and isinstance(number, int) and number > FORMAT


def lines_of(file: BufferedReader) -> Iterator[bytes]:
    """Yield the whole lines of a file; the last one may be in the middle of being written.

    Raises:
        ValueError: one is longer than any event.
    """
    while (line := file.readline(LONGEST_LINE)).endswith(b"\n"):
        yield line[:-1]
    if len(line) == LONGEST_LINE:
        raise ValueError("is longer than an event")
