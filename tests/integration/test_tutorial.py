"""The commands of the tutorial do what it says, and print it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutorial import PAGE, followed

if TYPE_CHECKING:
    from pathlib import Path


def test_the_tutorial_prints_what_its_commands_print(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert followed(page, tmp_path) == page
