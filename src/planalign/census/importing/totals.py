"""Rows and money of a file against people and pay of the census, and its own totals."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from planalign.census.importing.numbers import decimal_sign, exact, number_in, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Compare each amount of the file's last row of totals with the sum of its column.

    A total that is not the sum of the rows is a question: rows may be missing.
    """
    table, found = work.table, list[dict[str, Any]]()
    if not table.totals:
        return found
    line, cells = max(table.totals.items())
    for role, positions in work.mapping.positions.items():
        if role not in _ADDED:
            continue
        for position in positions:
            stated = _amount(cells[position])
            values = [v for row in rows if (v := getattr(row, role)) is not None]
            if stated is None or not values:
                continue
            total = sum(values, Decimal(0))
            found.append(
                {
                    "row": line,
                    "column": table.headers[position],
                    "stated": float(stated),
                    "sum_of_rows": float(total),
                    "agrees": abs(stated - total) <= Decimal("0.05") + abs(total) / 10**7,
                }
            )
    for text in (str(cell) for cell in cells if isinstance(cell, str)):
        if counted := re.search(
            r"(?<![\d.])(\d[\d,.]*)\s*(?:employees|people|participants|rows|records)",
            text,
            re.IGNORECASE,
        ):
            stated = Decimal(re.sub(r"\D", "", counted[1]) or 0)
            found.append(
                {
                    "row": line,
                    "column": "(rows)",
                    "stated": float(stated),
                    "sum_of_rows": float(len(rows)),
                    "agrees": stated == len(rows),
                }
            )
    for one in found:
        if not one["agrees"]:
            work.answers.choose(
                f"total:{one['column']}",
                f'Row {line} says {one["stated"]:,.2f} for "{one["column"]}", the rows above it '
                f"come to {one['sum_of_rows']:,.2f}. Rows or amounts may be missing. Go on?",
                columns=[str(one["column"])],
                choices=["go_on"],
            )
    return found


_ADDED = frozenset(
    [
        "annual_rate",
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
