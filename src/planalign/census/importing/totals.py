"""Rows and money of a file against people and pay of the census, and its own totals."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign.census.importing.numbers import decimal_sign, exact, number_in, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.census.importing.grid import Cell
    from planalign.census.importing.rows import Row
    from planalign.census.importing.work import Work

_CENT = Decimal("0.01")


def totals_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Return sums over a census: headcount, pay, savings, by level and department.

    Money is in dollars; `deferral_weighted_pay_active` is the sum of pay times rate.
    """
    active = [row for row in rows if row.is_active]
    savers = [row for row in active if row.deferral_rate]
    pay = sum((row.annual_compensation or Decimal(0) for row in active), Decimal(0))
    saved = sum(
        (row.annual_compensation * row.deferral_rate for row in savers
         if row.annual_compensation and row.deferral_rate),
        Decimal(0),
    )  # fmt: skip
    rates = sum((row.deferral_rate for row in savers if row.deferral_rate), Decimal(0))
    return {
        "headcount_active": len(active),
        "headcount_inactive": len(rows) - len(active),
        "on_leave_active": sum(row.standing == "leave" for row in active),
        "annual_pay_active": float(pay),
        "deferral_weighted_pay_active": float(saved.quantize(_CENT)),
        "savers_active": len(savers),
        "mean_deferral_of_savers": round(float(rates / len(savers)), 6) if savers else None,
        "prior_year_compensation_active": _sum(active, "pay_of_year"),
        "balance_match_all": _sum(rows, "balance_match"),
        "balance_core_all": _sum(rows, "balance_core"),
        "union_active": _true(active, "union"),
        "officers_active": _true(active, "officer"),
        "by_job_level_active": _counts(str(row.job_level) for row in active),
        "by_department_active": _counts(row.department or "(none)" for row in active),
    }


def _sum(rows: Sequence[Row], name: str) -> float | None:
    values = [value for row in rows if (value := getattr(row, name)) is not None]
    return float(sum(values, Decimal(0))) if values else None


def _true(rows: Sequence[Row], name: str) -> int | None:
    values = [value for row in rows if (value := getattr(row, name)) is not None]
    return sum(value is True for value in values) if values else None


def _counts(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def check_file_totals(rows: Sequence[Row], work: Work) -> list[dict[str, Any]]:
    """Compare each amount of the file's rows of totals with sums of its column.

    A row of totals sums up all rows above it, or those since an earlier row of totals. A
    total that is no such sum is a question: rows may be missing.

    Returns:
        Those of the last row of totals, and all that are no sum.
    """
    table, found = work.table, list[dict[str, Any]]()
    stated = {line: cells for line, cells in table.totals.items() if not _is_mean(cells)}
    for role, positions in work.mapping.positions.items():
        if role not in _ADDED:
            continue
        amounts = [(row.line, v) for row in rows if (v := getattr(row, role)) is not None]
        for position in positions[:1] if amounts else []:
            found += _compared(amounts, stated, position, table.headers[position])
    for line, cells in stated.items():
        found += [one for cell in cells if (one := _counted(cell, line, rows)) is not None]
    last = max((one["row"] for one in found), default=0)
    found = [one for one in found if not one["agrees"] or one["row"] == last]
    for one in found:
        if not one["agrees"]:
            work.answers.choose(
                f"total:{one['column']}",
                f'Row {one["row"]} says {one["stated"]:,.2f} for "{one["column"]}", the rows above '
                f"it come to {one['sum_of_rows']:,.2f}. Rows or amounts may be missing. Go on?",
                columns=[str(one["column"])],
                choices=["go_on"],
            )
    return found


def _is_mean(cells: Sequence[Cell]) -> bool:
    return any(isinstance(cell, str) and _MEAN.search(cell) for cell in cells)


def _compared(
    amounts: Sequence[tuple[int, Decimal]],
    stated: Mapping[int, Sequence[Cell]],
    position: int,
    header: str,
) -> list[dict[str, Any]]:
    """Return each total of a column beside the sum that it is nearest to."""
    found = []
    # Sums of all rows above the beginning and above each row of totals.
    sums, total, number = [Decimal(0)], Decimal(0), 0
    for line, cells in sorted(stated.items()):
        while number < len(amounts) and amounts[number][0] < line:
            total += amounts[number][1]
            number += 1
        value = _amount(cells[position])
        if value is None:
            continue
        sum_of_rows = next(
            (s for before in (sums[-1], *sums) if _are_same(value, s := total - before)), total
        )
        sums.append(total)
        found.append(_beside(line, header, value, sum_of_rows))
    return found


def _counted(cell: Cell, line: int, rows: Sequence[Row]) -> dict[str, Any] | None:
    """Return the number of people that a cell says, beside those of the file."""
    said = _PEOPLE.search(cell) if isinstance(cell, str) else None
    if said is None:
        return None
    above = sum(row.line < line for row in rows)
    return _beside(line, "(rows)", Decimal(re.sub(r"\D", "", said[1])), Decimal(above))


def _beside(line: int, header: str, stated: Decimal, total: Decimal) -> dict[str, Any]:
    return {
        "row": line,
        "column": header,
        "stated": float(stated),
        "sum_of_rows": float(total),
        "agrees": _are_same(stated, total),
    }


def _are_same(stated: Decimal, total: Decimal) -> bool:
    return abs(stated - total) <= Decimal("0.05") + abs(total) / 10**7


_MEAN = re.compile(r"\b(?:average|avg|mean|mittelwert|durchschnitt|moyenne|media)\b", re.IGNORECASE)
_PEOPLE = re.compile(
    r"(?<![\d.])(\d[\d,.]*)\s*(?:employees|people|participants|rows|records)", re.IGNORECASE
)
_ADDED = frozenset(
    [
        "annual_rate",
        "period_rate",
        "pay_of_year",
        "deferral_dollars",
        "roth_dollars",
        "balance_match",
        "balance_core",
    ]
)


def _amount(cell: Cell) -> Decimal | None:
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int):
        return Decimal(cell)
    if isinstance(cell, float):
        return exact(cell)
    number = number_in(cell) if isinstance(cell, str) else None
    if number is None:
        return None
    sign, *_ = decimal_sign([number.body])
    return value_of(number, sign or ".")
