"""SQL expressions: from a column of any type to text, and from text to a value.

Every file goes through text, so a CSV and a Parquet file of the same census
meet the same rules and give the same table.
"""

from __future__ import annotations

import re

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


def text_of(reference: str, sql_type: str, kind: Kind) -> str | None:
    """Return the expression that gives a cell as trimmed text, null where it is empty.

    Args:
        reference: quoted identifier of the file's column.
        sql_type: its DuckDB type.
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
        written = f"nullif(case when {unusual} then {trimmed} else {reference} end, '')"
    elif decimal and int(decimal[1]):
        written = _without_zeros(written)
    elif sql_type in {"FLOAT", "DOUBLE"}:
        written = _text_of_double(f"cast({reference} as double)", kind)
    elif sql_type == "TIMESTAMP WITH TIME ZONE":
        # A cast would depend on the session's time zone; instants are read in UTC.
        instant = f"cast(make_timestamp(epoch_us({reference})) as varchar)"
        written = f"case when isfinite({reference}) then {instant} else 'infinity' end"
    elif not (decimal or _AS_WRITTEN.fullmatch(sql_type)):
        return None
    return written


def value_of(text: str, column: Column) -> str:
    """Return the expression that gives the value of a text, null where it has none.

    Numbers with more decimals than the column keeps are rounded half away from
    zero, except money, which must not have more than two.
    """
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
        return (
            f"case when lower({text}) in ('true', 'yes', 'y', '1', 't') then true "
            f"when lower({text}) in ('false', 'no', 'n', '0', 'f') then false end"
        )
    pattern = {Kind.MONEY: _MONEY, Kind.WHOLE: _WHOLE, Kind.NUMBER: _NUMBER}[column.kind]
    number = f"try_cast({text} as {column.sql_type})"
    if column.kind is Kind.WHOLE:
        number = f"try_cast(try_cast({text} as decimal(38, 1)) as {column.sql_type})"
    return f"case when regexp_full_match({text}, '{pattern}') then {number} end"


def explain(column: Column, text: str) -> tuple[str, str]:
    """Return what is wrong with a text that has no value, and what to do about it."""
    if column.kind is Kind.DATE:
        remedy = "Write dates as yyyy-mm-dd, for example 1985-03-31"
        if re.fullmatch(_MIDNIGHT, text) or re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return "no such day", remedy
        if re.match(r"\d{4}-\d\d-\d\d[T ]\d", text):
            return "a date with a time of day", remedy
        return "not a date", remedy
    if column.kind is Kind.FLAG:
        return "not true or false", "Write true or false (or yes/no, y/n, t/f, 1/0)"
    return _explain_number(column.kind, text)


def _explain_number(kind: Kind, text: str) -> tuple[str, str]:
    remedy = {
        Kind.MONEY: "Write dollars as plain digits with at most two decimals, such as 52000.50",
        Kind.WHOLE: "Write a whole number from 1 to 5",
        Kind.NUMBER: "Write a plain number, and a rate as a fraction: 0.06 for 6 %",
    }[kind]
    readable = {Kind.MONEY: _MONEY, Kind.WHOLE: _WHOLE, Kind.NUMBER: _NUMBER}[kind]
    faults = (
        (readable, "a number far outside what this column can hold"),
        ("[+-]?(nan|inf|infinity)", "not a finite number"),
        (_NUMBER, "more than two decimals" if kind is Kind.MONEY else "not a whole number"),
        # Every currency sign is in Latin-1 or in a Unicode block of its own.
        (".*[$\u00a2-\u00a5\u20a0-\u20cf].*", "a number with a currency sign"),
        (
            ".*[0-9][ ,'\u00a0\u202f][0-9].*",
            "a number with a thousands separator or a decimal comma",
        ),
        (".*%", "a percentage"),
        (".*", "not a number"),
    )
    message = next(
        message
        for pattern, message in faults
        if re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL)
    )
    return message, remedy


def _without_zeros(written: str) -> str:
    return f"rtrim(rtrim({written}, '0'), '.')"


def _text_of_double(number: str, kind: Kind) -> str:
    # 2^53: up to here a double holds every integer.
    whole = (
        f"when {number} = floor({number}) and abs({number}) < 9007199254740992 "
        f"then cast(try_cast({number} as bigint) as varchar)"
    )
    if kind is Kind.MONEY:
        cents = f"try_cast({number} as decimal(38, 2))"
        near = f"when abs({number} - cast({cents} as double)) <= 0.000001"
    else:
        cents = f"try_cast({number} as decimal(38, 9))"
        near = f"when {cents} is not null"
    exact = f"{near} then {_without_zeros(f'cast({cents} as varchar)')}"
    # First, because DuckDB decides comparisons from the bounds in a Parquet file,
    # which leave out NaN.
    endless = f"when not isfinite({number}) then cast({number} as varchar)"
    return f"case {endless} {whole} {exact} else cast({number} as varchar) end"
