"""stdout and stderr that commands can rely on, whatever they were started with."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Any

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


class _Stream(io.FileIO):
    """A descriptor that takes nothing more after it has failed once."""

    def __init__(self, descriptor: int, fail: Callable[[OSError], None]) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._fail = fail
        self._has_failed = False

    def write(self, content: Any) -> int:
        """Write bytes; what is left in buffers is dropped once that has failed."""
        size = memoryview(content).nbytes
        if self._has_failed:
            return size
        try:
            return super().write(content)
        except OSError as error:
            self._has_failed = True
            self._fail(error)
            return size


def prepare() -> None:
    """Open the standard streams anew, so that they take any text and failures are ours.

    What the encoding of a stream lacks is written as its escape. A failure of stdout
    becomes an `UnwrittenError`; what stderr does not take is dropped, because talk is no
    reason to fail. A descriptor that is closed is taken, so that no file gets its number.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        _occupy(descriptor, mode)
    sys.stdout = _opened(1, sys.stdout, _refuse)
    sys.stderr = _opened(2, sys.stderr, _drop)


def _occupy(descriptor: int, mode: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        # Of those that are closed, this is the lowest, which is what open returns. stdout
        # is only to be read: a write fails as it does on a closed one.
        os.open(os.devnull, mode)
        os.set_inheritable(descriptor, True)


def _opened(descriptor: int, before: Any, fail: Callable[[OSError], None]) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Stream(descriptor, fail)),
        encoding=before.encoding if before is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == 2 or os.isatty(descriptor),
    )


def _refuse(error: OSError) -> None:
    raise UnwrittenError(error) from error


def _drop(_: OSError) -> None:
    """Leave it at that."""
