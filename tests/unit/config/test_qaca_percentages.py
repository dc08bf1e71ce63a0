"""Defaults of a qualified arrangement, against the law applied to one employee at a time."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from planalign.config import parse
from planalign.errors import InputError

FIRST, LAST = 2025, 2032
# Settings hold on after the last change: within these years everything has come about.
YEARS = range(FIRST, LAST + 30)
LEAST = {1: 3, 2: 3, 3: 4, 4: 5}  # percent by plan year, 6 thereafter: 401(k)(13)(C)(iii)


def by_year(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[int, Any]]:
    later = st.dictionaries(st.integers(FIRST + 1, LAST), values, max_size=2)
    return st.tuples(values, later).map(lambda both: {FIRST: both[0], **both[1]})


def rates(*percent: float) -> st.SearchStrategy[dict[int, Decimal]]:
    return by_year(st.sampled_from([Decimal(str(one)) / 100 for one in percent]))


def held(values: dict[int, Any], year: int) -> Any:
    return values[max(known for known in values if known <= year)]


def breaches(plan: dict[str, Any], entered: int, date: datetime.date) -> bool:
    """Say whether the default of who enrols in a year is, in some plan year, not qualified."""
    rate, number = held(plan["default"], entered), 0
    for year in range(entered, YEARS.stop):
        in_january = rate
        if year > entered and held(plan["escalated"], year) and rate < held(plan["cap"], year):
            rate = min(rate + held(plan["step"], year), held(plan["cap"], year))
        if held(plan["formula"], year) != "qaca":
            continue
        number += 1
        lowest = rate if (date.month, date.day) == (1, 1) else in_january
        most = 10 if number <= 2 else 15
        if lowest * 100 < LEAST.get(number, 6) or rate * 100 > most:
            return True
    return False


@given(
    plan=st.fixed_dictionaries(
        {
            "default": rates(2, 3, 4, 5, 6, 10, 12),
            "step": rates(0, 0.5, 0.75, 1, 2, 5),
            "cap": rates(5, 6, 10, 15),
            "escalated": by_year(st.booleans()),
            "formula": st.integers(FIRST, LAST).map(lambda begun: {FIRST: "tiers", begun: "qaca"}),
        }
    ),
    date=st.sampled_from([datetime.date(2025, 1, 1), datetime.date(2025, 7, 1)]),
)
@example(
    plan={
        "default": {FIRST: Decimal("0.06")},
        "step": {FIRST: Decimal("0.01")},
        "cap": {FIRST: Decimal("0.16")},
        "escalated": {FIRST: True},
        "formula": {FIRST: "qaca"},
    },
    date=datetime.date(2025, 1, 1),
)
def test_a_default_is_taken_exactly_where_it_is_qualified(plan, date):
    given_plan = {
        "automatic_enrollment": {"enabled": True, "default_rate": plan["default"]},
        "escalation": {
            "enabled": plan["escalated"],
            "step": plan["step"],
            "cap": plan["cap"],
            "date": f"{date:%m-%d}",
        },
        "match": {"formula": plan["formula"]},
        "vesting": {"match": "immediate"},
    }
    # Another rule: escalation ends no lower than it begins.
    assume(
        all(
            held(plan["cap"], year) >= held(plan["default"], year)
            for year in YEARS
            if held(plan["escalated"], year)
        )
    )
    unlawful = any(breaches(plan, entered, date) for entered in YEARS)
    try:
        parse({"simulation": {"start_year": FIRST}, "plan": given_plan}, Path.cwd())
        refusal = ""
    except InputError as error:
        refusal = str(error)
    assert bool(refusal) == unlawful, refusal
