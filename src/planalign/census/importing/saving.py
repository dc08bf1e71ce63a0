"""What people save, out of rates of several sources or of the dollars of a year."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import TYPE_CHECKING

from planalign.census.importing.headers import plain
from planalign.census.importing.pay import PERIODS, annualised, frequency_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

# Nobody's year of savings is less: half of all savers are above three percent.
_LEAST_USUAL = Decimal("0.008")
_PLACES = Decimal("0.000001")


def settle_saving(rows: Sequence[Row], work: Work) -> None:
    """Give each row its deferral rate, and the share of it that is Roth."""
    if work.mapping.has("deferral_percent") or work.mapping.has("roth_percent"):
        _of_rates(rows, work)
    elif work.mapping.has("deferral_dollars") or work.mapping.has("roth_dollars"):
        _of_dollars(rows, work)
    over = [row for row in rows if row.deferral_rate is not None and row.deferral_rate > 1]
    if over:
        headers = work.mapping.names("deferral_percent", "roth_percent", "deferral_dollars")
        answer = work.answers.choose(
            "deferral_above_pay",
            f"{len(over)} people would save more than their pay. Is their rate not known, or are "
            "they left out?",
            columns=headers,
            choices=["blank", "leave_out"],
        )
        for row in over:
            row.deferral_rate = row.roth_share = None
            if answer == "leave_out":
                row.standing = "leave_out"
        work.journal.add(
            "deferral_above_pay", ", ".join(headers), len(over), f"more than all pay: {answer}"
        )


def _of_rates(rows: Sequence[Row], work: Work) -> None:
    blank = 0
    for row in rows:
        row.deferral_rate, row.roth_share = _joined(row.deferral_percent, row.roth_percent)
        blank += row.deferral_rate is None and row.is_active
    names = ", ".join(work.mapping.names("deferral_percent", "roth_percent"))
    both = sum(bool(row.deferral_percent) and bool(row.roth_percent) for row in rows)
    work.journal.add("deferral_of_sources", names, both, "rates of two sources are added")
    work.journal.add("deferral_blank", names, blank, "no rate of somebody employed: saves nothing")


def _of_dollars(rows: Sequence[Row], work: Work) -> None:
    """Divide the dollars of the year by the pay of the year, or by what the rate would give."""
    names = ", ".join(work.mapping.names("deferral_dollars", "roth_dollars"))
    _settle_period(rows, work)
    divided = 0
    for row in rows:
        dollars, row.roth_share = _joined(row.deferral_dollars, row.roth_dollars)
        paid = row.pay_of_year or _paid_by_rate(row, work.as_of)
        if dollars is not None and paid:
            row.deferral_rate = (dollars / paid).quantize(_PLACES, ROUND_HALF_UP)
            divided += dollars > 0
    work.journal.add("deferral_of_dollars", names, divided, "the dollars of the year over its pay")


def _settle_period(rows: Sequence[Row], work: Work) -> None:
    """Ask of what period dollars are that are too few for a year, and make them of the year."""
    headers = work.mapping.names("deferral_dollars", "roth_dollars")
    rates = [
        total / paid
        for row in rows
        if (total := (row.deferral_dollars or Decimal(0)) + (row.roth_dollars or Decimal(0))) > 0
        and (paid := row.pay_of_year or _paid_by_rate(row, work.as_of))
    ]
    words = " ".join(plain(header) for header in headers)
    is_said = re.search(r"\bper (pay|period|check|paycheck)\b|\beach\b", words) is not None
    if not rates or (median(rates) >= _LEAST_USUAL and not is_said):
        return
    periods = [name for name in PERIODS if name not in {"annual", "thirteen", "fourteen"}]
    known = ["by_frequency"] if work.mapping.has("pay_frequency") else []
    answer = work.answers.choose(
        "deferral_period",
        f"Half of those who save would save {median(rates):.2%} of their pay or less, were "
        f'"{headers[0]}" of the whole year. Is it, or is it of each pay period?',
        columns=[*headers, *work.mapping.names("pay_frequency")],
        choices=["year", *known, *periods],
        proposal=known[0] if known else None,
    )
    if answer == "year":
        return
    for row in rows:
        name = (frequency_of(row.pay_frequency) or "annual") if known else answer
        times = PERIODS.get(name if answer == "by_frequency" else answer, Decimal(1))
        for role in ("deferral_dollars", "roth_dollars"):
            if (value := getattr(row, role)) is not None:
                setattr(row, role, value * times * _share_of_year(row, work.as_of))
    work.journal.add("deferral_period", ", ".join(headers), len(rates), f"dollars are {answer}")


def _share_of_year(row: Row, as_of: date) -> Decimal:
    """Return what share of a year's pay somebody got, by days or as paid."""
    if not row.annual_compensation:
        return Decimal(1)
    paid = row.pay_of_year or _paid_by_rate(row, as_of) or row.annual_compensation
    return paid / row.annual_compensation


def _paid_by_rate(row: Row, as_of: date) -> Decimal | None:
    if row.annual_compensation is None:
        return None
    kept, row.pay_of_year = row.pay_of_year, row.annual_compensation
    whole = annualised(row, as_of)
    row.pay_of_year = kept
    return row.annual_compensation**2 / whole if whole else None


def _joined(first: Decimal | None, roth: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """Return the sum of two sources and the share of the second."""
    if first is None and roth is None:
        return None, None
    total = (first or Decimal(0)) + (roth or Decimal(0))
    if roth is None or total <= 0:
        return total, None
    return total, (roth / total).quantize(_PLACES, ROUND_HALF_UP)
