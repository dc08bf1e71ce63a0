"""Ctrl-C and the signals that mean the same, and the forms in which they arrive."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from planalign.errors import ExitCode

if TYPE_CHECKING:
    from types import FrameType

# The alarm is our own: it repeats a signal that came at an inconvenient time.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_AGAIN_SECONDS = 0.02


class StoppedError(KeyboardInterrupt):
    """What a signal raises: Ctrl-C, and yet not that very class.

    Where the class itself comes out of `exec`, of which a dataclass has one, Python ends
    with a SIGINT of its own in place of the exit code, however well it was caught.
    """


def heed_signals() -> None:
    """Take SIGTERM and SIGHUP as Ctrl-C, and of all of them only the first.

    What it interrupts is then cleaned up, which a second one must not interrupt: a
    terminal that is closed sends several. Whoever cannot wait presses Ctrl-C twice more,
    which ends the process at once and leaves the cleaning to the next one. What
    the caller has the process ignore (`nohup`, a background job) stays ignored.
    """
    pressed_while_cleaning = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal pressed_while_cleaning
        if _is_answered():
            pressed_while_cleaning += number == signal.SIGINT
            if pressed_while_cleaning > 1:
                os._exit(ExitCode.INTERRUPTED)
        elif _is_import(frame):
            # The code of a module in C++ may swallow the error, or end the process by it.
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        else:
            raise StoppedError

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    sys.unraisablehook = _repeat


def _repeat(lost: sys.UnraisableHookArgs) -> None:
    """Send a signal anew that came in a finalizer, out of which no error is raised."""
    if isinstance(lost.exc_value, StoppedError):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    else:
        sys.__unraisablehook__(lost)


def _is_answered() -> bool:
    """Say whether what the main thread is doing is to clean up after an interruption."""
    error = sys.exception()
    while error is not None:
        if is_interruption(error):
            return True
        error = error.__context__
    return False


def _is_import(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def ignore_signals() -> None:
    """Let nothing interrupt the end: what was to be done is done, and its code is known."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def is_interruption(error: BaseException) -> bool:
    """Say whether an error is the user's Ctrl-C.

    In a statement DuckDB 1.5 raises its InterruptException; 2.0 a RuntimeError,
    "Query interrupted", which names the KeyboardInterrupt as its cause or not.
    """
    # Who has not imported it, which takes long, has no error of it.
    duckdb = sys.modules.get("duckdb")
    return (
        isinstance(error, KeyboardInterrupt)
        or (duckdb is not None and isinstance(error, duckdb.InterruptException))
        or isinstance(error.__cause__, KeyboardInterrupt)
        or (isinstance(error, RuntimeError) and str(error) == "Query interrupted")
    )
