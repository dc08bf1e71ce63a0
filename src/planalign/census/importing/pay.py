"""The annual rate of pay, out of rates of any period or of the pay of the year."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import TYPE_CHECKING

from planalign.census.importing.headers import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Mapping as Known

    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

WEEKS = Decimal(52)
STANDARD_HOURS = Decimal(40)
# Periods of a year.
PERIODS = {
    "annual": Decimal(1),
    "monthly": Decimal(12),
    "thirteen": Decimal(13),
    "fourteen": Decimal(14),
    "semimonthly": Decimal(24),
    "biweekly": Decimal(26),
    "weekly": WEEKS,
}
BASES = (*PERIODS, "hourly")
_FREQUENCIES = {
    "weekly": "w wk week weekly 52 7 wochentlich hebdomadaire semanal settimanale every week",
    "biweekly": "b bw biweekly bi2 26 14 fortnightly zweiwochentlich quinzaine bisemanal",
    "semimonthly": "s sm semimonthly 24 quincenal halbmonatlich twicemonthly twiceamonth",
    "monthly": "m mo mon month monthly 12 30 monatlich mensuel mensual mensile maandelijks",
    "thirteen": "13 thirteen",
    "fourteen": "fourteen",
    "annual": "a an y annual annually yearly year 1 jahrlich annuel anual annuale jaarlijks",
}
_HOURLY = {"h", "hr", "hour", "hourly", "hrly", "stundlich", "stunde", "horaire", "hora",
           "nonexempt", "nex", "ne", "stundenlohn", "wage"}  # fmt: skip
_SALARIED = {"s", "sal", "salary", "salaried", "exempt", "e", "gehalt", "fixe", "exempted"}
_SALARIES = r"gehalter|\bmois\b|mensualit|pagas|mensilita|salaries|salaires|maandsalarissen"
RATES_OF_PAY = ("annual_rate", "period_rate", "hourly_rate")
# What somebody is paid in a year, so that a rate can be told from its size.
_LEAST_YEAR, _MOST_HOUR = Decimal(9_000), Decimal(400)
CENT = Decimal("0.01")


def frequency_of(text: str | None) -> str | None:
    """Return the period that a word or code of a file means: a key of `BASES`."""
    if text is None:
        return None
    word = plain(text).replace(" ", "").replace("number", "")
    if word in _HOURLY:
        return "hourly"
    for name, words in _FREQUENCIES.items():
        if word in words.split():
            return name
    return None


def settle_pay(rows: Sequence[Row], work: Work) -> None:
    """Give each row the annual rate that the file says, where it says one."""
    _drop_zeros(rows)
    _read_salaries_a_year(rows, work)
    hours = _standard_hours(rows, work)
    taken: dict[int, Decimal] = {}
    for role in RATES_OF_PAY:
        if work.mapping.has(role):
            _of_role(rows, role, hours, work, taken)
    for row in rows:
        row.annual_compensation = taken.get(row.line)
    _full_time(rows, work)
    if not any(work.mapping.has(role) for role in RATES_OF_PAY):
        _of_the_year(rows, work)
    for row in rows:
        if row.annual_compensation is not None:
            row.annual_compensation = row.annual_compensation.quantize(CENT, ROUND_HALF_UP)


def _read_salaries_a_year(rows: Sequence[Row], work: Work) -> None:
    """Read 12, 13 and 14 as salaries a year, where the column is called so.

    Elsewhere 14 are the days of two weeks.
    """
    names = {plain(header) for header in work.mapping.names("pay_frequency")}
    if not any(re.search(_SALARIES, name) for name in names):
        return
    for row in rows:
        if row.pay_frequency == "14":
            row.pay_frequency = "fourteen"


def _drop_zeros(rows: Iterable[Row]) -> None:
    """Take a rate of nothing as one that is not there."""
    for row in rows:
        for role in RATES_OF_PAY:
            value = getattr(row, role)
            if value is not None and value <= 0:
                setattr(row, role, None)


def _standard_hours(rows: Sequence[Row], work: Work) -> Callable[[Row], Decimal]:
    """Return the weekly hours of a row; those of a full week where the file has none."""
    needs = [row for row in rows if row.hourly_rate is not None and not row.weekly_hours]
    standard = STANDARD_HOURS
    if needs and work.mapping.has("hourly_rate"):
        many = (
            "no weekly hours in the file"
            if not work.mapping.has("weekly_hours")
            else "some have none"
        )
        answer = work.answers.choose(
            "standard_hours",
            f"{len(needs)} rows have an hourly rate and no weekly hours ({many}). How many hours "
            "has their week?",
            columns=work.mapping.names("hourly_rate", "weekly_hours", "fte"),
            choices=[],
            proposal="40",
            accepts=lambda text: (
                bool(re.fullmatch(r"\d{1,2}(\.\d+)?", text)) and 0 < float(text) <= 80
            ),
        )
        standard = Decimal(answer)

    def hours(row: Row) -> Decimal:
        if row.weekly_hours:
            return row.weekly_hours
        return standard * (row.fte if row.fte and row.fte <= 1 else Decimal(1))

    return hours


def _kind(row: Row) -> str:
    """Return the group in which rates are alike: kind of pay and period."""
    return f"{row.pay_type or ''}|{row.pay_frequency or ''}"


def _of_role(
    rows: Sequence[Row],
    role: str,
    hours: Callable[[Row], Decimal],
    work: Work,
    taken: dict[int, Decimal],
) -> None:
    header = work.mapping.names(role)[0]
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if getattr(row, role) is not None and _may_take(row, role, taken):
            groups[_kind(row)].append(row)
    for found in groups.values():
        basis, why = _basis(found, role, hours, work)
        for row in found:
            rate = getattr(row, role)
            factor = hours(row) * WEEKS if basis == "hourly" else PERIODS[basis]
            taken[row.line] = rate * factor
        work.journal.add(
            "annual_rate",
            header,
            len(found),
            f"read as {basis}{_of_group(found[0])}: {why}",
        )


def _of_group(row: Row) -> str:
    parts = [part for part in (row.pay_type, row.pay_frequency) if part]
    return f" where {' and '.join(parts)} stands beside it" if parts else ""


def _may_take(row: Row, role: str, taken: Known[int, Decimal]) -> bool:
    if row.line not in taken:
        return True
    # An hourly rate is what the hourly are paid by; the annual one is made of it.
    return role == "hourly_rate" and frequency_of(row.pay_type) == "hourly"


def _basis(
    found: Sequence[Row], role: str, hours: Callable[[Row], Decimal], work: Work
) -> tuple[str, str]:
    """Return the period that rates are of, and why."""
    rates = [getattr(row, role) for row in found]
    middle = median(rates)
    header = work.mapping.names(role)[0]
    named = _named_basis(role, header, found[0])
    fits = {basis for basis in BASES if _is_possible(middle, basis)}
    paid = _by_pay_of_year(found, role, work.as_of, hours)
    if named in fits and (paid is None or paid == named):
        return named, "as it is called" + (", and the pay of the year agrees" if paid else "")
    if paid is not None and paid in fits:
        return paid, "as the pay of the year shows"
    if named in fits:
        return named, "as it is called"
    sized = {basis for basis in ("annual", "hourly") if basis in fits}
    if len(sized) == 1 and (middle < 150 or middle > 20_000):
        return next(iter(sized)), "as its size shows"
    group = _of_group(found[0])
    answer = work.answers.choose(
        f"pay_basis:{header}" + (f":{_kind(found[0])}" if group else ""),
        f'Of what period is "{header}"{group}? {len(found)} rows, half of them below '
        f"{middle:,.2f}.",
        columns=[header, *work.mapping.names("pay_type", "pay_frequency")],
        choices=list(BASES),
        proposal=named if named in fits else None,
    )
    return answer, "as answered"


def _named_basis(role: str, header: str, row: Row) -> str | None:
    if role == "hourly_rate" or frequency_of(row.pay_type) == "hourly":
        return "hourly"
    if (salaries := frequency_of(row.pay_frequency)) in {"thirteen", "fourteen"}:
        # A monthly salary that is paid so often.
        return salaries
    words = plain(header)
    for name, pattern in (
        ("biweekly", r"\bbi ?weekly\b|\bfortnight"),
        ("semimonthly", r"\bsemi ?monthly\b"),
        ("weekly", r"\bweekly\b(?! hours)|\bweek\b"),
        ("monthly", r"\bmonth|\bmonat|\bmensuel|\bmensual|\bmensile|\bmaand|\bmanad"),
        ("annual", r"\bannual|\byear|\bjahr|\bannuel|\banual|\bannuo|\bannua|\bjaar"),
    ):
        if re.search(pattern, words):
            return name
    if frequency_of(row.pay_type) in PERIODS and plain(row.pay_type or "") not in _SALARIED:
        return frequency_of(row.pay_type)
    if role == "annual_rate":
        return "annual"
    return frequency_of(row.pay_frequency)


def _is_possible(middle: Decimal, basis: str) -> bool:
    if basis == "hourly":
        return middle <= _MOST_HOUR
    year = middle * PERIODS[basis]
    return _LEAST_YEAR <= year <= 900_000


def _by_pay_of_year(
    found: Sequence[Row], role: str, as_of: date, hours: Callable[[Row], Decimal]
) -> str | None:
    """Return the period that makes rates the pay of those who were there all year."""
    begin = date(as_of.year, 1, 1)
    if as_of != date(as_of.year, 12, 31):
        return None
    whole = [
        row
        for row in found
        if row.pay_of_year
        and row.standing == "active"
        and row.latest_start is not None
        and row.latest_start < begin
        and row.termination_date is None
    ]
    if len(whole) < 8:
        return None
    whole = whole[:: max(1, len(whole) // 2_000)]
    best: list[tuple[Decimal, str]] = []
    for basis in BASES:
        ratios = [
            row.pay_of_year
            / (getattr(row, role) * (hours(row) * WEEKS if basis == "hourly" else PERIODS[basis]))
            for row in whole
            if row.pay_of_year
        ]
        off = median(max(ratio, 1 / ratio) for ratio in ratios if ratio > 0)
        best.append((off, basis))
    best.sort()
    if best[0][0] > Decimal("1.12"):
        return None
    close = {basis for off, basis in best if off <= best[0][0] + Decimal("0.04")}
    return best[0][1] if len(close) == 1 else None


def _full_time(rows: Sequence[Row], work: Work) -> None:
    """Ask whether the rates of people in part-time are those of a full week."""
    parts = [
        row
        for row in rows
        if row.fte is not None
        and 0 < row.fte < 1
        and row.annual_compensation is not None
        and row.hourly_rate is None
    ]
    if not parts:
        return
    headers = work.mapping.names("annual_rate", "period_rate")
    if not headers:
        return
    words = " ".join(plain(header) for header in headers)
    begin = date(work.as_of.year, 1, 1)
    ratios = [
        row.pay_of_year / row.annual_compensation
        for row in parts
        if row.pay_of_year
        and row.annual_compensation
        and row.latest_start
        and row.latest_start < begin
        and row.standing == "active"
        and row.fte
        and row.fte < Decimal("0.9")
    ]
    shares = [
        row.fte
        for row in parts
        if row.pay_of_year
        and row.latest_start
        and row.latest_start < begin
        and row.fte
        and row.fte < Decimal("0.9")
        and row.standing == "active"
    ]
    if re.search(r"\bfte\b|full time|vollzeit|temps plein", words):
        answer, why = "full_time", "as it is called"
    elif len(ratios) >= 5:
        scaled = median(
            ratio / share for ratio, share in zip(ratios, shares, strict=False) if share
        )
        unscaled = median(ratios)
        is_full = abs(scaled - 1) < abs(unscaled - 1)
        answer, why = ("full_time" if is_full else "actual"), "as the pay of the year shows"
    else:
        answer = work.answers.choose(
            "part_time_pay",
            f"{len(parts)} people work part-time. Is their rate that of a full week, or what they "
            "are paid?",
            columns=[*headers, *work.mapping.names("fte")],
            choices=["full_time", "actual"],
        )
        why = "as answered"
    if answer == "full_time":
        for row in parts:
            if row.annual_compensation is not None and row.fte is not None:
                row.annual_compensation *= row.fte
    work.journal.add(
        "part_time_pay", ", ".join(headers), len(parts), f"part-time rates are {answer}: {why}"
    )


def _of_the_year(rows: Sequence[Row], work: Work) -> None:
    """Make a rate of the pay of the year, where the file has no other pay."""
    if not work.mapping.has("pay_of_year"):
        return
    headers = work.mapping.names("pay_of_year")
    part = sum(_days_employed(row, work.as_of) < _year_days(work.as_of) for row in rows)
    answer = work.answers.choose(
        "pay_of_year",
        f'The only pay is "{headers[0]}". Is it what was paid in the year, to be annualised by '
        f"days employed ({part} people were there for a part), or an annual rate?",
        columns=headers,
        choices=["annualise", "rate"],
        proposal="annualise",
    )
    for row in rows:
        if row.pay_of_year is None or row.pay_of_year <= 0:
            continue
        row.annual_compensation = row.pay_of_year
        if answer == "annualise":
            row.annual_compensation = annualised(row, work.as_of)
    work.journal.add("pay_of_year", headers[0], len(rows), f"taken as the annual pay: {answer}")


def annualised(row: Row, as_of: date) -> Decimal | None:
    """Return the pay of the year as an annual rate, by the days employed in it."""
    days = _days_employed(row, as_of)
    if row.pay_of_year is None or row.pay_of_year <= 0 or days <= 0:
        return None
    return (row.pay_of_year * _year_days(as_of) / days).quantize(CENT, ROUND_HALF_UP)


def _year_days(as_of: date) -> int:
    return (as_of - date(as_of.year - 1, 12, 31)).days


def _days_employed(row: Row, as_of: date) -> int:
    begin = max(filter(None, (row.latest_start, date(as_of.year, 1, 1))))
    end = as_of
    if row.termination_date is not None and row.termination_date < as_of:
        end = row.termination_date
    return (end - begin).days + 1
