"""Talk to the user on stderr; stdout is for results, and nothing else writes to stderr."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from planalign.text import visible

if TYPE_CHECKING:
    from rich.console import Console

    from planalign.errors import PlanalignError


_LINE_END = "\n"


def say(text: str) -> None:
    """Write a line of talk, or several; names and values in it are harmless to a terminal."""
    sys.stderr.write(f"{visible(text, keep=_LINE_END)}\n")


def warn(text: str) -> None:
    """Write one warning."""
    say(f"Warning: {text}")


def report(error: PlanalignError, *, debug: bool) -> None:
    """Write an error as text, below its traceback if `debug`."""
    if debug:
        say("".join(traceback.format_exception(error)).rstrip())
    say(f"Error: {error}")


def progress() -> Console:
    """Return a rich console on stderr, for progress bars and the like."""
    from rich.console import Console  # noqa: PLC0415 - slow, and help must be fast

    return Console(stderr=True)
