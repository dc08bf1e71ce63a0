"""The critical path of a run: what each piece of work had to wait for.

From the end of the run back: the last span on the path is the one that ended last. In
front of a span comes, of those that ended before it started, the one whose end is
nearest, for that is what freed a thread or what it needed. Where several ended within
`HANDOFF` of that end, one that the span's model reads comes first.

The spans are models, tests, other work, and of a dbt command what it took beside them.
Where nothing ended between two of them, the path is idle: the seconds on it and the
idle ones are those of the run.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from planalign.profile.intervals import union, without
from planalign.record.record import ModelRun, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.record.record import Record

# Seconds. What ends so close together is told of in either order.
HANDOFF = 0.001
# Seconds: the record is rounded, so that work may seem to begin before what it follows.
ROUNDING = 0.000_002


def critical_path(record: Record) -> tuple[Span, ...]:
    """Return the chain of spans, the first one first."""
    spans = sorted(_candidates(record), key=lambda span: (span.end, span.start))
    ends = [span.end for span in spans]
    path: list[Span] = []
    below = len(spans)  # each is on it once, and time only goes back
    while below > 0:
        if not path:
            found = below - 1
        else:
            limit = path[-1].start
            below = min(below, bisect_right(ends, limit + ROUNDING))
            # Of no length, or in front by rounding only.
            while below > 0 and spans[below - 1].start >= limit:
                below -= 1
            if below == 0:
                break
            found = _preferred(path[-1], spans, below - 1, record)
        path.append(spans[found])
        below = found
    return tuple(reversed(path))


def seconds_on(path: Sequence[Span]) -> tuple[float, ...]:
    """Return the seconds of each span on a path, at most until the next one starts."""
    return tuple(
        min(span.end, following.start) - span.start for span, following in pairwise(path)
    ) + tuple(span.seconds for span in path[-1:])


def overheads(record: Record) -> tuple[Span, ...]:
    """Return what dbt commands took beside their nodes, in pieces named after them.

    With `legacy` a model is its whole command.
    """
    nodes = union((*record.models, *record.tests))
    return tuple(
        Span(command.name, start, end, command.thread)
        for command in record.dbt_commands
        for start, end in without((command.start, command.end), nodes)
    )


def _candidates(record: Record) -> tuple[Span, ...]:
    return (*record.models, *record.tests, *record.work, *overheads(record))


def _preferred(after: Span, spans: Sequence[Span], nearest: int, record: Record) -> int:
    """Return which of those that ended last the span waited for."""
    node = record.graph.get(after.name)
    if node is None or not isinstance(after, ModelRun):
        return nearest
    index = nearest
    while index >= 0 and spans[index].end >= spans[nearest].end - HANDOFF:
        one = spans[index]
        is_of_same = one.year in (after.year, None) and one.block in (after.block, None)
        if one.start < after.start and one.name in node.reads and is_of_same:
            return index
        index -= 1
    return nearest
