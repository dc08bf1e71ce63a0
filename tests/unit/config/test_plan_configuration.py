"""What a plan may be: its lists, its named formulas, and what excludes each other."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from planalign.config import Config, ScenarioSettings, parse, value_at
from planalign.config.plan import LIMIT_NAMES, Plan
from planalign.engine.inputs import _scenario_rows, settings_text, yearly_parameters
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

YEARS = (2025, 2026)


def settings(keys: dict[str, Any]) -> dict[str, Any]:
    """Return the data that gives dotted keys of the plan their values."""
    data: dict[str, Any] = {}
    for key, value in keys.items():
        *above, last = key.split(".")
        reduce(lambda section, part: section.setdefault(part, {}), above, data)[last] = value
    return data


def plan_with(**keys: Any) -> Plan:
    return parse({"plan": settings(keys)}, Path("/study")).plan


def refusals(**keys: Any) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        plan_with(**keys)
    assert all(problem.remedy for problem in caught.value.problems)
    return list(caught.value.problems)


def refusal(**keys: Any) -> Problem:
    (found,) = refusals(**keys)
    return found


def places(**keys: Any) -> list[str | None]:
    return [problem.column for problem in refusals(**keys)]


QACA: dict[str, Any] = {"match.formula": "qaca", "automatic_enrollment.enabled": True}
RISING: dict[str, Any] = {**QACA, "escalation.enabled": True}
THREE: dict[str, Any] = {"automatic_enrollment.default_rate": 0.03}
BASIC: dict[str, Any] = {"match.formula": "safe_harbor_basic"}
ENHANCED: dict[str, Any] = {"match.formula": "safe_harbor_enhanced"}
ENROLLED: dict[str, Any] = {"automatic_enrollment.enabled": True}
ESCALATED: dict[str, Any] = {**ENROLLED, "escalation.enabled": True}
INTEGRATED: dict[str, Any] = {"core.rate": 0.06}
TIERS: dict[str, Any] = {"match.formula": "tiers"}
GROUPS = [{"up_to": 0.06, "rate": 0.5}, {"from": 5, "up_to": 0.06, "rate": 1}]

# What is refused, at which key, and the nearest that is accepted instead.
CONTRADICTIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *(
        ("match.last_day", {**given, "match.last_day": True}, given)
        for given in (
            {"match.formula": "safe_harbor_basic"},
            {"match.formula": "safe_harbor_enhanced"},
            QACA,
        )
    ),
    ("match.hours", {**QACA, "match.hours": 1}, QACA),
    ("match.by", {"match.by": "service"}, {**TIERS, "match.by": "service"}),
    ("match.by", {"match.formula": "safe_harbor_basic", "match.by": "points"}, {}),
    (
        "match.tiers",
        {**TIERS, "match.tiers": GROUPS},
        {**TIERS, "match.tiers": GROUPS, "match.by": "points"},
    ),
    (
        "vesting.match",
        {"match.formula": "safe_harbor_basic", "vesting.match": [0.999999, 1]},
        {"match.formula": "safe_harbor_basic", "vesting.match": [1, 1]},
    ),
    (
        "vesting.match",
        {"match.formula": "safe_harbor_enhanced", "vesting.match": [0, 0, 1]},
        {"match.formula": "safe_harbor_enhanced", "vesting.core": [0, 0, 1]},
    ),
    (
        "vesting.match",
        {**QACA, "vesting.match": [0, 0, 0.999999, 1]},
        {**QACA, "vesting.match": [0, 0, 1]},
    ),
    ("vesting.match", {"vesting.match": [0, 0, 0, 0, 1]}, {"vesting.match": [0, 0, 0, 1]}),
    (
        "vesting.core",
        {"vesting.core": [0, 0, 0.2, 0.4, 0.6, 0.799999, 1]},
        {"vesting.core": [0, 0, 0.2, 0.4, 0.6, 0.8, 1]},
    ),
    # Faster than each of the two schedules now and then, but slower than both.
    (
        "vesting.core",
        {"vesting.core": [0.5, 0.5, 0.5, 0.5, 0.5, 1]},
        {"vesting.core": [0.6, 0.6, 0.6, 0.6, 0.6, 1]},
    ),
    ("automatic_enrollment.enabled", {"match.formula": "qaca"}, QACA),
    (
        "automatic_enrollment.default_rate",
        {**RISING, "automatic_enrollment.default_rate": 0.0299},
        {**RISING, "automatic_enrollment.default_rate": 0.03},
    ),
    ("escalation.cap", {**RISING, "escalation.cap": 0.1501}, {**RISING, "escalation.cap": 0.15}),
    *(
        (
            "match.maximum_rate",
            {**given, "match.maximum_rate": round(least - 0.000001, 6)},
            {**given, "match.maximum_rate": least},
        )
        for given, least in ((BASIC, 0.04), (ENHANCED, 0.04), (QACA, 0.035))
    ),
    *(
        (
            "match.maximum_amount",
            {**given, "match.maximum_amount": 10_000_000},
            {**given, "match.maximum_amount": None},
        )
        for given in (BASIC, ENHANCED, QACA)
    ),
    *(
        (
            "deferrals.maximum_rate",
            {**given, "deferrals.maximum_rate": round(least - 0.0001, 4)},
            {**given, "deferrals.maximum_rate": least},
        )
        for given, least in (
            (BASIC, 0.05),
            (ENHANCED, 0.04),
            ({**RISING, "automatic_enrollment.default_rate": 0.05}, 0.06),
        )
    ),
    (
        "deferrals.highly_compensated_maximum_rate",
        {**RISING, **THREE, "deferrals.highly_compensated_maximum_rate": 0.099999},
        {**RISING, **THREE, "deferrals.highly_compensated_maximum_rate": 0.1},
    ),
    *(
        (
            "automatic_enrollment.window_days",
            {**QACA, "pay_frequency": frequency, "automatic_enrollment.window_days": most + 1},
            {**QACA, "pay_frequency": frequency, "automatic_enrollment.window_days": most},
        )
        for frequency, most in (
            ("weekly", 21),
            ("biweekly", 42),
            ("semimonthly", 46),
            ("monthly", 61),
        )
    ),
    (
        "automatic_enrollment.default_rate",
        {**QACA, "automatic_enrollment.default_rate": 0.1001},
        {**QACA, "automatic_enrollment.default_rate": 0.1},
    ),
    (
        "automatic_enrollment.default_rate",
        {**ENROLLED, "deferrals.maximum_rate": 0.0599},
        {**ENROLLED, "deferrals.maximum_rate": 0.06},
    ),
    (
        "escalation.cap",
        {**ESCALATED, "escalation.cap": 0.0599},
        {**ESCALATED, "escalation.cap": 0.06},
    ),
    (
        "deferrals.roth_share",
        {"deferrals.roth": False},
        {"deferrals.roth": False, "deferrals.roth_share": 0},
    ),
    (
        "core.tiers",
        {"core.by": "age"},
        {"core.by": "age", "core.tiers": [{"from": 0, "rate": 0.01}]},
    ),
    (
        "core.excess_rate",
        {
            "core.by": "age",
            "core.tiers": [{"rate": 0.01}],
            "core.rate": 0.03,
            "core.excess_rate": 0.03,
        },
        {"core.rate": 0.03, "core.excess_rate": 0.03},
    ),
    ("core.excess_rate", {"core.excess_rate": 0}, {"core.rate": 0.01, "core.excess_rate": 0.01}),
    (
        "core.excess_rate",
        {**INTEGRATED, "core.excess_rate": 0.059999},
        {**INTEGRATED, "core.excess_rate": 0.06},
    ),
    (
        "core.excess_rate",
        {"core.rate": 0.02, "core.excess_rate": 0.040001},
        {"core.rate": 0.02, "core.excess_rate": 0.04},
    ),
    *(
        (
            "core.excess_rate",
            {
                **INTEGRATED,
                "core.integration_level": level,
                "core.excess_rate": round(most + 1e-6, 6),
            },
            {**INTEGRATED, "core.integration_level": level, "core.excess_rate": most},
        )
        for level, most in (
            (1, 0.117),
            (0.999999, 0.114),
            (0.800001, 0.114),
            (0.8, 0.103),
            (0.200001, 0.103),
            (0.2, 0.117),
            (0.000001, 0.117),
        )
    ),
]


@pytest.mark.parametrize(("key", "refused", "accepted"), CONTRADICTIONS)
def test_contradictions_are_refused_at_their_key(
    key: str, refused: dict[str, Any], accepted: dict[str, Any]
) -> None:
    assert refusal(**refused).column == f"plan.{key}"
    plan_with(**accepted)


@pytest.mark.parametrize(("key", "refused", "accepted"), CONTRADICTIONS)
def test_contradictions_are_refused_in_the_year_in_which_they_hold(
    key: str, refused: dict[str, Any], accepted: dict[str, Any]
) -> None:
    def by_year(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
        default = plan_with()
        return {
            name: {
                year: given.get(name, reduce(getattr, name.split("."), default))
                for year, given in ((2025, first), (2028, then))
            }
            for name in first.keys() | then.keys()
        }

    def of_a_year(keys: dict[str, Any]) -> Problem:
        # What is slower than a year before is a fault of the years together.
        (found,) = (one for one in refusals(**keys) if "411(a)(10)(A)" not in one.message)
        return found

    found = of_a_year(by_year(accepted, refused))
    assert found.column == f"plan.{key}"
    assert found.message.endswith(", in 2028")
    assert of_a_year(by_year(refused, accepted)).message.endswith(", in 2025")


# A qaca match from 2027 on, after automatic enrollment without one.
LATER: dict[str, Any] = {**RISING, "match.formula": {2025: "tiers", 2027: "qaca"}}
NEW: dict[str, Any] = {**QACA, "automatic_enrollment.scope": "new_hires"}

# What is refused over the years, where, the plan year and rate named, the year if by year,
# and the nearest that is accepted instead.
COURSES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    *(
        (
            "escalation.step",
            shown,
            {**RISING, **THREE, "escalation.step": step},
            {**RISING, **THREE},
        )
        for step, shown in (
            (0, "at 0.03 in an employee's plan year 3"),
            (0.0049, "at 0.0398 in an employee's plan year 3"),
            (0.005, "at 0.045 in an employee's plan year 4"),
            (0.007, "at 0.058 in an employee's plan year 5"),
        )
    ),
    (
        "escalation.step",
        "at 0.0596 in an employee's plan year 5",
        {**RISING, **THREE, "escalation.step": 0.0074},
        {**RISING, **THREE, "escalation.step": 0.0075},
    ),
    # On January 1 of the third year, a deferral that rises in July has risen once.
    (
        "escalation.step",
        "at 0.0399 in an employee's plan year 3",
        {**RISING, **THREE, "escalation.step": 0.0099, "escalation.date": "07-01"},
        {**RISING, **THREE, "escalation.step": 0.01, "escalation.date": "07-01"},
    ),
    *(
        (
            "escalation.cap",
            f"at {cap} in an employee's plan year {year}",
            {**RISING, **THREE, "escalation.cap": cap},
            {**RISING, **THREE, "escalation.cap": 0.06},
        )
        for cap, year in ((0.03, 3), (0.045, 4), (0.0599, 5))
    ),
    (
        "escalation.cap",
        "to 0.1001 in an employee's plan year 2",
        {
            **RISING,
            "escalation.cap": 0.15,
            "automatic_enrollment.default_rate": 0.08,
            "escalation.step": 0.0201,
        },
        {
            **RISING,
            "escalation.cap": 0.15,
            "automatic_enrollment.default_rate": 0.08,
            "escalation.step": 0.02,
        },
    ),
    (
        "escalation.enabled",
        "at 0.0599 in an employee's plan year 5",
        {**QACA, "automatic_enrollment.default_rate": 0.0599},
        {**QACA, "automatic_enrollment.default_rate": 0.06},
    ),
    # Off in a later year: who enrolled before, and who enrols then, stay where they are.
    (
        "escalation.enabled",
        "at 0.05 in an employee's plan year 5, in 2031",
        {**RISING, **THREE, "escalation.enabled": {2025: True, 2030: False}},
        {**RISING, **THREE, "escalation.enabled": {2025: False, 2026: True}},
    ),
    (
        "escalation.enabled",
        "at 0.04 in an employee's plan year 4, in 2028",
        {**RISING, **THREE, "escalation.enabled": {2025: True, 2027: False, 2030: True}},
        # Years without a rise that the others make up for.
        {
            **RISING,
            **THREE,
            "escalation.step": 0.03,
            "escalation.enabled": {2025: True, 2027: False, 2028: True},
        },
    ),
    (
        "escalation.step",
        "at 0.0595 in an employee's plan year 5, in 2030",
        {**RISING, **THREE, "escalation.step": {2025: 0.01, 2028: 0.0065}},
        {**RISING, **THREE, "escalation.step": {2025: 0.01, 2029: 0.0075}},
    ),
    # Who has been enrolled before the qaca match begins is at a percentage of it then.
    (
        "escalation.enabled",
        "at 0.02 in an employee's plan year 1, in 2027",
        {
            **LATER,
            "escalation.enabled": False,
            "automatic_enrollment.default_rate": {2025: 0.02, 2027: 0.06},
        },
        {**LATER, "automatic_enrollment.default_rate": {2025: 0.02, 2027: 0.06}},
    ),
    (
        "automatic_enrollment.default_rate",
        "to 0.12 in an employee's plan year 1, in 2027",
        {
            **LATER,
            "escalation.enabled": False,
            "automatic_enrollment.default_rate": {2025: 0.12, 2027: 0.06},
        },
        {
            **LATER,
            "escalation.enabled": False,
            "automatic_enrollment.default_rate": {2025: 0.1, 2027: 0.06},
        },
    ),
    (
        "automatic_enrollment.hired_since",
        "from 2025-01-01 on",
        {**NEW, "automatic_enrollment.hired_since": "2025-01-02"},
        {**NEW, "automatic_enrollment.hired_since": "2025-01-01"},
    ),
    (
        "automatic_enrollment.hired_since",
        "from 2027-01-01 on, in 2028",
        {
            **NEW,
            **LATER,
            "automatic_enrollment.hired_since": {2025: "2025-01-01", 2028: "2027-01-02"},
        },
        {
            **NEW,
            **LATER,
            "automatic_enrollment.hired_since": {2025: "2025-01-01", 2028: "2027-01-01"},
        },
    ),
    # What has vested stays vested, also of contributions that need not have been at once.
    (
        "vesting.match",
        "than in 2025, in 2027",
        {"vesting.match": {2025: "immediate", 2027: [0, 0, 0, 1]}},
        {"vesting.match": {2025: [0, 0, 0, 1], 2027: "immediate"}},
    ),
    (
        "vesting.match",
        "than in 2025, in 2026",
        {
            "match.formula": {2025: "safe_harbor_basic", 2026: "none"},
            "vesting.match": {2025: "immediate", 2026: [0, 0, 1]},
        },
        {
            "match.formula": {2025: "safe_harbor_basic", 2026: "none"},
            "vesting.match": "immediate",
        },
    ),
    (
        "vesting.core",
        "than in 2026, in 2028",
        {
            "vesting.core": {
                2025: [0, 0, 0, 1],
                2026: [0, 0, 1],
                2028: [0, 0.5, 0.9, 1],
            }
        },
        {
            "vesting.core": {
                2025: [0, 0, 0, 1],
                2026: [0, 0, 0.9, 1],
                2028: [0, 0.5, 0.9, 1],
            }
        },
    ),
    (
        "deferrals.highly_compensated_maximum_rate",
        "to 0.08",
        {**RISING, "escalation.cap": 0.08, "deferrals.highly_compensated_maximum_rate": 0.0799},
        {**RISING, "escalation.cap": 0.08, "deferrals.highly_compensated_maximum_rate": 0.08},
    ),
]


@pytest.mark.parametrize(("key", "shown", "refused", "accepted"), COURSES)
def test_what_the_law_asks_of_the_years_together(
    key: str, shown: str, refused: dict[str, Any], accepted: dict[str, Any]
) -> None:
    found = refusal(**refused)
    rate, _, year = shown.partition(", ")
    assert found.column == f"plan.{key}"
    assert rate in found.message
    sections = ("(section 401(k)(13)(C)(iii))", "401(k)(13)(C)(iv)", "(section 411(a)(10)(A))")
    assert any(section in found.message for section in sections)
    assert found.message.endswith(year)
    plan_with(**accepted)


def test_a_scenario_may_bring_the_years_about(problems: Callable[..., list[Problem]]) -> None:
    found = problems(
        """\
        designs:
          rising:
            match: {formula: qaca}
            automatic_enrollment: {enabled: true, default_rate: 0.03}
            escalation: {enabled: true, step: 0.01}
        scenarios:
          lawful: {plan: {design: rising}}
          stopped:
            plan:
              design: rising
              escalation:
                enabled: {2025: true, 2027: false}
        """
    )
    assert [(problem.line, problem.column) for problem in found] == [
        (12, "scenarios.stopped.plan.escalation.enabled")
    ]


def test_only_the_years_that_differ_are_named() -> None:
    found = refusal(**{"match.last_day": {2020: False, 2027: True}, **QACA})
    assert found.message.endswith(", in 2027")
    assert found.message.startswith("cannot be a condition of a safe harbor match")
    assert not refusal(**{"match.last_day": True, **QACA}).message.endswith("2025")


@pytest.mark.parametrize(
    "given",
    [
        {"automatic_enrollment.default_rate": 0.15, "deferrals.maximum_rate": 0.01},
        {"escalation.enabled": True, "escalation.cap": 0.01},
        {**ENROLLED, "escalation.cap": 0.01},
        {"automatic_enrollment.default_rate": 0.01},
        {"match.tiers": GROUPS},
        {"core.tiers": [{"rate": 0.1}]},
        {"vesting.match": [0, 0, 0, 1], "match.formula": "tiers", "match.last_day": True},
    ],
)
def test_settings_that_are_not_used_contradict_nothing(given: dict[str, Any]) -> None:
    plan_with(**given)


def test_every_contradiction_is_listed_at_once() -> None:
    assert places(
        **{
            "match.formula": "qaca",
            "match.last_day": True,
            "match.hours": 1000,
            "vesting.match": [0, 0, 0, 0, 1],
            "automatic_enrollment.default_rate": 0.02,
            "deferrals.roth": False,
            "core.excess_rate": 0.05,
        }
    ) == [
        "plan.match.last_day",
        "plan.match.hours",
        "plan.vesting.match",
        "plan.vesting.match",
        "plan.automatic_enrollment.enabled",
        "plan.automatic_enrollment.default_rate",
        "plan.escalation.enabled",
        "plan.deferrals.roth_share",
        "plan.core.excess_rate",
    ]


def test_a_contradiction_stands_where_the_scenario_brings_it_about(
    problems: Callable[..., list[Problem]],
) -> None:
    found = problems(
        """\
        plan:
          match:
            last_day: true
          vesting: {core: [0, 0, 0, 0, 1]}
        scenarios:
          same: {}
          safe:
            plan:
              match:
                formula: safe_harbor_basic
        """
    )
    assert [(problem.line, problem.column) for problem in found] == [
        (4, "plan.vesting.core"),
        (9, "scenarios.safe.plan.match.last_day"),
    ]


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("yes", "Write true,"),
        ("Off", "Write false,"),
        ("true", "Write true,"),
        (1, "true or false"),
    ],
)
def test_true_and_false_are_not_guessed(value: object, advice: str) -> None:
    found = refusal(**{"match.true_up": value})
    assert found.message == "must be true or false"
    assert advice in found.remedy


@pytest.mark.parametrize("value", [None, "", [], 0])
def test_true_or_false_is_needed(value: object) -> None:
    assert refusal(**{"match.true_up": value}).column == "plan.match.true_up"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("automatic_enrollment.hired_since", "2025-02-29"),
        ("escalation.date", "02-29"),
        ("match.formula", "safe_harbour_basic"),
        ("forfeitures.use", None),
    ],
)
def test_refuses_and_names_the_key(key: str, value: object) -> None:
    assert refusal(**{key: value}).column == f"plan.{key}"


def test_nothing_is_a_value_of_what_may_be_left_open() -> None:
    plan = plan_with(
        **{
            "match.maximum_amount": {2025: None, 2026: 0.01},
            "core.rate": 0.1,
            "core.excess_rate": {2025: 0.1, 2026: None},
        }
    )
    amounts = [value_at(plan.match.maximum_amount, year) for year in YEARS]
    assert amounts == [None, Decimal("0.01")]
    assert value_at(plan.core.excess_rate, 2026) is None


def test_exclusions_are_lists_without_order() -> None:
    plan = plan_with(
        **{
            "eligibility.excluded_departments": {2025: [], 2026: ["Sales", "Legal"]},
            "eligibility.excluded_levels": [5, 1],
        }
    )
    assert plan.eligibility.excluded_departments == {2025: (), 2026: ("Legal", "Sales")}
    assert plan.eligibility.excluded_levels == (1, 5)
    assert places(**{"eligibility.excluded_levels": {2025: [1, 31, "2"], 2026: [3, 3]}}) == [
        "plan.eligibility.excluded_levels.2025[1]",
        "plan.eligibility.excluded_levels.2025[2]",
        "plan.eligibility.excluded_levels.2026[1]",
    ]
    assert places(**{"eligibility.excluded_levels": {2025: [1, 6], 2026: [7]}}) == [
        "plan.eligibility.excluded_levels.2025",
        "plan.eligibility.excluded_levels.2026",
    ]
    assert places(**{"eligibility.excluded_levels": [6]}) == ["plan.eligibility.excluded_levels"]
    assert places(**{"eligibility.excluded_departments": ["", 7, "ok"]}) == [
        "plan.eligibility.excluded_departments[0]",
        "plan.eligibility.excluded_departments[1]",
    ]
    assert "list" in refusal(**{"eligibility.excluded_departments": "Sales"}).message


def test_a_list_may_be_given_by_year_with_every_fault_of_every_year() -> None:
    tiers = {
        2025: [{"up_to": 0, "rate": 11}, {"from": 201, "up_to": 0.06, "rat": 0.5}, 7],
        2026: "all",
        2027: [],
        2028: [{"up_to": 0.00001, "rate": 0.1}],
    }
    found = refusals(**{"match.tiers": tiers})
    assert [(problem.column, problem.message) for problem in found] == [
        ("plan.match.tiers.2025[0].up_to", "must be above 0 and up to 1"),
        ("plan.match.tiers.2025[0].rate", "must be from 0 to 10"),
        ("plan.match.tiers.2025[1].rat", "is not a key of a tier"),
        ("plan.match.tiers.2025[1]", "has no rate"),
        ("plan.match.tiers.2025[1].from", "must be from 0 to 200"),
        ("plan.match.tiers.2025[2]", "must be a tier"),
        ("plan.match.tiers.2026", "must be a list"),
        ("plan.match.tiers.2027", "has no tier from 0"),
        ("plan.match.tiers.2028[0].up_to", "has more than 4 decimal places"),
    ]


def test_faults_within_a_list_have_a_line(problems: Callable[..., list[Problem]]) -> None:
    found = problems(
        """\
        plan:
          match:
            tiers:
              2025:
                - {up_to: 0.06, rate: 0.5}
              2026:
                - up_to: 0.06
                  rate: 50%
        """
    )
    assert [(problem.line, problem.value) for problem in found] == [(8, "50%")]


def test_match_tiers_are_in_order() -> None:
    found = plan_with(
        **{
            **TIERS,
            "match.by": "service",
            "match.tiers": [
                {"from": 5, "up_to": 0.03, "rate": 1},
                {"up_to": 0.06, "rate": 0.5},
                {"from": 5, "up_to": 1, "rate": 0.5},
            ],
        }
    ).match.tiers_in(2025)
    tiers = [(tier["from"], tier["up_to"]) for tier in found]
    assert tiers == [(0, Decimal("0.06")), (5, Decimal("0.03")), (5, Decimal(1))]


def many(groups: int, tiers: int) -> list[dict[str, float]]:
    return [
        {"from": start, "up_to": (number + 1) / 10, "rate": 1}
        for start in range(groups)
        for number in range(tiers)
    ]


@pytest.mark.parametrize(
    ("tiers", "place"),
    [
        ([{"up_to": 0.06, "rate": 1}, {"up_to": 0.06, "rate": 0.5}], "[1].up_to"),
        ([{"up_to": 0.06, "rate": 1}, {"up_to": 0.05, "rate": 0.5}], "[1].up_to"),
        ([{"from": 1, "up_to": 0.06, "rate": 1}], ""),
        (many(1, 7), ""),
        (many(11, 1), ""),
        ({}, ""),
    ],
)
def test_match_tiers_that_are_refused(tiers: object, place: str) -> None:
    assert refusal(**{"match.tiers": tiers}).column == f"plan.match.tiers{place}"


def test_as_many_match_tiers_as_there_may_be() -> None:
    assert len(plan_with(**{"match.tiers": many(10, 6)}).match.tiers) == 60


@pytest.mark.parametrize(
    ("tiers", "place"),
    [
        ([{"from": 1, "rate": 0.1}], "[0].from"),
        ([{"rate": 0.1}, {"from": 5, "rate": 0.1}, {"from": 5, "rate": 0.2}], "[2].from"),
        ([{"rate": 0.1}, {"from": 5, "rate": 1.1}], "[1].rate"),
        ([{"rate": 0.1, "up_to": 0.5}], "[0].up_to"),
    ],
)
def test_core_tiers_that_are_refused(tiers: object, place: str) -> None:
    assert refusal(**{"core.tiers": tiers}).column == f"plan.core.tiers{place}"


@pytest.mark.parametrize(
    ("shares", "place"),
    [
        ([0, 0.5], ""),
        ([], ""),
        ([0] * 7 + [1], ""),
        ([0, 0.5, 0.4, 1], "[2]"),
        ([0, 2, 1], "[1]"),
        ("never", ""),
        (None, ""),
    ],
)
def test_vesting_that_is_refused(shares: object, place: str) -> None:
    assert refusal(**{"vesting.core": shares}).column == f"plan.vesting.core{place}"


def test_vesting_is_immediate_or_shares_by_year_of_service() -> None:
    plan = plan_with(**{"vesting.match": {2025: [0, 0.5, 1], 2026: "immediate"}})
    assert plan.vesting.match == {2025: (0, Decimal("0.5"), 1), 2026: (1,)}
    assert plan.vesting.core == (1,)


def test_limits_are_given_by_name_and_year() -> None:
    amounts = {"wage_base": {2027: 190_000, 2026: 185_000}, "catch_up": {}}
    found = plan_with(**{"limits.amounts": amounts}).limits.amounts
    assert found == {"catch_up": {}, "wage_base": {2026: 185_000, 2027: 190_000}}
    wrong = {"catchup": {}, "wage_base": {2027: 0.5, "2028": 1, 1: 1}, "compensation": 5}
    assert places(**{"limits.amounts": wrong}) == [
        "plan.limits.amounts.catchup",
        "plan.limits.amounts.wage_base.2027",
        "plan.limits.amounts.wage_base.2028",
        "plan.limits.amounts.wage_base.1",
        "plan.limits.amounts.compensation",
    ]
    assert "Did you mean catch_up?" in refusal(**{"limits.amounts": {"catchup": {}}}).remedy
    assert places(**{"limits.amounts": []}) == ["plan.limits.amounts"]
    plan_with(**{"limits.amounts": {name: {2025: 10_000_000} for name in LIMIT_NAMES}})


def rows(table: str, **keys: Any) -> list[dict[str, Any]]:
    """Return what is written into a table, by column."""
    config: Config = parse({"plan": settings(keys)}, Path("/study"))
    found = _scenario_rows("a", config.scenarios["baseline"], YEARS)[table]
    return [dict(row) for row in found]


def schedule(name: str, **keys: Any) -> list[tuple[Any, ...]]:
    return [
        (row["ordinal"], row["from_value"], row["up_to"], row["rate"])
        for row in rows("plan_schedules", **keys)
        if row["schedule"] == name and row["simulation_year"] == 2025
    ]


@pytest.mark.parametrize(
    ("formula", "tiers"),
    [
        ("none", []),
        ("safe_harbor_basic", [(1, 0, "0.03", "1"), (2, 0, "0.05", "0.5")]),
        ("safe_harbor_enhanced", [(1, 0, "0.04", "1")]),
        ("qaca", [(1, 0, "0.01", "1"), (2, 0, "0.06", "0.5")]),
        ("tiers", [(1, 0, "0.06", "0.5")]),
    ],
)
def test_rows_of_each_formula(formula: str, tiers: list[tuple[int, int, str, str]]) -> None:
    expected = [(number, start, Decimal(a), Decimal(b)) for number, start, a, b in tiers]
    assert schedule("match", **{"match.formula": formula, **ENROLLED}) == expected


def test_rows_of_core_tiers_and_vesting() -> None:
    tiers = [{"rate": 0.01}, {"from": 10, "rate": 0.02}]
    given = {"core.tiers": tiers, "vesting.core": [0, 0.5, 1]}
    assert schedule("core", **given) == []
    assert schedule("core", **given, **{"core.by": "points"}) == [
        (1, 0, None, Decimal("0.01")),
        (2, 10, None, Decimal("0.02")),
    ]
    assert schedule("match_vesting", **given) == [(1, 0, None, 1)]
    assert schedule("core_vesting", **given) == [
        (1, 0, None, 0),
        (2, 1, None, Decimal("0.5")),
        (3, 2, None, 1),
    ]


def test_rows_of_exclusions_and_limits() -> None:
    given = {
        "eligibility.excluded_departments": {2025: ["Sales"], 2026: []},
        "eligibility.excluded_levels": {2025: [], 2026: [4]},
        "limits.amounts": {"wage_base": {2026: 185_000}},
    }
    assert [tuple(row.values()) for row in rows("plan_exclusions", **given)] == [
        ("a", 2025, "department", "Sales"),
        ("a", 2026, "job_level", "4"),
    ]
    assert [tuple(row.values()) for row in rows("plan_limit_overrides", **given)] == [
        ("a", "wage_base", 2026, 185_000)
    ]


def test_settings_and_parameters_are_text() -> None:
    config = parse({"plan": settings({"limits.amounts": {"catch_up": {2030: 1}}})}, Path("/study"))
    scenario: ScenarioSettings = config.scenarios["baseline"]
    assert '"hired_since":"2025-01-01"' in settings_text(scenario)
    constant, by_year = yearly_parameters("a", scenario, YEARS)
    assert "plan_limit_overrides" in constant
    assert all("plan_schedules" in by_year[year] for year in YEARS)
