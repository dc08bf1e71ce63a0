"""What a census must satisfy: one condition per rule that no row may meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planalign.census.columns import COLUMNS, POSITION, STATUSES, Kind, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planalign.census.columns import Column

MOST_DOLLARS = "99999999.99"


def text_column(name: str) -> str:
    """Return the quoted column in which the text of a census column stands beside its value."""
    return quoted(f"text_{name}")


# In a condition $census_date is bound, and the columns of `FACTS` are there in every row.
@dataclass(frozen=True)
class Rule:
    """A condition in SQL that makes a row a problem, or a warning if there is a code.

    Args:
        column: of the cell that is wrong; None for the whole row.
        condition: what no row may meet; empty for a warning of the file as a whole.
        message: what is wrong; empty where the text of a cell has no value, for
            `cells.reasons` says why.
        remedy: what to do.
        detail: expression for the text of what else belongs to it, if anything.
        needs_column: whether it holds of a file with this column only.
        code: of a warning.
        shows_value: whether the text of the cell may be shown.

    """

    column: str | None
    condition: str
    message: str = ""
    remedy: str = ""
    detail: str = ""
    needs_column: bool = False
    code: str = ""
    shows_value: bool = True


def completed_years(start: str, end: str) -> str:
    """Return the expression for completed years between two dates, by year, month and day.

    Born on February 29 means that a year of age is complete on March 1 where there
    is no February 29.
    """
    return (
        f"(year({end}) - year({start}) - cast(month({end}) * 100 + day({end})"
        f" < month({start}) * 100 + day({start}) as integer))"
    )


# Counted as active: hired by the census date, not terminated by it, not marked
# inactive. A value that could not be read does not make anybody inactive.
ACTIVE = (
    "(coalesce(hire_date <= $census_date, true)"
    " and coalesce(termination_date > $census_date, true)"
    " and coalesce(active, true))"
)


def _with(column: str) -> str:
    return f"'{column} ' || {text_column(column)}"


_FRACTION = "Write a fraction from 0 to 1, such as 0.06 for 6 %"
_ROTH = "Write the fraction of the deferral that is Roth, such as 0.25 for a quarter"
_AS_OF = "Correct the date, or set census_date to the day the census describes"
_NEW_ID = "Use a short unique text, such as E0001234"

# Savers of all their pay from whom on nobody believes it, if nobody saves a part.
MOST_WHOLE_SAVERS = 10

SAVING, NOT_SAVING = STATUSES[:2], STATUSES[2:]

_FLAGS = tuple(column.name for column in COLUMNS if column.kind is Kind.FLAG)
_OTHER = {"y": "n", "n": "y", "1": "0", "0": "1"}


def _letters(name: str) -> str:
    return quoted(f"letters_{name}")


def _has_codes(name: str) -> str:
    return quoted(f"is_{name}_of_codes")


def _facts() -> dict[str, str]:
    """Return name -> aggregate over all rows, for what single rows do not tell."""
    facts = {
        "median_pay": f"quantile_disc(annual_compensation, 0.5) filter ({ACTIVE})",
        "is_active_only_t": f"bool_and(lower({text_column('active')}) = 't')",
        "is_deferral_of_flags": f"count(*) filter (deferral_rate = 1) >= {MOST_WHOLE_SAVERS}"
        " and count(*) filter (deferral_rate not in (0, 1)) = 0",
    }
    for name in _FLAGS:
        text = text_column(name)
        facts[_has_codes(name)] = f"count({text}) > count({quoted(name)})"
        facts[_letters(name)] = f"list(distinct lower({text})) filter (length({text}) = 1)"
    # Numbers without a gap are of different lengths by themselves.
    digits = "regexp_full_match(employee_id, '[0-9]{1,38}')"
    number = f"case when {digits} then try_cast(employee_id as hugeint) end"
    facts["length_before_stripping"] = (
        f"case when count(*) filter ({digits}) * 10 >= count(*) * 9"
        f" and count(*) filter ({digits} and starts_with(employee_id, '0')) = 0"
        f" and max({number}) - min({number}) >= 2 * count(*)"
        f" then max(length(employee_id)) filter ({digits}) end"
    )
    return facts


FACTS = _facts()


def _unreadable(name: str) -> Rule:
    return Rule(name, f"{text_column(name)} is not null and {quoted(name)} is null")


def _too_long(name: str) -> Rule:
    # It is stored with every year of its employees.
    return Rule(
        name, f"length({quoted(name)}) > 256", "longer than 256 characters", "Use a short name"
    )


def _code_rule(name: str) -> Rule:
    """Return the rule for letters that read as a flag in a column of other codes."""
    text = f"lower({text_column(name)})"
    alone = " or ".join(
        f"({text} = '{letter}' and not list_contains({_letters(name)}, '{other}'))"
        for letter, other in _OTHER.items()
    )
    return Rule(
        name,
        f"{_has_codes(name)} and ({text} in ('t', 'f') or {alone})",
        "would be read as true or false, though the column has codes that are neither",
        "Write true or false in place of every code; T may stand for terminated",
    )


BLANK_ROW = ("a blank row: no value in any column that is read", "Remove the row")
SAME_EMPLOYEE = "the same employee as in an earlier row"

_SPECIFIC = (
    Rule(None, "is_blank", *BLANK_ROW),
    Rule(
        "employee_id",
        "first_row < file_row",
        SAME_EMPLOYEE,
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
    Rule(
        "employee_id",
        "regexp_full_match(employee_id, '[0-9]([.][0-9]+)?[Ee][+][0-9]+')",
        "a number in scientific notation, which leaves digits out",
        "Format the column as text in the spreadsheet, and export again",
    ),
    Rule("birth_date", "birth_date < date '1900-01-01'", "before 1900-01-01", "Correct the date"),
    Rule(
        "birth_date",
        "birth_date = date '1900-01-01'",
        "1900-01-01, which stands for an unknown date",
        "Give the date of birth",
    ),
    Rule("birth_date", "birth_date > $census_date", "after the census date {census_date}", _AS_OF),
    Rule(
        "hire_date",
        "hire_date > $census_date",
        "in the future: after the census date {census_date}",
        _AS_OF,
    ),
    Rule(
        "hire_date",
        f"{completed_years('birth_date', 'hire_date')} < 14 and birth_date <= $census_date",
        "before the age of 14",
        "Correct the hire date or the birth date",
        _with("birth_date"),
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
        "job_level not between 1 and {levels}",
        "outside 1 to {levels}",
        "Write a whole number from 1 to {levels}",
    ),
    Rule(
        "termination_date",
        "termination_date < hire_date",
        "before the hire date",
        "Correct the termination date or the hire date",
        _with("hire_date"),
    ),
    Rule(
        "termination_date",
        "termination_date > $census_date",
        "in the future: after the census date {census_date}",
        "Leave it empty for an employee who is still employed, or correct the date",
    ),
    Rule(
        "termination_date",
        "termination_date < rehire_date and termination_date >= hire_date",
        "before the rehire date: of an earlier employment",
        "Leave it empty for an employee who has come back, or correct the dates",
        _with("rehire_date"),
    ),
    Rule(
        "active",
        f"active and termination_date <= $census_date and not {_has_codes('active')}",
        "active, although the termination date has come",
        "Set active to false, or leave the termination date empty",
        _with("termination_date"),
    ),
    _too_long("department"),
    Rule("deferral_rate", "deferral_rate not between 0 and 1", "outside 0 to 1", _FRACTION),
    Rule(
        "deferral_rate",
        "deferral_rate = 1 and is_deferral_of_flags",
        "all of the pay, in a column of 0 and 1 only: who saves, not how much",
        "Map the column with the rates, or leave it out",
    ),
    *map(_code_rule, _FLAGS),
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
    Rule(
        "enrollment_status",
        f"enrollment_status not in {STATUSES}",
        f"not one of {', '.join(STATUSES)}",
        "Write one of these words, or leave it empty where it is not known",
    ),
    Rule(
        "enrollment_status",
        f"enrollment_status in {NOT_SAVING} and deferral_rate > 0 and {ACTIVE}",
        "not in the plan, though there is a deferral rate above 0",
        "Write automatic or voluntary of who saves, or a rate of 0",
        _with("deferral_rate"),
    ),
    Rule(
        "enrolled_on",
        "enrolled_on < hire_date",
        "before the hire date",
        "Correct the date, or give the first hire date, and the latest one as rehire_date",
        _with("hire_date"),
    ),
    Rule(
        "enrolled_on",
        "enrolled_on > $census_date",
        "in the future: after the census date {census_date}",
        _AS_OF,
    ),
    Rule(
        "rehire_date",
        "rehire_date <= hire_date",
        "not after the hire date",
        "Leave it empty for an employee who has never left, or give the first hire date",
        _with("hire_date"),
    ),
    Rule(
        "rehire_date",
        "rehire_date > $census_date",
        "in the future: after the census date {census_date}",
        _AS_OF,
    ),
    Rule("roth_share", "roth_share not between 0 and 1", "outside 0 to 1", _ROTH),
    _too_long("grade"),
    _too_long("location"),
)


_EMPTY = tuple(
    Rule(
        column.name,
        f"{text_column(column.name)} is null and not is_blank",
        "empty",
        "Every row needs a value here",
        needs_column=True,
    )
    for column in COLUMNS
    if column.required
)

# In the order of the columns, so that the number of a rule sorts as its column.
RULES = tuple(
    sorted(
        (*_EMPTY, *(_unreadable(name) for name in POSITION), *_SPECIFIC),
        key=lambda rule: POSITION.get(rule.column or "", -1),
    )
)


def rules_of(columns: Sequence[Column], levels: int) -> tuple[Rule, ...]:
    """Return the rules of a census with these columns, those that a study adds among them.

    Args:
        columns: of the census.
        levels: how many job levels the study has.

    """
    own = {column.name: column for column in columns if column.is_own}
    return (
        *(
            _with_levels(rule, levels) if rule.column == "job_level" else rule
            for rule in RULES
            if rule.column not in own
        ),
        *(
            rule
            for column in own.values()
            for rule in (
                _unreadable(column.name),
                *([_too_long(column.name)] if column.kind is Kind.TEXT else []),
            )
        ),
    )


def _with_levels(rule: Rule, levels: int) -> Rule:
    texts = (rule.condition, rule.message, rule.remedy)
    condition, message, remedy = (text.replace("{levels}", str(levels)) for text in texts)
    return replace(rule, condition=condition, message=message, remedy=remedy)
