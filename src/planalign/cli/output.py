"""Write results to stdout."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from planalign.text import visible

_LINE_END = "\n"


def emit(text: str) -> None:
    """Write a line, or several, of text; names and values in it are harmless to a terminal."""
    sys.stdout.write(f"{visible(text, keep=_LINE_END)}\n")


def emit_item(text: str) -> None:
    """Write an item of a list, indented; a terminal has it broken between words."""
    if sys.stdout.isatty():
        width = max(40, shutil.get_terminal_size().columns)
        text = textwrap.fill(
            text,
            width,
            initial_indent="  ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        emit(text)
    else:
        emit(f"  {text}")


def emit_json(content: Any) -> None:
    """Write one JSON document; amounts become numbers, dates and ids text."""
    emit(json.dumps(content, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
