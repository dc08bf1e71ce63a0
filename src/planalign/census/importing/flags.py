"""True and false, ways to enrol, and spellings of names, in any habit."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from planalign.census.importing.dropping import few
from planalign.census.importing.headers import folded, plain
from planalign.census.importing.journal import at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.importing.file import File
    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

_TRUE = {
    "y",
    "yes",
    "t",
    "true",
    "1",
    "x",
    "j",
    "ja",
    "o",
    "oui",
    "s",
    "si",
    "v",
    "vrai",
    "wahr",
    "member",
    "union",
    "u",
    "officer",
    "on",
}
_FALSE = {
    "n",
    "no",
    "f",
    "false",
    "0",
    "nein",
    "non",
    "falso",
    "faux",
    "falsch",
    "nonunion",
    "nu",
    "off",
    "nonmember",
    "none",
}
_WAYS = {
    "automatic": "a ae auto automatic autoenrolled autoenroll autoenrollment default defaulted "
    "automaticenrollment automaticallyenrolled deemed aut automatically passive",
    "voluntary": "v voluntary vol elected active affirmative self selfenrolled election manual "
    "affirmativeelection activeelection enrolled voluntaryenrollment employeeelected participant",
    "opted_out": "o optout optedout declined waived decline waive refused opt out out declinedauto",
    "not_enrolled": "n no none notenrolled noelection never eligiblenotenrolled notparticipating "
    "nonparticipant pending noteligible ineligible notyet eligible",
}  # fmt: skip
WAYS = tuple(_WAYS)


def settle_flags(rows: Sequence[Row], role: str, work: Work) -> None:
    """Turn the texts of a column into true and false; blank is false beside true alone."""
    if not work.mapping.has(role):
        return
    header = work.mapping.names(role)[0]
    counts = Counter(getattr(row, role) for row in rows)
    words = {text: _word(text) for text in counts if text is not None}
    meaning: dict[str | None, bool | None] = {}
    known = {
        text: True if word in _TRUE else False if word in _FALSE else None
        for text, word in words.items()
    }
    if "s" in words.values() and "n" not in words.values():
        known = {text: None if words[text] == "s" else value for text, value in known.items()}
    others = [text for text, value in known.items() if value is None]
    meaning |= known
    if others and (role != "union" or len(others) > 1 or any(value for value in known.values())):
        for text in others:
            answer = work.answers.choose(
                f"{role}:{text}",
                f'Does "{text}" in "{header}" mean yes or no?',
                where=f"{counts[text]:,} times",
                columns=[header],
                choices=["yes", "no"],
                proposal="yes" if role == "union" else None,
            )
            meaning[text] = answer == "yes"
    elif others:
        # The name of one union beside blanks, or beside a word for none.
        meaning[others[0]] = True
    only_true = all(meaning[text] for text in words)
    meaning[None] = False if only_true and words else None
    for row in rows:
        setattr(row, role, meaning[getattr(row, role)])
    trues = sum(getattr(row, role) is True for row in rows)
    work.journal.add(
        "flag",
        header,
        trues,
        "true: " + ", ".join(sorted(str(text) for text, value in meaning.items() if value)),
    )
    if only_true and counts[None] and words:
        work.journal.add("flag_blank", header, counts[None], "blank beside true alone: false")


def _word(text: object) -> str:
    """Return a value as it is compared, which is no header: "No" is no number."""
    return re.sub(r"[\W_]", "", folded(str(text))) or str(text).strip().casefold()


def settle_ways(rows: Sequence[Row], work: Work) -> None:
    """Turn how people came into the plan into the four words of a census.

    Of a column that says of everybody only whether automatically, those who were not are
    `voluntary` where they save and `not_enrolled` where they do not.
    """
    if not work.mapping.has("enrollment_status"):
        return
    header = work.mapping.names("enrollment_status")
    found = {_word(row.enrollment_status) for row in rows if row.enrollment_status}
    if "auto" in plain(header[0]) and found and found <= _TRUE | _FALSE:
        _settle_automatic(rows, header, work)
        return
    table = {word: way for way, words in _WAYS.items() for word in words.split()}
    meaning: dict[str, str] = {}
    counts = Counter(row.enrollment_status for row in rows if row.enrollment_status)
    for text, count in sorted(counts.items()):
        meaning[text] = table.get(_word(text)) or work.answers.choose(
            f"enrollment_status:{text}",
            f'What does "{text}" in "{header[0]}" mean?',
            where=f"{count:,} times",
            columns=header,
            choices=list(WAYS),
        )
    for row in rows:
        row.enrollment_status = meaning.get(row.enrollment_status or "")
    work.journal.add(
        "enrollment_status", header[0], sum(counts.values()), "how people came into the plan"
    )


def _settle_automatic(rows: Sequence[Row], header: list[str], work: Work) -> None:
    stopped = []
    for row in rows:
        is_automatic = _word(row.enrollment_status or "n") in _TRUE
        row.enrollment_status = (
            "automatic" if is_automatic else "voluntary" if row.deferral_rate else "not_enrolled"
        )
        if is_automatic and row.deferral_rate == 0 and row.is_active:
            stopped.append(row)
    if stopped:
        answer = work.answers.choose(
            "automatic_without_saving",
            f'{len(stopped)} employed people were enrolled automatically by "{header[0]}" and save '
            "nothing. Have they opted out, or are they still to be enrolled?",
            columns=header,
            choices=["opted_out", "automatic"],
            proposal="opted_out",
        )
        for row in stopped:
            row.enrollment_status = answer
    words = "only whether automatically: of the others, who saves is voluntary"
    work.journal.add("enrollment_status", header[0], len(rows), words)


def settle_enrollment(rows: Sequence[Row], work: Work) -> None:
    """Ask which counts where the day or the way of an enrolment contradicts another column."""
    early = [
        row for row in rows if row.enrolled_on and row.hire_date and row.enrolled_on < row.hire_date
    ]
    if early:
        header = work.mapping.names("enrolled_on")
        answer = work.answers.choose(
            "enrolled_before_hire",
            "People were enrolled before their hire date. Is the day left blank, or the hire date?",
            where=few(early),
            columns=header,
            choices=["blank", "hire_date"],
            proposal="blank",
        )
        for row in early:
            row.enrolled_on = row.hire_date if answer == "hire_date" else None
        words = f"enrolled before the hire date: {answer}"
        work.journal.add("enrolled_before_hire", ", ".join(header), len(early), words, at(early))
    later = [row for row in rows if row.enrolled_on and row.enrolled_on > work.as_of]
    for row in later:
        row.enrolled_on = None
    names = ", ".join(work.mapping.names("enrolled_on"))
    work.journal.add("enrolled_later", names, len(later), "enrolled after the day", at(later))
    saving = [
        row
        for row in rows
        if row.is_active
        and row.deferral_rate
        and row.enrollment_status in {"opted_out", "not_enrolled"}
    ]
    if not saving:
        return
    header = work.mapping.names("enrollment_status")
    answer = work.answers.choose(
        "enrolled_or_saving",
        f'People are not in the plan by "{header[0]}" and have a deferral rate. Does the rate '
        "count, and they are voluntary, or the status, and they save nothing?",
        where=few(saving),
        columns=header,
        choices=["rate", "status"],
        proposal="rate",
    )
    for row in saving:
        if answer == "rate":
            row.enrollment_status = "voluntary"
        else:
            row.deferral_rate, row.roth_share = Decimal(0), None
    words = f"not in the plan, with a deferral rate: the {answer} counts"
    work.journal.add("enrolled_or_saving", ", ".join(header), len(saving), words, at(saving))


def settle_names(files: Sequence[File], role: str) -> None:
    """Write each name as most rows of all files do: blanks and capitals make no other."""
    spellings: dict[str, Counter[str]] = {}
    for file in files:
        for row in file.rows:
            if text := getattr(row, role):
                spellings.setdefault(text.casefold(), Counter())[text] += 1
    chosen = {
        key: min(counts, key=lambda text: (-counts[text], text.isupper(), text.islower(), text))
        for key, counts in spellings.items()
    }
    for file in files:
        changed = []
        for row in file.rows:
            text = getattr(row, role)
            if text and chosen[text.casefold()] != text:
                changed.append({"row": row.line, "from": text, "to": chosen[text.casefold()]})
                setattr(row, role, chosen[text.casefold()])
        file.work.journal.add("spelling", role, len(changed), "spelled as most rows do", changed)
