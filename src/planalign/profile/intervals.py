"""Stretches of time: their union, what it leaves out, and how many lie over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.record.record import Span

Stretch = tuple[float, float]  # start, end


@dataclass(frozen=True)
class Busy:
    """Stretches that do not touch each other, in order."""

    stretches: tuple[Stretch, ...]

    @property
    def seconds(self) -> float:
        """Return how long they are together."""
        return sum(end - start for start, end in self.stretches)

    def gaps(self, until: float) -> tuple[Stretch, ...]:
        """Return what they leave out from 0 on."""
        found, last = [], 0.0
        for start, end in (*self.stretches, (until, until)):
            if start > last:
                found.append((last, start))
            last = max(last, end)
        return tuple(found)


def union(spans: Iterable[Span]) -> Busy:
    """Return the time in which any of the spans was under way."""
    merged: list[Stretch] = []
    for start, end in sorted((span.start, span.end) for span in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif end > start:
            merged.append((start, end))
    return Busy(tuple(merged))


def without(whole: Stretch, parts: Busy) -> tuple[Stretch, ...]:
    """Return what the parts leave of a stretch."""
    found, last = [], whole[0]
    for start, end in parts.stretches:
        if end <= whole[0] or start >= whole[1]:
            continue
        if start > last:
            found.append((last, start))
        last = max(last, end)
    if last < whole[1]:
        found.append((last, whole[1]))
    return tuple(found)
