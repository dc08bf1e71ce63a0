"""Every file of the corpus has the outcome written down: read, or refused with these problems.

The corpus holds files that once broke the program, or could: `outcomes.json` has an
empty list for one that is read. What a fuzz run finds is added there.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planalign.census import check_census
from planalign.config import load
from planalign.engine.project import Project
from planalign.engine.reference_tables import check_reference_tables
from planalign.errors import InputError, Problem
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.engine.pipeline import Pipeline

CORPUS = Path(__file__).parents[1] / "corpus"
OUTCOMES = json.loads((CORPUS / "outcomes.json").read_text(encoding="utf-8"))
MOST_BYTES = 200_000


def outcome(kind: str, file: Path, scratch: Path, compiled: Pipeline) -> list[str]:
    """Return the problems of a file as text, its own name left out."""
    problems: Sequence[Problem] = ()
    if kind == "census":
        problems = check_census(file, columns={}, census_date=date(2024, 12, 31)).problems
    else:
        try:
            if kind == "configuration":
                load(file)
            else:
                file = scratch / "models" / "seeds" / f"{file.name.partition('.')[0]}.csv"
                check_reference_tables(Project.at(scratch / "models"), compiled)
        except InputError as error:
            problems = error.problems
    for problem in problems:
        assert problem.remedy
    return [
        # What DuckDB says of a file is its own, and changes with its version.
        re.sub("(readable Parquet file): .*", r"\1", str(problem))
        .replace(str(file), "")
        .replace(str(scratch), "")
        for problem in problems
    ]


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_outcome_is_the_one_written_down(tmp_path: Path, compiled: Pipeline, name: str) -> None:
    kind, _, file_name = name.partition("/")
    if kind == "reference_tables":
        shutil.copytree(PACKAGED, tmp_path / "models")
        table = file_name.partition(".")[0]
        shutil.copy(CORPUS / name, tmp_path / "models" / "seeds" / f"{table}.csv")
    found = outcome(kind, CORPUS / name, tmp_path, compiled)
    assert found == OUTCOMES[name]


def test_every_file_has_an_outcome_and_all_are_small() -> None:
    files = {p.relative_to(CORPUS).as_posix(): p for p in CORPUS.glob("*/*")}
    assert set(files) == set(OUTCOMES)
    assert sum(path.stat().st_size for path in files.values()) < MOST_BYTES
