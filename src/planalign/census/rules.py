"""What a census must satisfy, one condition per rule that no row may meet."""

from __future__ import annotations

from dataclasses import dataclass

from planalign.census.columns import COLUMNS, POSITION, quoted

# Where the text of a column stands beside its value; $census_date is bound.
TEXT_OF = {name: f"text_{name}" for name in POSITION}

MOST_DOLLARS = "99999999.99"


@dataclass(frozen=True)
class Rule:
    """A condition in SQL that makes a cell wrong, what is wrong, and what to do.

    An empty message means that the cell's text has no value: `cells.explain`
    says why.
    """

    column: str
    condition: str
    message: str = ""
    remedy: str = ""
    needs_column: bool = False


# Exact age by year, month and day: born on February 29 means that a year of age
# is complete on March 1 where there is no February 29.
_HIRE_AGE = (
    "year(hire_date) - year(birth_date) - cast(month(hire_date) * 100 + day(hire_date)"
    " < month(birth_date) * 100 + day(birth_date) as integer)"
)

# Counted as active: hired by the census date, not terminated by it, not marked
# inactive. A value that could not be read does not make anybody inactive.
ACTIVE = (
    "(coalesce(hire_date <= $census_date, true)"
    " and coalesce(termination_date > $census_date, true)"
    " and coalesce(active, true))"
)

_FRACTION = "Write a fraction from 0 to 1, such as 0.06 for 6 %"
_AS_OF = "Correct the date, or set census_date to the day the census describes"
_NEW_ID = "Use a short unique text, such as E0001234"

_SPECIFIC = (
    Rule(
        "employee_id",
        "first_row < file_row",
        "the same employee as in row {first_row}",
        "Keep one row per employee",
    ),
    Rule("employee_id", "length(employee_id) > 64", "longer than 64 characters", _NEW_ID),
    Rule(
        "employee_id",
        r"regexp_matches(employee_id, '\p{Cc}')",
        "a control character in the text",
        _NEW_ID,
    ),
    Rule(
        "employee_id",
        "regexp_full_match(employee_id, 'H[0-9]{4}-[0-9]{6,}')",
        "reserved for simulated hires (H, year, hyphen, number)",
        "Give these employees other ids, such as the same with a letter in front",
    ),
    Rule("birth_date", "birth_date < date '1900-01-01'", "before 1900-01-01", "Correct the date"),
    Rule("birth_date", "birth_date > $census_date", "after the census date {census_date}", _AS_OF),
    Rule(
        "hire_date",
        "hire_date > $census_date",
        "in the future: after the census date {census_date}",
        _AS_OF,
    ),
    Rule(
        "hire_date",
        f"{_HIRE_AGE} < 14 and birth_date <= $census_date",
        "before the age of 14 (birth_date {birth_date})",
        "Correct the hire date or the birth date",
    ),
    Rule(
        "annual_compensation",
        f"annual_compensation <= 0 and {ACTIVE}",
        "zero or negative pay of an active employee",
        "Give the yearly pay in dollars",
    ),
    Rule(
        "annual_compensation",
        f"annual_compensation > {MOST_DOLLARS}",
        f"pay above {MOST_DOLLARS}",
        "Give the yearly pay in dollars, not in cents",
    ),
    Rule(
        "job_level",
        "job_level not between 1 and 5",
        "outside 1 to 5",
        "Write a whole number from 1 to 5",
    ),
    Rule(
        "termination_date",
        "termination_date < hire_date",
        "before the hire date {hire_date}",
        "Correct the termination date or the hire date",
    ),
    Rule(
        "termination_date",
        "termination_date > $census_date",
        "in the future: after the census date {census_date}",
        "Leave it empty for an employee who is still employed, or correct the date",
    ),
    Rule(
        "active",
        "active and termination_date <= $census_date",
        "active, but terminated on {termination_date}",
        "Set active to false, or leave the termination date empty",
    ),
    # A department is stored with every year of its employees.
    Rule(
        "department",
        "length(department) > 256",
        "longer than 256 characters",
        "Use a short name",
    ),
    Rule("deferral_rate", "deferral_rate not between 0 and 1", "outside 0 to 1", _FRACTION),
    Rule(
        "weekly_hours",
        "weekly_hours not between 0 and 168",
        "outside 0 to 168",
        "Give the usual hours of one week",
    ),
    Rule(
        "prior_year_compensation",
        "prior_year_compensation < 0",
        "negative pay",
        "Give last year's pay in dollars, or leave it empty",
    ),
    Rule(
        "prior_year_compensation",
        f"prior_year_compensation > {MOST_DOLLARS}",
        f"pay above {MOST_DOLLARS}",
        "Give last year's pay in dollars, not in cents",
    ),
    Rule("ownership_percent", "ownership_percent not between 0 and 1", "outside 0 to 1", _FRACTION),
    *(
        Rule(
            account,
            f"{account} not between 0 and {MOST_DOLLARS}",
            f"outside 0 to {MOST_DOLLARS}",
            "Give the account in dollars, or leave it empty",
        )
        for account in ("balance_match", "balance_core")
    ),
)

_UNREADABLE = tuple(
    Rule(
        column.name,
        f"{quoted(TEXT_OF[column.name])} is not null and {quoted(column.name)} is null",
    )
    for column in COLUMNS
)

_EMPTY = tuple(
    Rule(
        column.name,
        f"{quoted(TEXT_OF[column.name])} is null",
        "empty",
        "Every row needs a value here",
        needs_column=True,
    )
    for column in COLUMNS
    if column.required
)

# In the order of the columns, so that the number of a rule sorts as its column.
RULES = tuple(sorted((*_EMPTY, *_UNREADABLE, *_SPECIFIC), key=lambda rule: POSITION[rule.column]))
