"""Who is employed, by the codes and dates of a file."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from planalign.census.importing.dropping import few
from planalign.census.importing.headers import plain
from planalign.census.importing.journal import at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

_WORDS = {
    "active": "a active act aa actv activ working employed current enrolled rehired rehire r hired "
    "regular full time|full time|ft|f|part time|part time|pt|full|part|permanent|perm|temporary|"
    "temp|seasonal|contract|probation|probationary|yes|y|true|1|aktiv|beschaftigt|angestellt|"
    "actif|en activite|present|activo|alta|attivo|in forza|actief|in dienst|tatig|vollzeit|"
    "teilzeit|active full time|active part time|active ft|active pt|active employee|active regular",
    "leave": "l|loa|leave|on leave|leave of absence|paid leave|unpaid leave|paid leave of absence|"
    "unpaid leave of absence|fmla|std|ltd|short term disability|long term disability|disability|"
    "disabled|on disability|maternity|maternity leave|parental leave|paternity leave|military|"
    "military leave|sabbatical|medical leave|sick|sick leave|workers comp|furlough|furloughed|"
    "leave with pay|leave without pay|unpaid|lwop|lop|inactive leave|active on leave|"
    "active leave|elternzeit|mutterschutz|krank|beurlaubt|ruhend|conge|conge parental|en conge|"
    "conge maternite|suspension contrat|excedencia|baja medica|permiso|maternita|congedo|"
    "aspettativa|met verlof|verlof|ziek|personal leave|education leave",
    "inactive": "t|term|termed|terminated|termination|i|inactive|inact|in active|left|separated|"
    "separation|resigned|quit|retired|ret|retiree|retirement|deceased|dead|death|dec|dismissed|"
    "discharged|laid off|layoff|lay off|former|ex employee|no|n|false|0|ausgetreten|"
    "ausgeschieden|inaktiv|rentner|pensioniert|verstorben|gekundigt|sorti|parti|inactif|"
    "retraite|decede|depart|baja|inactivo|jubilado|fallecido|cesado|cessato|dimesso|pensionato|"
    "deceduto|uit dienst|inactief|gepensioneerd|overleden|terminated vested|term vested|"
    "involuntary termination|voluntary termination|retired early|x",
}  # fmt: skip
# Letters that systems use in more than one sense: the dates of leaving decide, or it is asked.
_AMBIGUOUS = frozenset("rdspxnfwvcbeuih10")
KINDS = ("active", "leave", "inactive", "leave_out")


def _known() -> dict[str, str]:
    table: dict[str, str] = {}
    for kind, text in _WORDS.items():
        first, *phrases = text.split("|")
        for phrase in (*first.split(), *phrases):
            table.setdefault(plain(phrase) or phrase, kind)
    return table


_TABLE = _known()


def settle_standing(rows: Sequence[Row], work: Work) -> None:
    """Say of each row whether it is of somebody employed, on leave, gone, or left out."""
    codes = _kinds(rows, work)
    columns = work.mapping.names("status", "termination_date")
    contradicted: list[Row] = []
    later: list[Row] = []
    for row in rows:
        gone = _has_left(row, work.as_of)
        kind = codes.get(row.status) if row.status is not None else None
        row.standing = kind or ("inactive" if gone else "active")
        end = row.termination_date
        if row.standing == "inactive" and end is not None and end > work.as_of:
            # The code is of the day of the export, the date says that it was later.
            row.standing = "active"
            later.append(row)
        if row.standing in {"active", "leave"} and gone:
            contradicted.append(row)
    if contradicted:
        answer = work.answers.choose(
            "active_with_termination_date",
            "People have an active status and a date of termination that has passed. Have they "
            "left on the date, or are they still employed?",
            where=few(contradicted),
            columns=columns,
            choices=["left", "employed"],
            proposal="left",
        )
        for row in contradicted:
            if answer == "left":
                row.standing = "inactive"
            else:
                row.termination_date = None
        work.journal.add(
            "active_with_termination_date",
            ", ".join(columns),
            len(contradicted),
            f"an active status with a past date of termination: {answer}",
            at(contradicted),
        )
    words = "employed on the day: they left after it"
    work.journal.add("left_later", ", ".join(columns), len(later), words, at(later))
    undated = sum(row.standing == "inactive" and row.termination_date is None for row in rows)
    work.journal.add(
        "left_without_date",
        ", ".join(columns),
        undated,
        "gone by their status, without a date of leaving",
    )


def _has_left(row: Row, as_of: date) -> bool:
    end = row.termination_date
    if end is None or end > as_of:
        return False
    # Who was hired again after the date is back.
    return row.rehire_date is None or row.rehire_date <= end


def _of_parts(code: str) -> str | None:
    """Return what "T - Terminated" or "Active (Leave)" means: parts that agree, or a leave."""
    parts = [part for part in re.split(r"\s*[-:/|(),;\u2013]\s*", code) if part]
    kinds = {_TABLE.get(plain(part)) for part in parts}
    if len(parts) < 2 or None in kinds:
        return None
    if len(kinds) == 1:
        return kinds.pop()
    return "leave" if kinds == {"active", "leave"} else None


def _kinds(rows: Sequence[Row], work: Work) -> dict[str, str]:
    """Return what each code of the status means."""
    if not work.mapping.has("status"):
        return {}
    counts: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for row in rows:
        if row.status is not None:
            counts[row.status] += 1
            left[row.status] += _has_left(row, work.as_of)
    has_dates = work.mapping.has("termination_date")
    header = work.mapping.names("status")
    found = {}
    for code, count in sorted(counts.items()):
        share = left[code] / count
        known = _TABLE.get(plain(code)) or _of_parts(code)
        by_dates = "inactive" if share >= 0.8 else "active" if share <= 0.2 else None
        if known and plain(code) in _AMBIGUOUS:
            letter_tells = has_dates and by_dates is not None and count >= 3 and any(left.values())
            known = by_dates if letter_tells and by_dates == known else None
            if plain(code) in {"1", "0"} and len(counts) <= 2:
                known = "active" if plain(code) == "1" else "inactive"
        if known:
            found[code] = known
            continue
        beside = f", {left[code]} of them left by their dates" if has_dates else ""
        found[code] = work.answers.choose(
            f"status:{code}",
            f'What does the status "{code}" mean?',
            where=f"{count:,} times{beside}",
            columns=header,
            choices=list(KINDS),
            proposal=by_dates if has_dates else None,
        )
    for kind in KINDS:
        named = [code for code in counts if found[code] == kind]
        work.journal.add(
            f"status_{kind}",
            ", ".join(header),
            sum(counts[code] for code in named),
            f"read as {kind}: {', '.join(sorted(named))}",
        )
    return found
