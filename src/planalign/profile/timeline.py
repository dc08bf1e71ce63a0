"""The timeline of a run as text: a line of characters per thread."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.record.record import Record, Span

MODEL, TEST, OTHER, IDLE = "█", "▒", "░", "·"
LEGEND = f"{MODEL} models  {TEST} tests  {OTHER} other work  {IDLE} idle"

# For encodings that have no block signs.
PLAIN_SIGNS = str.maketrans({MODEL: "#", TEST: "=", OTHER: "-", IDLE: "."})


def timeline(record: Record, width: int) -> list[tuple[str, str]]:
    """Return (thread, bar) rows, below a row that marks where each year starts.

    A character stands for `1 / width` of the run, and shows what took most of it.
    """
    if record.seconds <= 0:
        return []
    threads: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for sign, spans in (
        (MODEL, record.models),
        (TEST, record.tests),
        (OTHER, (*record.work, *record.dbt_commands)),
    ):
        for span in spans:
            threads[span.thread][sign].append(span)
    bars = [
        (thread, _bar(by_sign, record.seconds / width, width))
        for thread, by_sign in sorted(threads.items())
    ]
    return [("", _ruler(record, width)), *bars]


def _bar(by_sign: dict[str, list[Span]], cell: float, width: int) -> str:
    taken = {sign: _per_cell(spans, cell, width) for sign, spans in by_sign.items()}
    if OTHER in taken:  # a dbt command holds its nodes
        inner = [sum(taken[s][n] for s in taken if s != OTHER) for n in range(width)]
        taken[OTHER] = [max(0.0, t - i) for t, i in zip(taken[OTHER], inner, strict=True)]
    bar = []
    for number in range(width):
        busy = {sign: seconds[number] for sign, seconds in taken.items()}
        sign = max(busy, key=lambda one: busy[one])
        bar.append(sign if sum(busy.values()) >= cell / 2 else IDLE)
    return "".join(bar)


def _per_cell(spans: Iterable[Span], cell: float, width: int) -> list[float]:
    seconds = [0.0] * width
    for span in spans:
        first = min(width - 1, max(0, int(span.start / cell)))
        last = min(width - 1, max(0, int(span.end / cell)))
        for number in range(first, last + 1):
            inside = min(span.end, (number + 1) * cell) - max(span.start, number * cell)
            seconds[number] += max(0.0, inside)
    return seconds


def _ruler(record: Record, width: int) -> str:
    line = [" "] * width
    free = 0
    for year in sorted(record.years, key=lambda one: one.start):
        at = min(width - 1, int(year.start / record.seconds * width))
        label = f"|{year.year}"
        if at >= free and at + len(label) <= width:
            line[at : at + len(label)] = label
            free = at + len(label) + 1
    return "".join(line).rstrip()
