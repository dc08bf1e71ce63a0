"""Draw docs/images/simulate.svg: what `planalign simulate` prints for a finished run.

Usage, from the repository:

    make demo
    .venv/bin/python docs/images/make.py demo/run

Any finished run will do. The table is printed by planalign's own code, from the
run's results and the seconds of each year in its `events.jsonl`.
"""

from __future__ import annotations

import io
import json
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

from rich.console import Console
from rich.text import Text

import planalign
from planalign.cli.tables import print_summary

OUTPUT = Path(__file__).with_name("simulate.svg")


def seconds_by_year(events: Path) -> dict[int, float]:
    """Return the seconds of each simulated year, over all blocks."""
    found: dict[int, float] = {}
    for line in events.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["kind"] in {"year_completed", "year_from_cache"}:
            found[event["year"]] = found.get(event["year"], 0.0) + event["seconds"]
    return found


def table_of(run_folder: Path) -> list[str]:
    """Return the lines of the summary table, without blanks at their ends."""
    with planalign.open_run(run_folder) as run:
        rows = run.summary()
    printed = io.StringIO()
    with redirect_stdout(printed):
        print_summary(rows, seconds_by_year(run_folder / "events.jsonl"))
    return [line.rstrip() for line in printed.getvalue().splitlines() if line.strip()]


def draw(run_folder: Path, output: Path) -> None:
    """Write the picture."""
    lines = ["$ planalign simulate", *table_of(run_folder)]
    console = Console(record=True, width=max(map(len, lines)) + 2, file=io.StringIO())
    for number, line in enumerate(lines):
        console.print(Text(line, style="bold" if number <= 1 else ""), soft_wrap=True)
    picture = console.export_svg(title="planalign", unique_id="planalign")
    # rich asks for a font from the net; the picture must not need it.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    output.write_text(picture.replace("Fira Code", "DejaVu Sans Mono"), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    draw(Path(sys.argv[1]), OUTPUT)
