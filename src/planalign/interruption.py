"""Ctrl-C and the signals that mean the same, and the forms in which they arrive."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from planalign.errors import ExitCode

if TYPE_CHECKING:
    from types import FrameType

_PRESSED_IN_EARNEST = 3


def heed_signals() -> None:
    """Take SIGTERM and SIGHUP as Ctrl-C, and of all of them only the first.

    What it interrupts is then cleaned up, which a second one must not interrupt: a
    terminal that is closed sends several. Whoever cannot wait presses Ctrl-C a third
    time, which ends the process at once and leaves the cleaning to the next one. What
    the caller has the process ignore (`nohup`, a background job) stays ignored.
    """
    count = {"all": 0, "pressed": 0}

    def stop(number: int, _: FrameType | None) -> None:
        count["all"] += 1
        count["pressed"] += number == signal.SIGINT
        if count["pressed"] >= _PRESSED_IN_EARNEST:
            os._exit(ExitCode.INTERRUPTED)
        if count["all"] == 1:
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


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
