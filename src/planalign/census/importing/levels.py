"""Job levels out of the grades of a company, or out of its pay."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.importing.file import File
    from planalign.census.importing.questions import Answers
    from planalign.census.importing.rows import Row


def settle_levels(
    files: Sequence[File],
    bands: Sequence[tuple[Decimal, Decimal]],
    answers: Answers,
) -> None:
    """Give each row the job level of its grade, or of its pay where it has none.

    Args:
        files: each with its people.
        bands: lowest and highest pay of each level, the first one's first.
        answers: who confirms the levels of grades.
    """
    headers = sorted({name for file in files for name in file.work.mapping.names("grade")})
    pays: dict[str, list[Decimal]] = defaultdict(list)
    for file in files:
        usual = _usual_hours(file.rows)
        for row in file.rows:
            if row.grade and row.annual_compensation:
                pays[row.grade].append(row.annual_compensation / _share_of_week(row, usual))
    if not pays:
        _by_bands(files, bands, headers, answers)
        return
    middle = {grade: median(found) for grade, found in pays.items()}
    counts = {grade: len(found) for grade, found in pays.items()}
    levels = _levels_of(middle, counts, len(bands))
    if not _are_levels(middle, len(bands)):
        text = ", ".join(f"{grade}:{levels[grade]}" for grade in _in_order(middle))
        answer = answers.choose(
            "grade_levels",
            f"{len(levels)} grades become {len(bands)} job levels, by their median pay. Does this "
            "fit? Other levels are answered in the same form.",
            columns=headers,
            proposal=text,
            certain=True,
            accepts=lambda given: _parsed(given, set(levels), len(bands)) is not None,
        )
        levels = _parsed(answer, set(levels), len(bands)) or levels
    words = ", ".join(f"{grade}: {levels[grade]}" for grade in _in_order(middle))
    for file in files:
        by_pay = 0
        for row in file.rows:
            row.job_level = levels.get(row.grade or "")
            if row.job_level is None and row.annual_compensation is not None:
                nearest = min(middle, key=lambda g: (abs(middle[g] - row.annual_compensation), g))  # type: ignore[operator]
                row.job_level = levels[nearest]
                by_pay += 1
        file.work.journal.add(
            "grade_levels",
            ", ".join(headers),
            len(file.rows) - by_pay,
            f"job level by grade: {words}",
        )
        file.work.journal.add(
            "grade_missing",
            ", ".join(headers),
            by_pay,
            "no grade: the level of the grade whose median pay is nearest",
        )


def _usual_hours(rows: Sequence[Row]) -> Decimal | None:
    """Return the hours of most people's week."""
    counts = Counter(row.weekly_hours for row in rows if row.weekly_hours)
    return max(counts, key=lambda hours: (counts[hours], hours), default=None)


def _share_of_week(row: Row, usual: Decimal | None) -> Decimal:
    """Return which share of a full week somebody works, so that grades compare in pay."""
    if row.fte and row.fte <= 1:
        return row.fte
    if row.weekly_hours and usual and row.weekly_hours < usual:
        return row.weekly_hours / usual
    return Decimal(1)


def _by_bands(
    files: Sequence[File],
    bands: Sequence[tuple[Decimal, Decimal]],
    headers: Sequence[str],
    answers: Answers,
) -> None:
    borders = [(upper[0] + lower[1]) / 2 for lower, upper in pairwise(bands)]
    text = ", ".join(f"{border:,.0f}" for border in borders)
    answers.choose(
        "grade_levels",
        f"There are no grades. Job levels are taken from pay: a new level from {text} on.",
        columns=headers,
        choices=["by_pay"],
        proposal="by_pay",
        certain=True,
    )
    for file in files:
        for row in file.rows:
            if row.annual_compensation is not None:
                pay = row.annual_compensation
                row.job_level = 1 + sum(pay >= border for border in borders)
        file.work.journal.add(
            "levels_by_pay",
            "annual_compensation",
            len(file.rows),
            f"no grades: a new job level from {text} on",
        )


def _are_levels(middle: dict[str, Decimal], most: int) -> bool:
    """Return whether grades are job levels already: whole numbers that rise with pay."""
    if not all(re.fullmatch(r"\d{1,2}", grade) and 1 <= int(grade) <= most for grade in middle):
        return False
    ordered = sorted(middle, key=int)
    return len(ordered) > 1 and all(middle[low] <= middle[high] for low, high in pairwise(ordered))


def _natural(grade: str) -> tuple[object, ...]:
    parts = re.findall(r"\d+|\D+", grade.casefold())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _in_order(middle: dict[str, Decimal]) -> list[str]:
    """Return grades by median pay; by name where their own numbers rise with it, too."""
    named = sorted(middle, key=_natural)
    pays = [middle[grade] for grade in named]
    rises = sum(low <= high for low, high in pairwise(pays))
    if len(named) > 2 and rises >= len(named) - 2:
        return named
    return sorted(middle, key=lambda grade: (middle[grade], _natural(grade)))


def _levels_of(middle: dict[str, Decimal], counts: dict[str, int], most: int) -> dict[str, int]:
    """Cut grades in order of pay into levels where their pay differs most.

    The cuts are those with the least sum of squared deviations of the median pay, in
    ratios, from that of its level: the natural breaks of one dimension, found exactly.
    """
    if _are_levels(middle, most):
        return {grade: int(grade) for grade in middle}
    ordered = _in_order(middle)
    size = len(ordered)
    groups = min(most, size)
    del counts
    # Pay rises by ratios: the length of a number's power of ten and its share of the next.
    heights = [_height(middle[grade]) for grade in ordered]

    def spread(first: int, last: int) -> float:
        part = heights[first:last]
        mean = sum(part) / len(part)
        return sum((height - mean) ** 2 for height in part)

    best = {(0, 0): (0.0, [0])}
    for used in range(1, groups + 1):
        for last in range(used, size + 1):
            options = [
                (best[used - 1, first][0] + spread(first, last), [*best[used - 1, first][1], last])
                for first in range(used - 1, last)
                if (used - 1, first) in best
            ]
            if options:
                best[used, last] = min(options)
    cuts = best[groups, size][1]
    found: dict[str, int] = {}
    for level, (first, last) in enumerate(pairwise(cuts), start=1):
        found |= dict.fromkeys(ordered[first:last], level)
    return found


def _height(pay: Decimal) -> float:
    return float(pay.ln()) if pay > 0 else 0.0


def _parsed(text: str, grades: set[str], most: int) -> dict[str, int] | None:
    """Return level by grade of `E1:1, E2:1`, where each grade has one."""
    found: dict[str, int] = {}
    for part in text.split(","):
        grade, _, level = part.strip().rpartition(":")
        if not level.strip().isdigit() or not 1 <= int(level) <= most:
            return None
        found[grade.strip()] = int(level)
    return found if grades <= set(found) else None
