"""A client's files become censuses: every step in order, asking what the files leave open."""

from __future__ import annotations

import gc
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planalign.census.importing.as_of import as_of_day
from planalign.census.importing.dropping import (
    drop_answered,
    drop_not_yet_hired,
    drop_other_currencies,
    drop_unread,
    drop_without_id,
    without_too_long,
)
from planalign.census.importing.file import REASONS, File
from planalign.census.importing.flags import (
    settle_enrollment,
    settle_flags,
    settle_names,
    settle_ways,
)
from planalign.census.importing.grid import read_grids
from planalign.census.importing.identity import hashed, reconcile_ids, settle_ids
from planalign.census.importing.journal import Journal
from planalign.census.importing.levels import settle_levels
from planalign.census.importing.locate import joined, locate
from planalign.census.importing.mapping import map_columns
from planalign.census.importing.pay import RATES_OF_PAY, settle_pay
from planalign.census.importing.possible import (
    settle_bounds,
    settle_hours,
    settle_order_of_dates,
)
from planalign.census.importing.questions import Answers
from planalign.census.importing.readings import Reader
from planalign.census.importing.recipe import Recipe, fitted, recipe_text
from planalign.census.importing.rows import rows_of
from planalign.census.importing.saving import settle_saving
from planalign.census.importing.several import compared, fill_dates, fill_pay
from planalign.census.importing.spells import drop_copies, one_row_each
from planalign.census.importing.standing import settle_standing
from planalign.census.importing.totals import check_file_totals
from planalign.census.importing.work import Work
from planalign.census.source import unusable
from planalign.config import default_levels
from planalign.errors import InputError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Mapping as Known
    from datetime import date
    from decimal import Decimal
    from pathlib import Path

    from planalign.census.importing.locate import Table
    from planalign.census.importing.mapping import Mapping
    from planalign.census.importing.questions import Question
    from planalign.config import JobLevel


@dataclass
class Imported:
    """What one pass over the files gave.

    Args:
        files: by the day they describe, the earliest first.
        answers: what was asked and answered.
        changed: what a recipe says and the files do not fit.
        recipe: what the decisions are written as.
    """

    files: list[File]
    answers: Answers
    changed: list[str]
    recipe: str

    @property
    def questions(self) -> list[Question]:
        """What is still open; while anything is, nothing is written."""
        return [*self.answers.open.values()]

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        per_file = [file.as_dict() for file in self.files]
        return {
            "ok": not self.questions,
            "rows_in": sum(one["rows_in"] for one in per_file),
            "people": sum(one["people"] for one in per_file),
            "dropped": {
                reason: sum(one["dropped"][reason] for one in per_file) for reason in REASONS
            },
            "mapping": {
                header: became for one in per_file for header, became in one["mapping"].items()
            },
            "questions": [question.as_dict() for question in self.questions],
            "assumed": [question.as_dict() for question in self.answers.assumed],
            "totals": per_file[-1]["totals"],
            "recipe_changes": self.changed,
            "files": per_file,
        }

    def journal(self) -> str:
        """Return what was done, as JSON without anybody's name, number or birth date."""
        document = self.as_dict()
        for one, file in zip(document["files"], self.files, strict=True):
            one["rules"] = [entry.as_dict() for entry in file.work.journal.entries]
        document["answers"] = {
            key: value for key, value in self.answers.used.items() if "[" not in key
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Source:
    """A file that was read: the tables of its sheets, likeliest first."""

    path: Path
    tables: Sequence[Table]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let nobody look for cycles meanwhile.

    A file is millions of cells that all stay: to look at them again and again takes a
    quarter of the time, and there is no cycle to be found.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def open_sources(paths: Sequence[Path], sheet: str | None) -> list[Source]:
    """Read files and find their tables.

    Args:
        paths: workbooks, texts or Parquet files.
        sheet: of workbooks, the sheet that holds the census; by default it is found.

    Raises:
        CensusError: a file cannot be read, or has no table of people.
        UsageError: it has no such sheet.
    """
    sources = []
    for path in paths:
        grids = read_grids(path)
        names = [grid.sheet for grid in grids if grid.sheet is not None]
        if sheet is not None and names:
            grids = [grid for grid in grids if grid.sheet == sheet]
            if not grids:
                raise UsageError(
                    f"{path} has no sheet {sheet}", f"Its sheets with rows: {', '.join(names)}."
                )
        tables = [table for grid in grids if (table := locate(grid)) is not None]
        tables = [table for table in tables if table.lines and table.score >= 1]
        if not tables:
            message = "no table of employees found: no row names at least two of their columns"
            raise unusable(str(path), message, "Give the file or sheet that lists them one a row")
        tables.sort(key=lambda table: -table.score)
        sources.append(Source(path, tables))
    return sources


def bands_of(levels: Sequence[JobLevel]) -> list[tuple[Decimal, Decimal]]:
    """Return lowest and highest pay of each job level."""
    return [(level.band_minimum, level.band_maximum) for level in levels]


@_uncollected()
def import_once(
    sources: Sequence[Source],
    given: Known[str, str],
    *,
    as_of: date | None = None,
    takes_certain: bool = False,
    salt: bytes | None = None,
    recipe: Recipe | None = None,
    levels: Sequence[JobLevel] = (),
) -> Imported:
    """Make censuses of files, with the questions that are still open.

    Args:
        sources: the files.
        given: answer by key.
        as_of: the day that a single file describes, where it does not say so.
        takes_certain: whether proposals that are certain are taken without an answer.
        salt: replaces ids by digests.
        recipe: earlier decisions.
        levels: job levels of the study; by default those of the packaged tables.

    Raises:
        InputError: files describe the same day, or answers do not fit their questions.
    """
    recipe = recipe or Recipe()
    answers = Answers({**recipe.answers, **given}, takes_certain)
    changed: list[str] = []
    many = len(sources) > 1
    found = []
    for source in sources:
        answers.file = source.path.name if many else ""
        table = _table_of(source, answers)
        changed += fitted(recipe, table, answers, source.path.name)
        found.append(_read(table, answers, as_of, many=many, salt=salt))
    answers.file = ""
    found.sort(key=lambda file: file.as_of)
    _refuse_same_day(found)
    _join(found, answers, bands_of(levels or default_levels()))
    if salt is not None:
        for file in found:
            for row in file.rows:
                row.employee_id = hashed(row.employee_id, salt)
    for before, after in pairwise(found):
        after.changes = compared(before.rows, after.rows)
    _refuse_answers(answers)
    text = recipe_text([file.work for file in found], answers, recipe)
    return Imported(found, answers, changed, text)


def _table_of(source: Source, answers: Answers) -> Table:
    best, *others = source.tables
    rivals = [table for table in others if table.score > best.score * 0.8]
    if not rivals:
        return best
    names = [str(table.grid.sheet) for table in (best, *rivals)]
    alike = [table for table in rivals if sorted(table.headers) == sorted(best.headers)]
    together = "together" if alike and "together" not in names else None
    answer = answers.choose(
        "sheet",
        f"{len(names)} sheets of {source.path.name} list employees: {', '.join(names)}. Which is "
        "the census" + (", or are those with the same columns one together?" if together else "?"),
        choices=[*names, *([together] if together else [])],
        proposal=names[0] if together is None else _together_or_open(together, names),
    )
    if answer == together:
        return joined([best, *alike])
    return next(t for t in (best, *rivals) if str(t.grid.sheet) == answer)


def _together_or_open(together: str, names: Sequence[str]) -> str | None:
    """Propose sheets as one census, unless their names have years in them."""
    return None if any(re.search(r"\d\d", name) for name in names) else together


def _read(
    table: Table, answers: Answers, as_of: date | None, *, many: bool, salt: bytes | None
) -> File:
    """Read one file: its columns, its cells, who is employed, one row for each person."""
    mapping = map_columns(table, answers)
    _require(table, mapping)
    table = without_too_long(table, answers)
    day = as_of if as_of is not None and not many else as_of_day(table, mapping, answers, many=many)
    work = Work(table, mapping, day, answers, Journal())
    reader = Reader(work)
    rows = rows_of(reader)
    for key, value in reader.learned.items():
        answers.used.setdefault(key, value)
    file = File(work, reader.readings, rows, dict(table.left_out))
    settle_ids(rows, salt, work)
    drop_unread(file, reader)
    drop_without_id(file)
    file.totals = check_file_totals(file.rows, work)
    settle_hours(file)
    settle_bounds(file)
    settle_standing(file.rows, work)
    drop_copies(file)
    drop_answered(file)
    one_row_each(file)
    drop_not_yet_hired(file)
    for role in ("union", "officer"):
        settle_flags(file.rows, role, work)
    return file


def _join(found: list[File], answers: Answers, bands: Sequence[tuple[Decimal, Decimal]]) -> None:
    """Let the files tell each other what each lacks, and finish their people."""
    reconcile_ids(found, answers)
    fill_dates(found, answers)
    for file in found:
        answers.file = file.name if len(found) > 1 else ""
        settle_order_of_dates(file)
        drop_other_currencies(file)
        settle_pay(file.rows, file.work)
    answers.file = ""
    fill_pay(found)
    answers.file = ""
    for file in found:
        settle_saving(file.rows, file.work)
        settle_ways(file.rows, file.work)
        settle_enrollment(file.rows, file.work)
        drop_answered(file)
        _settle_department(file)
    settle_levels(found, bands, answers)
    for role in ("department", "location"):
        settle_names(found, role)


def _settle_department(file: File) -> None:
    """Take the codes of departments where there are no names."""
    mapping = file.work.mapping
    codes = mapping.names("department_code")
    if not mapping.has("department"):
        for row in file.rows:
            row.department = row.department_code
    became = "ignored:other" if mapping.has("department") else "department"
    mapping.reported.update(dict.fromkeys(codes, became))


def _require(table: Table, mapping: Mapping) -> None:
    """Refuse a table without what no census can be made of."""
    problems = []
    file = str(table.grid.file)
    if not any(mapping.has(role) for role in ("hire_date", "valid_from", "rehire_date")):
        problems.append(Problem("no column of hire dates", "Export it with the file", file=file))
    if not any(mapping.has(role) for role in (*RATES_OF_PAY, "pay_of_year")):
        problems.append(Problem("no column of pay", "Export it with the file", file=file))
    if problems:
        listed = ", ".join(header for header in table.headers if header)[:300]
        raise InputError(f"{file} is no census that can be read; its columns: {listed}", problems)


def _refuse_same_day(found: Sequence[File]) -> None:
    for before, after in pairwise(found):
        if before.as_of == after.as_of:
            raise UsageError(
                f"{before.name} and {after.name} both describe {after.as_of}",
                "Import one file for each year, or say which day each describes: "
                f"--answer 'as_of:{after.name}=yyyy-mm-dd'.",
            )


def _refuse_answers(answers: Answers) -> None:
    """Refuse answers that do not fit, all at once."""
    if not answers.refused:
        return
    problems = []
    for key, value in answers.refused.items():
        question = answers.open.get(key)
        allowed = ", ".join(question.choices) if question and question.choices else ""
        remedy = f"Answer one of: {allowed}" if allowed else "Answer in the form of the proposal"
        problems.append(Problem("an answer that does not fit", remedy, column=key, value=value))
    raise InputError("answers cannot be used", problems)
