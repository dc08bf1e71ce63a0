"""SQL expressions: from a column of any type to text, and from text to a value.

Every file goes through text, so a CSV and a Parquet file of the same census
meet the same rules and give the same table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from planalign.census.columns import Column, Kind

# Space, tab, line ends, no-break space and the mark that begins some UTF-8 files.
_BLANKS = "chr(32) || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(65279)"
_DECIMAL = re.compile(r"DECIMAL\(\d+,\s*(\d+)\)")
# Types whose text DuckDB writes as this module reads it; NULL is a column without values.
_AS_WRITTEN = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN|DATE|TIMESTAMP(_S|_MS|_NS)?|UUID|NULL"
)

_MIDNIGHT = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]00:00(:00([.]0+)?)?(Z|[+-]00(:?00)?)?"  # 2020-01-31T00:00:00Z
)
_MONEY = "[+-]?[0-9]+([.][0-9]{1,2})?"
_WHOLE = "[+-]?[0-9]+([.]0+)?"
_NUMBER = "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_ENDLESS = "[+-]?(nan|inf|infinity)"
TRUE = ("true", "yes", "y", "1", "t")
FALSE = ("false", "no", "n", "0", "f")

# Characters of a cell; the longest of ours, a department, has 256.
_LONGEST = 1_000

# Below, a floating-point number of a type is the only one for a whole number: 2 to the
# bits of its significand.
WHOLE_UP_TO = {"FLOAT16": 2**11, "FLOAT": 2**24, "DOUBLE": 2**53}
# How the text of other whole numbers ends, of numbers next to zero, and of no number.
_NOT_TOLD_APART = "[.]0$|e[+-]?[0-9]+$|nan$|inf$"
_TOO_LARGE = (
    "a floating-point number that is not told apart from its neighbours",
    "Write the column as text, as whole numbers or as decimals",
)

_REMEDIES = {
    Kind.TEXT: "Write the column as text",
    Kind.DATE: "Write dates as yyyy-mm-dd, for example 1985-03-31",
    Kind.FLAG: "Write true or false (or yes/no, y/n, t/f, 1/0)",
    Kind.MONEY: "Write dollars as plain digits with at most two decimals, such as 52000.50",
    Kind.WHOLE: "Write a whole number from 1 to {levels}",
    Kind.NUMBER: "Write a plain number, and a rate as a fraction: 0.06 for 6 %",
}


def _faults_of_a_number(readable: str, otherwise: str) -> tuple[tuple[str, str], ...]:
    return (
        (readable, "a number far outside what this column can hold"),
        (_ENDLESS, "not a finite number"),
        (_NUMBER, otherwise),
        # Every currency sign is in Latin-1 or in a Unicode block of its own.
        (".*[$\u00a2-\u00a5\u20a0-\u20cf].*", "a number with a currency sign"),
        (
            ".*[0-9][ ,'\u00a0\u202f][0-9].*",
            "a number with a thousands separator or a decimal comma",
        ),
        (".*%", "a percentage"),
        (".*", "not a number"),
    )


# By kind, pattern and message; a text that is not readable matches one of them.
_FAULTS = {
    Kind.TEXT: (),
    Kind.DATE: (
        (f"{_MIDNIGHT}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}", "no such day"),
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9].*", "a date with a time of day"),
        (".*", "not a date"),
    ),
    Kind.FLAG: ((".*", "not true or false"),),
    Kind.MONEY: _faults_of_a_number(_MONEY, "more than two decimals"),
    Kind.WHOLE: _faults_of_a_number(_WHOLE, "not a whole number"),
    Kind.NUMBER: _faults_of_a_number(_NUMBER, "not a number"),
}


def text_of(reference: str, sql_type: str, kind: Kind) -> str | None:
    """Return the expression that gives a cell as trimmed text, null where it is empty.

    Args:
        reference: quoted identifier of the file's column.
        sql_type: its DuckDB type, or FLOAT16.
        kind: what the census column holds; a DOUBLE that holds money becomes the
            amount in cents that it is within 1e-6 of.

    Returns:
        None for a type that no census column can be read from.

    """
    sql_type = sql_type.strip('"')
    decimal = _DECIMAL.fullmatch(sql_type)
    written = f"cast({reference} as varchar)"
    if sql_type == "VARCHAR":
        # trim() with a set of characters is slow, and few cells need it.
        trimmed = f"trim({reference}, {_BLANKS})"
        unusual = f"regexp_matches({reference}, '^[^!-~]|[^!-~]$')"
        text = f"nullif(case when {unusual} then {trimmed} else {reference} end, '')"
        # No value is so long; every rule would go through it again.
        longest = f"left({reference}, {_LONGEST}) || '...'"
        written = f"case when strlen({reference}) > {4 * _LONGEST} then {longest} else {text} end"
    elif decimal and int(decimal[1]):
        written = _without_zeros(written)
    elif sql_type in WHOLE_UP_TO:
        written = _text_of_floating(reference, sql_type, kind)
    elif sql_type == "TIMESTAMP WITH TIME ZONE":
        # A cast would depend on the session's time zone; instants are read in UTC.
        instant = f"cast(make_timestamp(epoch_us({reference})) as varchar)"
        written = f"case when isfinite({reference}) then {instant} else 'infinity' end"
    elif not (decimal or _AS_WRITTEN.fullmatch(sql_type)):
        return None
    return written


def value_of(text: str, column: Column, *, floating: bool) -> str:
    """Return the expression that gives the value of a text, null where it has none.

    Numbers with more decimals than the column keeps are rounded half away from
    zero, except money, which must not have more than two.

    Args:
        text: expression for the text.
        column: which column of the census it is of.
        floating: whether `text_of` made it of a floating-point number.

    """
    if floating:
        fits = f"not regexp_matches({text}, '{_NOT_TOLD_APART}')"
        return f"case when {fits} then {value_of(text, column, floating=False)} end"
    if column.kind is Kind.TEXT:
        return text
    if column.kind is Kind.DATE:
        # What a date is written as again is yyyy-mm-dd; other spellings that
        # DuckDB reads, and 'infinity', differ in length or text.
        day = f"try_cast({text} as date)"
        return (
            f"case when length({text}) = 10 and cast({day} as varchar) = {text} then {day} "
            f"when regexp_full_match({text}, '{_MIDNIGHT}') "
            f"then try_cast(substr({text}, 1, 10) as date) end"
        )
    if column.kind is Kind.FLAG:
        true, false = (", ".join(f"'{word}'" for word in words) for words in (TRUE, FALSE))
        return (
            f"case when lower({text}) in ({true}) then true "
            f"when lower({text}) in ({false}) then false end"
        )
    pattern = {Kind.MONEY: _MONEY, Kind.WHOLE: _WHOLE, Kind.NUMBER: _NUMBER}[column.kind]
    number = f"try_cast({text} as {column.sql_type})"
    if column.kind is Kind.WHOLE:
        number = f"try_cast(try_cast({text} as decimal(38, 1)) as {column.sql_type})"
    return f"case when regexp_full_match({text}, '{pattern}') then {number} end"


@dataclass(frozen=True)
class Reason:
    """Why a text has no value: a pattern that all of it matches, in words, and what to do."""

    pattern: str
    message: str
    remedy: str


def reasons(column: Column, *, floating: bool) -> tuple[Reason, ...]:
    """Return why a text of a column may have no value; the first that it matches is it."""
    is_count = column.is_own and column.kind is Kind.WHOLE
    remedy = "Write a whole number" if is_count else _REMEDIES[column.kind]
    found = [Reason(pattern, message, remedy) for pattern, message in _FAULTS[column.kind]]
    if floating:
        found.insert(0, Reason(f".*({_NOT_TOLD_APART})", *_TOO_LARGE))
        found.insert(0, Reason(_ENDLESS, "not a finite number", remedy))
    return tuple(found)


def _without_zeros(written: str) -> str:
    return f"rtrim(rtrim({written}, '0'), '.')"


def _text_of_floating(reference: str, sql_type: str, kind: Kind) -> str:
    """Return the text of a floating-point number, which ends as `_NOT_TOLD_APART` beyond it."""
    number = f"cast({reference} as double)"
    limit = WHOLE_UP_TO[sql_type]
    is_whole = f"{number} = floor({number})"
    digits = f"cast(try_cast({number} as bigint) as varchar)"
    whole = f"when {is_whole} and abs({number}) < {limit} then {digits}"
    cents = f"try_cast({number} as decimal(38, {2 if kind is Kind.MONEY else 9}))"
    near = f"{cents} is not null"
    if kind is Kind.MONEY:
        near = f"abs({number} - cast({cents} as double)) <= 0.000001"
    exact = f"when not {is_whole} and {near} then {_without_zeros(f'cast({cents} as varchar)')}"
    otherwise = f"cast({number} as varchar)"
    if kind is Kind.TEXT:
        # In full: the shortest text that is this number of its type and no other.
        exact, otherwise = "", f"cast({reference} as varchar)"
    # First, because DuckDB decides comparisons from the bounds in a Parquet file,
    # which leave out NaN.
    endless = f"when not isfinite({number}) then cast({number} as varchar)"
    return f"case {endless} {whole} {exact} else {otherwise} end"
