"""The reference of events is written from their list, and a faulty list is refused."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from planalign.marts.packaged import PACKAGED

TOOL = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "event_reference.py"))


def test_the_reference_is_written_from_the_list() -> None:
    text = TOOL["PAGE"].read_text(encoding="utf-8")
    assert text == TOOL["page"](text, TOOL["declared_events"]()), (
        "run python tools/event_reference.py"
    )


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ('"raise", 4,', '"raise", 3,', "two events have the number '3'"),
        ('"raise", 4,', '"hire", 4,', "two events have the name 'hire'"),
        ('where="is_event"', 'wehre="is_event"', "no keyword argument 'wehre'"),
    ],
)
def test_a_faulty_list_is_refused(tmp_path: Path, written: str, instead: str, fault: str) -> None:
    macros = shutil.copytree(PACKAGED / "macros", tmp_path / "macros")
    text = (macros / "events.sql").read_text(encoding="utf-8")
    assert written in text
    (macros / "events.sql").write_text(text.replace(written, instead), encoding="utf-8")
    with pytest.raises((ValueError, TypeError), match=fault):
        TOOL["declared_events"](macros)


def test_an_event_of_ones_own_comes_before_the_contribution(tmp_path: Path) -> None:
    macros = shutil.copytree(PACKAGED / "macros", tmp_path / "macros")
    own = macros / "own_events.sql"
    decided = [event["name"] for event in TOOL["declared_events"](macros)]
    decided = decided[: decided.index("contribution")]
    declared = 'event("own_day", 1001, "int_employment", "last_day", "has one", payload=[])'
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace("return([])", f"return([{declared}])"), encoding="utf-8")
    events = TOOL["declared_events"](macros)
    names = [event["name"] for event in events]
    assert names[: len(decided) + 2] == [*decided, "own_day", "contribution"]
    page = TOOL["tables"](events)
    assert "| `own_day` | 1001 | has one | `int_employment` |" in page
