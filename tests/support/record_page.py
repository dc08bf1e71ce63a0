"""What the page of the record, docs/reference/telemetry.md, says there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "telemetry.md"
ENVELOPE = {"sequence", "time", "clock", "kind"}


def documented() -> dict[str, set[str]]:
    """Return the keys of each kind, those of the heading `kind` under its kind."""
    found = {}
    for part in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        (kind,) = re.findall(r"^`(\w+)`$", part.splitlines()[0])
        cells = re.findall(r"^\| (`[^|]*) \|", part.partition("\n## ")[0], re.MULTILINE)
        found[kind] = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    return found


def undocumented(run: Path) -> set[tuple[str, str]]:
    """Return each kind and key that a run wrote and the page does not have."""
    pages = documented()
    missing = set()
    for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        missing |= {(event["kind"], key) for key in event.keys() - ENVELOPE} - {
            (event["kind"], key) for key in pages.get(event["kind"], ())
        }
    return missing
