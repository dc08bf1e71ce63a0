"""What is allowed in a census, but is more often a mistake: each warning, once, with its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.census import statements
from planalign.census.columns import Kind, quoted
from planalign.census.findings import Finding
from planalign.census.layout import nearest
from planalign.census.rules import ACTIVE, NOT_SAVING, SAVING, Rule, text_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import duckdb

    from planalign.census.columns import Column
    from planalign.census.plan_facts import PlanFacts

# Yearly pay below this, in dollars, is more likely an hourly or monthly rate.
LOW_PAY = 1_000
HIGH_PAY = 1_000_000
TIMES_MEDIAN = 20

# Ids and departments are stored as they are; what a social security number looks like.
_NUMBER = "'[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}'"


def _high(pay: str) -> Rule:
    return Rule(
        pay,
        f"{pay} > least({HIGH_PAY}, {TIMES_MEDIAN} * median_pay)",
        f"above {HIGH_PAY:,} dollars, or {TIMES_MEDIAN} times the median pay",
        "Check that it is dollars, not cents, and of one year",
        code="high_pay",
    )


def _like_a_number(column: str) -> Rule:
    # Without a value: nobody wants it in a terminal or a log.
    return Rule(
        column,
        f"regexp_full_match({quoted(column)}, {_NUMBER})",
        "looks like a social security number, and would be stored as it is",
        "Give these employees other ids, or map another column",
        code="social_security_number",
        shows_value=False,
    )


# Of single rows.
ROW_WARNINGS = (
    _like_a_number("employee_id"),
    Rule(
        "employee_id",
        "length(employee_id) < length_before_stripping"
        " and regexp_full_match(employee_id, '[0-9]+')",
        "shorter than the longest id, as if leading zeros were stripped",
        "Export the column as text, or make sure that other files have the same ids",
        code="stripped_zeros",
    ),
    Rule(
        "birth_date",
        "birth_date < greatest(date '1930-01-01', $census_date - interval 95 year)"
        " and birth_date > date '1900-01-01'",
        "before 1930, or 95 years before the census date",
        "Check that it is a date of birth, and the century",
        code="early_birth",
    ),
    Rule(
        "annual_compensation",
        f"annual_compensation < {LOW_PAY} and {ACTIVE}",
        f"below {LOW_PAY:,} dollars a year, though active; perhaps an hourly or monthly rate",
        "Give the pay of a whole year",
        code="low_pay",
    ),
    _high("annual_compensation"),
    Rule(
        "active",
        "not active and termination_date is null",
        "inactive without a termination date, and counted as terminated",
        "Give the termination date, or write true for who is on leave",
        code="undated_termination",
    ),
    Rule(
        "active",
        f"lower({text_column('active')}) = 't' and is_active_only_t",
        "reads as true, and the column has no other value; of status codes, T may be terminated",
        "Write true or false",
        code="only_t",
    ),
    _like_a_number("department"),
    Rule(
        "deferral_rate",
        "deferral_rate = 1 and not is_deferral_of_flags",
        "all of the pay, for 1 is 100 %; perhaps 1 %, or only that somebody saves",
        "Write 0.01 for 1 %, and leave the column out if it says who saves",
        code="whole_pay_deferred",
    ),
    _high("prior_year_compensation"),
    Rule(
        "enrollment_status",
        f"enrollment_status in {SAVING} and deferral_rate = 0 and {ACTIVE}",
        "enrolled, with a deferral rate of 0: counts as opted out, for it is a choice not to save",
        "Give the rate, or write opted_out or not_enrolled",
        code="stopped_saving",
    ),
    Rule(
        "enrolled_on",
        f"enrolled_on is not null and enrollment_status in {NOT_SAVING}",
        "a day of enrolment of who is not enrolled: counts as the day of plan entry only",
        "Leave it empty for who has never enrolled",
        code="enrolled_on_of_others",
    ),
    _like_a_number("grade"),
    _like_a_number("location"),
)


def row_warnings(columns: Sequence[Column]) -> tuple[Rule, ...]:
    """Return the warnings of single rows, also of the columns that a study adds."""
    own = {column.name: column.kind for column in columns if column.is_own}
    texts = [name for name, kind in own.items() if kind is Kind.TEXT]
    return (
        *(rule for rule in ROW_WARNINGS if rule.column not in own),
        *map(_like_a_number, texts),
    )


# Of the file as a whole; the words in braces are filled in.
_LATEST_HIRE = Rule(
    "hire_date",
    "",
    "the latest is {latest}, more than two years before the census date {census_date}",
    "Check census_date",
    code="latest_hire",
)
_EXCLUDED_DEPARTMENT = Rule(
    "department",
    "",
    "nobody active is in {department!r}, which excluded_departments keeps out of the plan",
    "Write it letter by letter as the census does{meant}",
    code="excluded_department",
)
_EXCLUDED_UNION = Rule(
    "union",
    "",
    "nobody active is in a union, which exclude_union keeps out of the plan",
    "Map the column that says who is, or leave exclude_union out",
    code="excluded_union",
)
_AUTOMATIC_ENROLLMENT = Rule(
    "deferral_rate",
    "",
    "0 or none for active employees, and the census does not say who of them opted out: automatic"
    " enrolment in {year} takes in those who are eligible, but for new opt-outs{scenarios}",
    "Give enrollment_status; or where they were asked before, set scope: new_hires and hired_since",
    code="automatic_enrollment",
)

WARNINGS = (
    *ROW_WARNINGS,
    _LATEST_HIRE,
    _EXCLUDED_DEPARTMENT,
    _EXCLUDED_UNION,
    _AUTOMATIC_ENROLLMENT,
)


def warnings_of_the_file(
    connection: duckdb.DuckDBPyConnection, census_date: date, plans: Sequence[PlanFacts]
) -> list[Finding]:
    """Return the warnings that are not of single rows, of the table of cells.

    Args:
        connection: the one with the table.
        census_date: the day the census describes.
        plans: what each scenario asks of the census.

    """
    latest, has_union, departments = connection.execute(
        statements.WHOLE, {"census_date": census_date}
    ).fetchall()[0]
    found = []
    if latest is not None:
        found.append(_found(_LATEST_HIRE, latest=latest, census_date=census_date))
    excluded = {name for plan in plans for name in plan.excluded_departments}
    for name in sorted(excluded - set(departments)):
        near = nearest(name, sorted(filter(None, departments)))
        meant = f": did you mean {near!r}?" if near else ""
        found.append(_found(_EXCLUDED_DEPARTMENT, department=name, meant=meant))
    if not has_union and any(plan.excludes_union for plan in plans):
        found.append(_found(_EXCLUDED_UNION))
    return found + _swept_in(connection, census_date, plans)


def _swept_in(
    connection: duckdb.DuckDBPyConnection, census_date: date, plans: Sequence[PlanFacts]
) -> list[Finding]:
    found = []
    for since in sorted({plan.enrolls_since for plan in plans if plan.enrolls_since}):
        of = [plan for plan in plans if plan.enrolls_since == since]
        names = ", ".join(plan.scenario for plan in of)
        count = connection.execute(
            statements.NON_SAVERS, {"census_date": census_date, "since": since}
        ).fetchall()[0][0]
        if count:
            scenarios = f" (scenario {names})" if len(plans) > 1 else ""
            year = of[0].first_year
            found.append(_found(_AUTOMATIC_ENROLLMENT, count, year=year, scenarios=scenarios))
    return found


def _found(rule: Rule, count: int = 0, **words: object) -> Finding:
    message, remedy = rule.message.format(**words), rule.remedy.format(**words)
    return Finding(message, remedy, rule.column, count, code=rule.code)
