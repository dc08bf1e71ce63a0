"""The SQL statements that read a census.

They are put together from constants, from the quoted names of `columns.COLUMNS`
and the identifiers DuckDB gave a file's columns, and from a checked table name;
paths, dates and delimiters are bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.census.cells import value_of
from planalign.census.columns import COLUMNS, NAMES, quoted
from planalign.census.rules import ACTIVE, TEXT_OF

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.census.rules import Rule

# Text and value of every cell, a row per row of the file.
CELLS = "temp.planalign_census_cells"

# Yearly pay below this, in dollars, is more likely an hourly or monthly rate.
LOW_PAY = 1000

DROP_CELLS = f"drop table if exists {CELLS}"

# Ids and departments are stored as they are; what a social security number looks like.
_NUMBER = "'[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}'"

# One row: employees, active ones, inactive ones without a date, active ones with
# low pay, the latest hire if it is more than two years before the census date, and
# those with a social security number where it would be stored.
SUMMARY = "\n".join(
    [
        "select",
        "    count(*),",
        f"    count(*) filter ({ACTIVE}),",
        "    count(*) filter (not active and termination_date is null),",
        f"    count(*) filter (annual_compensation < {LOW_PAY} and {ACTIVE}),",
        "    case when max(hire_date) < $census_date - interval 2 year then max(hire_date) end,",
        f"    count(*) filter (regexp_full_match(employee_id, {_NUMBER})",
        f"        or regexp_full_match(department, {_NUMBER}))",
        f"from {CELLS}",
    ]
)


def load(scan: str, row_number: str, texts: Mapping[str, str]) -> str:
    """Return the statement that fills the table of cells.

    Args:
        scan: table function to select from.
        row_number: expression for the 1-based number of a row.
        texts: census column -> expression for its text; null where there is none.

    """
    complete = dict.fromkeys(NAMES, "cast(null as varchar)") | dict(texts)
    as_text = ", ".join(f"{complete[name]} as {quoted(TEXT_OF[name])}" for name in NAMES)
    values = ", ".join(
        f"{value_of(quoted(TEXT_OF[column.name]), column)} as {quoted(column.name)}"
        for column in COLUMNS
    )
    return "\n".join(
        [
            f"create or replace temp table {CELLS} as",
            "with texts as (",
            f"    select {row_number} as file_row, {as_text}",
            f"    from {scan}",
            ")",
            f"select *, {values}",
            "from texts",
        ]
    )


def violations(rules: Sequence[Rule], most: int) -> str:
    """Return the query that gives each broken rule of each row, by row and rule.

    A row of the result holds the row in the file, the number of the rule, how
    many there are in all, the first row of the same employee where there are
    several, and the text of every cell.
    """
    any_rule = " or ".join(f"({rule.condition})" for rule in rules)
    numbers = ", ".join(
        f"case when {rule.condition} then {number} end" for number, rule in enumerate(rules)
    )
    texts = ", ".join(quoted(TEXT_OF[name]) for name in NAMES)
    return "\n".join(
        [
            "with repeated as (",
            "    select employee_id, min(file_row) as first_row",
            f"    from {CELLS}",
            "    where employee_id is not null",
            "    group by employee_id",
            "    having count(*) > 1",
            "),",
            "offending as (",
            "    select *",
            f"    from {CELLS} left join repeated using (employee_id)",
            f"    where {any_rule}",
            "),",
            "numbered as (",
            f"    select *, unnest([{numbers}]) as rule_number",
            "    from offending",
            "),",
            "broken as (",
            "    select *, count(*) over () as total from numbered",
            "    where rule_number is not null",
            ")",
            f"select file_row, rule_number, total, first_row, {texts}",
            "from broken",
            "order by file_row, rule_number",
            f"limit {most}",
        ]
    )


def publish(target: str) -> str:
    """Return the statement that makes the census table; `target` is quoted."""
    columns = ", ".join(quoted(name) for name in NAMES)
    return "\n".join([f"create or replace table {target} as", f"select {columns}", f"from {CELLS}"])
