"""Follow the events of a run while it writes them, each line read once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planalign.files import open_regular
from planalign.record.events import LONGEST_LINE, read_event
from planalign.record.reading import FILE_NAME

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

# Of a file that was not read yet, at most so much at a time.
_PIECE = 8_000_000


@dataclass(frozen=True)
class News:
    """The events that came since the last look; all from the first on where `is_anew`.

    A record is anew where there was none, or where another file took its place.
    """

    events: tuple[dict[str, Any], ...] = ()
    is_anew: bool = False


class Tail:
    """Reads `events.jsonl` of a run on, from where the last look ended.

    The file is `OUTPUT.partial/events.jsonl` until the run is published by rename, which
    does not disturb it: the same file goes on under `OUTPUT`. Only whole lines are taken;
    what a resumed run cuts off its end was never read. Lines that are no events, as of a
    damaged disk, are counted in `damaged`.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.damaged = 0
        self._file: BufferedReader | None = None
        self._at = 0
        self._is_spoilt = False  # it has a line longer than any event: the rest is not read

    @property
    def candidates(self) -> tuple[Path, Path]:
        """Return where the record may be: published, and before."""
        return (
            self.output / FILE_NAME,
            self.output.with_name(f"{self.output.name}.partial") / FILE_NAME,
        )

    def read(self) -> News:
        """Return the events that were written since the last look.

        None while there is no file; what was read until then stays what is known.
        """
        is_anew = self._turn_to_current()
        if self._file is None:
            return News()
        if self._is_spoilt:
            return News()
        self._file.seek(self._at)
        events: list[dict[str, Any]] = []
        rest = b""
        while piece := self._piece(self._file):
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            for line in lines:
                self._at += len(line) + 1
                self._take(line, events)
            if len(rest) > LONGEST_LINE:  # no process of ours is in the middle of it
                self.damaged += 1
                self._is_spoilt = True
                break
        return News(tuple(events), is_anew)

    def _piece(self, file: BufferedReader) -> bytes:
        try:
            return file.read(_PIECE)
        except OSError:  # of a disk that is damaged
            self.damaged += 1
            self._is_spoilt = True
            return b""

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _turn_to_current(self) -> bool:
        """Open the run's file if it is not the one that is open; say whether it is another."""
        for path in self.candidates:
            try:
                found = path.stat()
            except OSError:
                continue
            if self._file is not None and self._at <= found.st_size:
                mine = os.fstat(self._file.fileno())
                if (mine.st_dev, mine.st_ino) == (found.st_dev, found.st_ino):
                    return False
            try:
                file = open_regular(path)
            except OSError:
                continue  # published or removed at this very moment
            self.close()
            self._file, self._at, self.damaged, self._is_spoilt = file, 0, 0, False
            return True
        return False

    def _take(self, line: bytes, events: list[dict[str, Any]]) -> None:
        try:
            events.append(read_event(line))
        except ValueError:
            self.damaged += 1
