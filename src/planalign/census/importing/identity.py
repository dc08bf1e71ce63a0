"""Ids that tell people apart, within a file and from year to year."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from planalign.census.importing.journal import at
from planalign.census.importing.numbers import is_missing
from planalign.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from planalign.census.importing.file import File
    from planalign.census.importing.questions import Answers
    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

_PARTS = re.compile(
    r"compan|entity|plant|location|site|code|group|division|payroll|werk|mandant|soci",
    re.IGNORECASE,
)


def settle_ids(rows: Sequence[Row], salt: bytes | None, work: Work) -> None:
    """Give every row an id: the file's with its zeros, or else one of another column.

    Args:
        rows: one for each row of the table, in its order.
        salt: makes digests of social security numbers, which are not stored.
        work: the file.
    """
    if work.mapping.has("employee_id") and not _are_private(rows, work):
        _restore_zeros(rows, work)
        _add_part(rows, work)
        return
    header = work.mapping.names("ssn")
    if header and salt is not None:
        cells = work.table.columns[work.mapping.positions["ssn"][0]]
        for row, cell in zip(rows, cells, strict=True):
            digits = re.sub(r"\W", "", str(cell))
            row.employee_id = "" if is_missing(cell) else digits.zfill(9)
        work.mapping.reported[header[0]] = "employee_id"
        work.journal.add(
            "id_of_ssn",
            header[0],
            len(rows),
            "ids are salted digests of a number that is not stored",
        )
        return
    without = (
        f'Only "{header[0]}" tells people apart, which is not stored. With --hash-ids FILE they '
        "get a salted digest of it as their id, the same every year; "
        if header
        else "No column tells people apart. "
    )
    work.answers.choose(
        "employee_id",
        f"{without}otherwise each gets the number of the row, which is another next year. "
        "Number them?",
        columns=header,
        choices=["row_number"],
    )
    for row in rows:
        row.employee_id = f"R{row.line:06d}"


def _are_private(rows: Sequence[Row], work: Work) -> bool:
    """Ask whether ids of nine digits that begin in many ways are social security numbers."""
    ids = [row.employee_id for row in rows if row.employee_id]
    if not ids or not all(len(text) == 9 and text.isdigit() for text in ids):
        return False
    if len({text[:3] for text in ids}) * 5 <= len(set(ids)):
        return False
    header = work.mapping.names("employee_id")[0]
    answer = work.answers.choose(
        "ids_are_ssns",
        f'"{header}" has nine digits that begin in many ways. Are they social security numbers, '
        "which are not stored, or ids of the company?",
        columns=[header],
        choices=["ssn", "id"],
    )
    if answer == "id":
        return False
    work.mapping.positions["ssn"] = work.mapping.positions.pop("employee_id")
    work.mapping.reported[header] = "ignored:pii"
    for row in rows:
        row.employee_id = ""
    return True


def _restore_zeros(rows: Sequence[Row], work: Work) -> None:
    header = work.mapping.names("employee_id")[0]
    for row in rows:
        # Marks of footnotes, and decimals of a spreadsheet, are no part of an id.
        row.employee_id = re.sub(r"\s*[*\u2020\u2021]+$", "", row.employee_id)
        if re.fullmatch(r"\d+\.0+", row.employee_id):
            row.employee_id = row.employee_id.partition(".")[0]
    digits = [row.employee_id for row in rows if row.employee_id.isdigit()]
    if not digits or len(digits) * 10 < len(rows) * 9:
        return
    widest = max(map(len, digits))
    if not any(text.startswith("0") and len(text) == widest for text in digits):
        return
    short = [row for row in rows if row.employee_id.isdigit() and len(row.employee_id) < widest]
    taken = set(digits)
    if any(row.employee_id.zfill(widest) in taken for row in short):
        return
    for row in short:
        row.employee_id = row.employee_id.zfill(widest)
    work.journal.add(
        "leading_zeros",
        header,
        len(short),
        f"zeros in front restored, to {widest} digits",
        at(short),
    )


def _add_part(rows: Sequence[Row], work: Work) -> None:
    """Put a second column in front where an id alone stands for several people."""
    if not _several(rows, [""] * len(rows)):
        return
    header = work.mapping.names("employee_id")[0]
    number = {line: n for n, line in enumerate(work.table.lines)}
    for position, name in enumerate(work.table.headers):
        if name == header or not _PARTS.search(name):
            continue
        column = work.table.columns[position]
        parts = ["" if is_missing(c := column[number[row.line]]) else _plain(c) for row in rows]
        kinds = Counter(parts)
        if not 2 <= len(kinds) <= 200 or "" in kinds or _several(rows, parts):
            continue
        answer = work.answers.choose(
            "employee_id_parts",
            f'An id of "{header}" stands for several people, by their birth dates; together with '
            f'"{name}" it does not. Is the id made of both?',
            columns=[header, name],
            choices=["both", "one"],
            proposal="both",
            certain=True,
        )
        if answer == "both":
            for row, part in zip(rows, parts, strict=True):
                row.employee_id = f"{part}-{row.employee_id}"
            work.mapping.reported[name] = "employee_id"
            work.journal.add(
                "id_of_two_parts", f"{name}, {header}", len(rows), "the id is made of two columns"
            )
        return


def _plain(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def _several(rows: Sequence[Row], parts: Sequence[str]) -> bool:
    """Return whether at least three ids and one in fifty stand for several people."""
    births: dict[tuple[str, str], set[object]] = {}
    for row, part in zip(rows, parts, strict=True):
        if row.birth_date is not None:
            births.setdefault((part, row.employee_id), set()).add(row.birth_date)
    several = sum(len(days) > 1 for days in births.values())
    return several >= 3 and several * 50 > len(births)


def _form(employee_id: str) -> str:
    """Return what is left of an id where zeros, signs and capitals do not count."""
    text = re.sub(r"[\W_]", "", employee_id).upper()
    return re.sub(r"(?<!\d)0+(?=\d)", "", text) or text


def _digits(employee_id: str) -> int:
    return sum(letter.isdigit() for letter in employee_id)


def reconcile_ids(files: Sequence[File], answers: Answers) -> None:
    """Write each id with the most digits it has in any file, else as the latest file does."""
    if len(files) == 1:
        return
    for file in files:
        forms = {_form(row.employee_id) for row in file.rows}
        if len(forms) < len({row.employee_id for row in file.rows}):
            return
    latest: dict[str, str] = {}
    for file in files:
        for row in file.rows:
            form = _form(row.employee_id)
            # Zeros in front are lost and never added.
            if _digits(row.employee_id) >= _digits(latest.get(form, "")):
                latest[form] = row.employee_id
    for file in files:
        changed = [r for r in file.rows if latest[_form(r.employee_id)] != r.employee_id]
        for row in changed:
            row.employee_id = latest[_form(row.employee_id)]
        file.work.journal.add(
            "ids_between_years",
            "employee_id",
            len(changed),
            "zeros and signs written as in another file",
            at(changed),
        )
    for older, newer in pairwise(files):
        _match_changed(older, newer.rows, answers)


def _match_changed(file: File, newer: Sequence[Row], answers: Answers) -> None:
    """Offer to match people by their dates, where a new system has given everybody a new id."""
    older = file.rows
    known = {row.employee_id for row in newer}
    stay = {row.employee_id for row in older if row.is_active}
    if not stay or len(stay & known) * 4 > len(stay):
        return
    before, after = _by_dates(older), _by_dates(newer)
    pairs = {before[key]: after[key] for key in before.keys() & after.keys()}
    if len(pairs) * 2 < len(stay):
        return
    answer = answers.choose(
        "ids_changed",
        f"Of {len(stay)} ids of one year {len(stay & known)} are in the next, while {len(pairs)} "
        "people have the same birth and hire date in both. Are they the same people under new ids?",
        columns=file.work.mapping.names("employee_id"),
        choices=["match", "keep"],
        proposal="match",
    )
    if answer == "match":
        for row in older:
            row.employee_id = pairs.get(row.employee_id, row.employee_id)
        file.work.journal.add(
            "ids_changed", "employee_id", len(pairs), "matched with new ids by birth and hire date"
        )


def _by_dates(rows: Sequence[Row]) -> dict[tuple[object, object], str]:
    """Return the id by birth and hire date, of those whom both tell apart."""
    counts = Counter((row.birth_date, row.hire_date) for row in rows)
    return {
        (row.birth_date, row.hire_date): row.employee_id
        for row in rows
        if row.birth_date and row.hire_date and counts[row.birth_date, row.hire_date] == 1
    }


def salt_of(path: Path) -> bytes:
    """Return the salt of a file; a new one is written where there is none.

    Raises:
        UsageError: it cannot be read or written, or is shorter than 16 characters.
    """
    try:
        if not path.exists():
            with path.open("x", encoding="ascii") as stream:
                path.chmod(0o600)
                stream.write(secrets.token_hex(32) + "\n")
        salt = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(
            f"the salt {path} cannot be read or written: {error.strerror}",
            "Name another file with --hash-ids.",
        ) from error
    if len(salt) < 16:
        raise UsageError(
            f"the salt {path} has fewer than 16 characters",
            "Name a file that is not there yet, to get a new one.",
        )
    return salt


def hashed(employee_id: str, salt: bytes) -> str:
    """Return the digest that stands for an id: 80 bits of HMAC-SHA256 as text."""
    return "E" + hmac.new(salt, employee_id.encode(), hashlib.sha256).hexdigest()[:20]
