"""stdout and stderr that commands can rely on, whatever they were started with."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from planalign.errors import EnvironmentFaultError

if TYPE_CHECKING:
    from collections.abc import Callable


class UnwrittenError(EnvironmentFaultError):
    """stdout takes nothing: it is closed, full, or nobody reads it any more."""

    def __init__(self, reason: OSError) -> None:
        is_closed = reason.errno == errno.EBADF
        super().__init__(
            f"stdout cannot be written ({'it is closed' if is_closed else reason.strerror}), so "
            "that results are missing there",
            "Give it a file or a reader that takes all of it.",
        )


class _Stream(io.TextIOWrapper):
    """A standard stream, of which a failure is told once; what is left then goes nowhere.

    The failure is caught here and not in a raw stream of our own, from which Ctrl-C would
    come between the bytes and the word that they are written.
    """

    def __init__(self, descriptor: int, encoding: str, fail: Callable[[OSError], None]) -> None:
        super().__init__(
            io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False)),
            encoding=encoding,
            errors="backslashreplace",
            line_buffering=descriptor == 2 or os.isatty(descriptor),
        )
        self._descriptor = descriptor
        self._fail = fail

    def write(self, text: str) -> int:
        """Write text."""
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._descriptor)
        os.close(nowhere)
        self._fail(error)


def prepare() -> None:
    """Open the standard streams anew, so that they take any text and failures are ours.

    What the encoding of a stream lacks is written as its escape. A failure of stdout
    becomes an `UnwrittenError`; what stderr does not take is dropped, because talk is no
    reason to fail. A descriptor that is closed is taken, so that no file gets its number.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        _occupy(descriptor, mode)
    sys.stdout = _Stream(1, _encoding(sys.stdout), _refuse)
    sys.stderr = _Stream(2, _encoding(sys.stderr), _drop)


def _occupy(descriptor: int, mode: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        # Of those that are closed, this is the lowest, which is what open returns. stdout
        # is only to be read: a write fails as it does on a closed one.
        os.open(os.devnull, mode)
        os.set_inheritable(descriptor, True)


def _encoding(before: TextIO | None) -> str:
    """Return the encoding that Python has chosen; of a closed stream it chooses none."""
    return "utf-8" if before is None else before.encoding


def _refuse(error: OSError) -> None:
    raise UnwrittenError(error) from error


def _drop(_: OSError) -> None:
    """Leave it at that."""
