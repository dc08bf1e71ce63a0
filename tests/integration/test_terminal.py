"""What a user sees on a terminal: progress that moves, and a table that keeps its figures."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from planalign.census import generate_census

if TYPE_CHECKING:
    from pathlib import Path


def on_a_terminal(folder: Path, columns: int, *arguments: str) -> tuple[int, str]:
    """Run planalign with standard output and error on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "planalign", *arguments],
        cwd=folder,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(), re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def test_progress_and_table_on_a_narrow_terminal(tmp_path):
    generate_census(20_000, 3, tmp_path / "census.parquet")
    (tmp_path / "planalign.yaml").write_text("census: census.parquet\n")
    options = ("--no-cache", "--seeds", "3", "--output")

    code, shown = on_a_terminal(tmp_path, 60, "simulate", "2025-2026", *options, "run")

    assert code == 0, shown
    assert "0/2 years" in shown
    assert "2/2 years" in shown
    assert "ETA" in shown
    assert re.search(r"2026 (fct|int)_\w+", shown)  # a model at work
    table = shown[shown.index("Opening") :]
    assert "…" not in table
    assert re.search(r"1,\d{3},\d{3},\d{3}", table)  # the payroll, to the dollar

    code, again = on_a_terminal(tmp_path, 60, "simulate", "2025-2026", *options, "run")
    assert code == 2
    assert "is there already" in again
