"""Write results to stdout."""

from __future__ import annotations

import json
import sys
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID


def emit(text: str) -> None:
    """Write a line, or several, of text."""
    sys.stdout.write(f"{text}\n")


def emit_json(content: Any) -> None:
    """Write one JSON document; amounts become numbers, dates and ids text."""
    emit(json.dumps(content, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
