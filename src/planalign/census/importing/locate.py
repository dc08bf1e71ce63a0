"""The table within a grid: which rows are its header, which are people, and what the others are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from planalign.census.importing.dates import spelled
from planalign.census.importing.headers import roles_of_column
from planalign.census.importing.numbers import is_missing, number_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.importing.grid import Cell, Grid

# Rows above a header: titles, dates, filters of a report.
_MOST_ABOVE = 80
_RULE = re.compile(r"[-_=*~. +|]{2,}|[-_=*]")
_TOTAL = re.compile(
    r"(?:\b(?:grand\s*|sub[\s-]*|report\s*|company\s*|overall\s*)?totals?\b"
    r"|\bsumme\b|\bgesamt(?:summe)?\b|\bzwischensumme\b|\btotaux\b|\bsous[\s-]total\b"
    r"|\btotale\b|\btotaal\b|\bsubtotaal\b|\bsum\b|\bsomme\b|\bsuma\b|\binsgesamt\b"
    r"|\b(?:head\s?count|record count|count|average|avg|mittelwert|durchschnitt)\s*[:=]"
    r"|^(?:count|average|mean|headcount|anzahl)$"
    r"|^\d[\d,. ]*\s+(?:employees|participants|people|records|rows|mitarbeiter|salari[eé]s)\b)",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\([^()\d]{1,20}\)|\[[^][\d]{1,20}\]|(?:mm?|dd?|tt|jj|yy|yyyy|jjjj|aaaa)(?:[-/. ]?"
    r"(?:mm|dd|tt|jj|yy|yyyy|jjjj|aaaa))+|text|numeric|date|char\(\d+\)|required|optional|%|\$",
    re.IGNORECASE,
)
_NUMERALS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
# Roles of which a person has some, and a note or a total none.
_PERSONAL = ("birth_date", "hire_date", "rehire_date", "status", "ssn", "valid_from")
_CENSUS = frozenset(
    [
        "employee_id",
        "ssn",
        "birth_date",
        "hire_date",
        "status",
        "annual_rate",
        "hourly_rate",
        "period_rate",
        "pay_of_year",
        "valid_from",
        "grade",
        "department",
        "deferral_percent",
    ]
)


@dataclass(frozen=True)
class Table:
    """The people of a grid.

    Args:
        grid: where it is.
        headers: name by column; "group | header" of two rows of header, "" of none.
        columns: cells of the people, by column.
        lines: number of each person's row in the file.
        left_out: reason by number of every other row.
        totals: cells of rows that sum up the whole, by number of the row.
        titles: texts above the header.
        header_lines: numbers of the header's rows.
        too_long: numbers of rows with more cells than the header has.
        score: how much the header is that of a census.
    """

    grid: Grid
    headers: list[str]
    columns: list[list[Cell]]
    lines: list[int]
    left_out: dict[int, str]
    totals: dict[int, list[Cell]]
    titles: list[str]
    header_lines: list[int]
    too_long: list[int] = field(default_factory=list)
    score: float = 0.0

    @property
    def rows_in(self) -> int:
        """Rows of the grid up to the last that is not blank."""
        return len(self.lines) + len(self.left_out)


def locate(grid: Grid) -> Table | None:
    """Find the table of a grid; nothing where no row could be its header."""
    rows = [list(row) for row in grid.rows]
    filled = [
        [bool(cell.strip()) if isinstance(cell, str) else cell is not None for cell in row]
        for row in rows
    ]
    found = _header(rows, filled)
    if found is None:
        return None
    top, bottom, names = found
    below = range(bottom + 1, len(rows))
    width = len(names)
    left_out: dict[int, str] = {}
    titles = []
    for number in range(bottom + 1):
        line = grid.lines[number]
        if line == 0:
            # The names of a Parquet file's columns are no row of it.
            continue
        if top <= number <= bottom:
            left_out[line] = "header"
        elif not any(filled[number]):
            left_out[line] = "blank"
        else:
            left_out[line] = "title"
            titles += [str(cell).strip() for cell in rows[number] if not _is_blank(cell)]
    kinds = _kinds(rows, filled, below, names, [rows[n] for n in range(top, bottom + 1)])
    people = [number for number in below if kinds[number] == "person"]
    totals = {}
    for number in below:
        if kinds[number] != "person":
            left_out[grid.lines[number]] = kinds[number]
        if kinds[number] == "total":
            totals[grid.lines[number]] = _padded(rows[number], width)
    too_long = [grid.lines[n] for n in people if any(filled[n][width:])]
    whole = [_padded(rows[number], width) for number in people]
    columns: list[list[Cell]] = [list(column) for column in zip(*whole, strict=True)]
    if not whole:
        columns = [[] for _ in names]
    return Table(
        grid,
        names,
        columns,
        [grid.lines[number] for number in people],
        left_out,
        totals,
        titles,
        [grid.lines[number] for number in range(top, bottom + 1)],
        too_long,
        _score(names) + min(len(people), 50) / 1000,
    )


def joined(tables: Sequence[Table]) -> Table:
    """Return tables of sheets with the same columns as one.

    The rows of each further sheet are numbered on from the last of the one before it.
    """
    first, *others = tables
    columns = [list(column) for column in first.columns]
    lines, left_out, totals = list(first.lines), dict(first.left_out), dict(first.totals)
    too_long = list(first.too_long)
    begins = {}
    for table in others:
        offset = max([*lines, *left_out])
        begins[str(table.grid.sheet)] = offset + 1
        order = [table.headers.index(header) for header in first.headers]
        for column, position in zip(columns, order, strict=True):
            column.extend(table.columns[position])
        lines += [line + offset for line in table.lines]
        left_out |= {line + offset: reason for line, reason in table.left_out.items()}
        totals |= {
            line + offset: [cells[position] for position in order]
            for line, cells in table.totals.items()
        }
        too_long += [line + offset for line in table.too_long]
    grid = replace(first.grid, notes={**first.grid.notes, "further_sheets_begin_at": begins})
    return replace(
        first,
        grid=grid,
        columns=columns,
        lines=lines,
        left_out=left_out,
        totals=totals,
        too_long=too_long,
    )


def _padded(row: list[Cell], width: int) -> list[Cell]:
    return row[:width] + [""] * (width - len(row))


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _score(names: Sequence[str]) -> float:
    """Return how many roles of a census a header names, each as surely as it does."""
    best: dict[str, float] = {}
    for name in names:
        for role, score, _ in roles_of_column(name)[:1]:
            if score >= 0.6:
                value = score if role in _CENSUS else score / 4
                best[role] = max(best.get(role, 0.0), value)
    return sum(best.values())


def _header(rows: list[list[Cell]], filled: list[list[bool]]) -> tuple[int, int, list[str]] | None:
    """Return first and last row of the header, and the names."""
    candidates = [number for number, row in enumerate(filled) if sum(row) >= 2][:_MOST_ABOVE]
    best: tuple[float, int, int, list[str]] | None = None
    for number in candidates:
        if not _could_name(rows[number]):
            continue
        for top in (number, number - 1):
            if top < 0 or (top < number and not _could_group(rows, filled, top)):
                continue
            names = _names(rows[top] if top < number else [], rows[number])
            # A second row must add to what the first one alone tells.
            score = _score(names) - 0.3 * (top < number) - 0.001 * number
            if top < number and _adds_nothing(rows[top], rows[number]):
                continue
            if best is None or score > best[0]:
                best = (score, top, number, names)
    if best is None:
        return None
    _, top, bottom, names = best
    if top == bottom and top > 0 and _could_group(rows, filled, top - 1):
        # Groups that no synonym needs are still a part of the header.
        top, names = top - 1, _names(rows[top - 1], rows[bottom])
    return top, bottom, names


def _could_name(row: list[Cell]) -> bool:
    """Return whether a row may be a header: texts, and no day or amount."""
    texts = [str(cell).strip() for cell in row if not _is_blank(cell)]
    named = [
        text
        for text, cell in zip(texts, [c for c in row if not _is_blank(c)], strict=True)
        if isinstance(cell, str) and re.search(r"[^\W\d_]|[%$#]", text) and spelled(text) is None
    ]
    return len(named) * 10 >= len(texts) * 8 and len(named) >= 2


def _could_group(rows: list[list[Cell]], filled: list[list[bool]], number: int) -> bool:
    """Return whether a row may be the upper one of two: at least two texts, none a number."""
    cells = [cell for cell in rows[number] if not _is_blank(cell)]
    if sum(filled[number]) < 2:
        return False
    if any(not isinstance(cell, str) for cell in cells):
        return False
    return all(
        spelled(str(cell)) is None
        and number_in(str(cell)) is None
        and len(str(cell)) < 60
        and not re.search(r":\s", str(cell))
        for cell in cells
    )


def _adds_nothing(upper: list[Cell], lower: list[Cell]) -> bool:
    return {str(cell).strip() for cell in upper} <= {str(cell).strip() for cell in lower} | {""}


def _names(upper: list[Cell], lower: list[Cell]) -> list[str]:
    """Return the names of columns; a group holds up to the next one."""
    width = max(
        (n + 1 for row in (upper, lower) for n, cell in enumerate(row) if not _is_blank(cell)),
        default=0,
    )
    names, group = [], ""
    for position in range(width):
        above = _text(upper, position)
        below = _text(lower, position)
        if above:
            # A cell that reaches over both rows names its own column alone.
            group = above if below else ""
        if below and group:
            names.append(f"{group} | {below}")
        else:
            names.append(below or above)
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if name and seen[name] > 1:
            names[position] = f"{name} ({seen[name]})"
    return names


def _text(row: list[Cell], position: int) -> str:
    return (
        " ".join(str(row[position]).split())
        if position < len(row) and row[position] is not None
        else ""
    )


def _kinds(
    rows: list[list[Cell]],
    filled: list[list[bool]],
    below: range,
    names: list[str],
    header: list[list[Cell]],
) -> dict[int, str]:
    """Return what each row below the header is."""
    roles: dict[str, int] = {}
    for position, name in enumerate(names):
        for role, score, _ in roles_of_column(name)[:1]:
            if score >= 0.6:
                roles.setdefault(role, position)
    personal = [roles[role] for role in _PERSONAL if role in roles]
    identity = roles.get("employee_id", roles.get("ssn"))
    written = [{str(cell).strip().casefold() for cell in row} - {""} for row in header]
    counts = sorted(sum(filled[number]) for number in below if any(filled[number]))
    usual = counts[len(counts) // 2] if counts else 0
    look = _Look(identity, personal, _shapes([rows[n] for n in below[:2000]], identity), usual)
    kinds: dict[int, str] = {}
    for number in below:
        row, is_filled = rows[number], filled[number]
        count = sum(is_filled)
        if not count:
            kinds[number] = "blank"
        elif _has_id(row, is_filled, look) and count > 1:
            kinds[number] = "person"
        elif _is_repeated(row, written) or _is_rule(row) or _is_of_units(row):
            kinds[number] = "repeated_header"
        elif _is_person(row, is_filled, look):
            kinds[number] = "person"
        elif _says_total(row):
            kinds[number] = "total"
        else:
            kinds[number] = "footer"
    _settle_notes(kinds, below, rows)
    return kinds


def _settle_notes(kinds: dict[int, str], below: range, rows: list[list[Cell]]) -> None:
    """Tell what is not a person between people: sums without a word, and headings."""
    people = [number for number in below if kinds[number] == "person"]
    for number in below:
        if kinds[number] != "footer" or not people:
            continue
        cells = [cell for cell in rows[number] if not _is_blank(cell)]
        numbers = [c for c in cells if not isinstance(c, str) or number_in(c) is not None]
        if len(numbers) == len(cells) and len(cells) > 1:
            kinds[number] = "total"


def _is_repeated(row: list[Cell], written: list[set[str]]) -> bool:
    texts = {str(cell).strip().casefold() for cell in row} - {""}
    return any(
        len(texts & known) * 10 >= len(texts) * 6 and len(texts & known) > 1 for known in written
    )


def _is_rule(row: list[Cell]) -> bool:
    texts = [str(cell).strip() for cell in row if not _is_blank(cell)]
    return (
        len(texts) > 0
        and all(_RULE.fullmatch(text) for text in texts)
        and (len(texts) > 2 or any(len(text) > 2 for text in texts))
    )


def _is_of_units(row: list[Cell]) -> bool:
    """Return whether a row says how its columns are written: (mm/dd/yyyy), (USD), (%)."""
    texts = [str(cell).strip() for cell in row if not _is_blank(cell)]
    return len(texts) > 1 and sum(bool(_UNIT.fullmatch(t)) for t in texts) * 5 >= len(texts) * 4


@dataclass(frozen=True)
class _Look:
    """How the people of a table look.

    Args:
        identity: the column of ids.
        personal: columns of which a person has some, and a note or a total none.
        shapes: how ids are made.
        usual: cells of half of the rows.
    """

    identity: int | None
    personal: list[int]
    shapes: set[str]
    usual: int


def _is_fact(cell: Cell) -> bool:
    """Return whether a cell says something of a person; the word of a total does not."""
    if not isinstance(cell, str) or cell[:1].isdigit():
        return cell is not None
    return not is_missing(cell) and not _says_total([cell])


def _facts(row: list[Cell], look: _Look) -> int:
    return sum(p < len(row) and _is_fact(row[p]) for p in look.personal)


def _has_id(row: list[Cell], is_filled: list[bool], look: _Look) -> bool:
    """Return whether a row has an id as most have; the count of a total is none."""
    p = look.identity
    if p is None or p >= len(row) or not is_filled[p] or _shape(row[p]) not in look.shapes:
        return False
    has_facts = any(p < len(row) and _is_fact(row[p]) for p in look.personal)
    return has_facts or not _says_total(row)


def _is_person(row: list[Cell], is_filled: list[bool], look: _Look) -> bool:
    count, facts = sum(is_filled), _facts(row, look)
    if _has_id(row, is_filled, look):
        # A number alone on its line is a page's.
        return count > 1 or look.usual <= 1
    if _says_total(row):
        return facts >= 2
    return facts >= 2 or (facts == 1 and count * 2 >= look.usual)


def _says_total(row: list[Cell]) -> bool:
    return any(isinstance(cell, str) and _TOTAL.search(cell) for cell in row)


def _shape(cell: Cell) -> str:
    """Return how an id is made: letters, digits and signs, each once."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    if text.isdecimal():
        return "9"
    return _LETTERS.sub("a", _NUMERALS.sub("9", text))


def _shapes(rows: list[list[Cell]], identity: int | None) -> set[str]:
    """Return the shapes of ids that at least one in fifty has, and that have a digit."""
    if identity is None:
        return set()
    counts: dict[str, int] = {}
    for row in rows:
        if identity < len(row) and not _is_blank(row[identity]):
            shape = _shape(row[identity])
            counts[shape] = counts.get(shape, 0) + 1
    total = sum(counts.values())
    return {shape for shape, n in counts.items() if n * 50 >= total and "9" in shape}
