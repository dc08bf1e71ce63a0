"""Numbers in any habit: signs of currency and thousands, decimal commas, percentages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planalign.census.importing.grid import Cell

# How systems and people write that there is no value.
MISSING = frozenset(
    ["", "-", "--", "---", ".", "?", "n/a", "na", "n.a.", "#n/a", "null", "nil", "none", "(blank)",
     "blank", "unknown", "k.a.", "k. a.", "nan", "#ref!",
     "#value!", "#div/0!", "#name?", "#num!", "#null!", "tbd", "\u2013", "\u2014"]
)  # fmt: skip
_PLAIN = re.compile(r"(\$?)(\d[\d,]*(?:\.\d+)?)", re.ASCII)
_WIDE = re.compile("[\u00a0\u202f\u2009\t]")
_CURRENCY = re.compile(
    r"(?P<sign>[$€£¥₹]|(?<![a-z])(?:us\$|c\$|ca\$|a\$|usd|eur|gbp|chf|cad|aud|jpy|sek|nok|dkk|fr\.)"
    r"(?![a-z]))",
    re.IGNORECASE,
)
_CODES = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
          "c$": "CAD", "ca$": "CAD", "a$": "AUD", "fr.": "CHF"}  # fmt: skip
# What may stand behind or before a number and adds nothing to it.
_UNIT = re.compile(
    r"(?:/|\bper\b)?\s*\b(?:hour|hours|hr|hrs|h|std|week|wk|year|yr|annum|month|mo|pa|p\.a\.)\b\.?$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d[\d.,'\u2019 ]*|[.,]\d+")


@dataclass(frozen=True)
class Number:
    """What a text says as a number, before it is known which sign divides its decimals.

    Args:
        body: digits with points and commas, no other sign.
        is_negative: by minus, parentheses or a minus behind it.
        is_percent: a percent sign stands behind it.
        currency: three letters, where a sign or a code of one stands beside it.
    """

    body: str
    is_negative: bool = False
    is_percent: bool = False
    currency: str | None = None


def is_missing(cell: Cell) -> bool:
    """Return whether a cell stands for no value."""
    if isinstance(cell, str):
        return cell in MISSING or (len(cell) < 20 and cell.strip().casefold() in MISSING)
    return cell is None


def number_in(text: str) -> Number | None:
    """Return the number that a text is, or nothing where it is none."""
    if plain := _PLAIN.fullmatch(text):
        # Nearly all cells, and ten times as fast as what follows.
        return Number(plain[2], currency="USD" if plain[1] else None)
    rest = _WIDE.sub(" ", text).strip().rstrip("*\u2020\u2021").strip()
    currency = None
    if found := _CURRENCY.search(rest):
        sign = found["sign"].casefold()
        currency = _CODES.get(sign, sign.upper())
        rest = (rest[: found.start()] + " " + rest[found.end() :]).strip()
    negative = False
    if rest.startswith("(") and rest.endswith(")"):
        negative, rest = True, rest[1:-1].strip()
    if rest.endswith("%"):
        percent, rest = True, rest[:-1].strip()
    else:
        percent = False
    rest = _UNIT.sub("", rest).strip().rstrip("/").strip()
    if rest[:1] in {"-", "\u2212", "+"}:
        negative, rest = negative or rest[0] != "+", rest[1:].strip()
    elif rest[-1:] in {"-", "\u2212", "+"}:
        negative, rest = negative or rest[-1] != "+", rest[:-1].strip()
    if not _DIGITS.fullmatch(rest):
        return None
    body = rest.replace("'", "").replace("\u2019", "")
    body = body.replace(" ", "")
    # Swiss francs without centimes, and dollars so written on cheques.
    body = re.sub(r"[.,][-\u2013]+$", "", body)
    return Number(body, negative, percent, currency)


def decimal_sign(bodies: Iterable[str]) -> tuple[str | None, int, int]:
    """Return the sign of decimals that all numbers agree on, and the votes for each.

    Returns:
        "." or ",", or None where nothing tells or they contradict; how many numbers can
        be read with a point alone, and how many with a comma alone.
    """
    points = commas = 0
    for body in bodies:
        reads_point, reads_comma = _reads(body, "."), _reads(body, ",")
        if reads_point and not reads_comma:
            points += 1
        elif reads_comma and not reads_point:
            commas += 1
    if points and not commas:
        return ".", points, commas
    if commas and not points:
        return ",", points, commas
    return None, points, commas


def _reads(body: str, sign: str) -> bool:
    """Return whether a number can be read with a sign of decimals."""
    other = "," if sign == "." else "."
    whole, _, decimals = body.partition(sign)
    if not decimals and other not in whole:
        return True
    if sign in decimals or other in decimals:
        return False
    groups = whole.split(other)
    if len(groups) == 1:
        return True
    # In groups of three; of two in India, before the last.
    return (
        0 < len(groups[0]) <= 3
        and len(groups[-1]) == 3
        and all(len(group) in {2, 3} for group in groups[1:-1])
    )


def is_telling(body: str) -> bool:
    """Return whether a number has a point or a comma, so that the sign of decimals matters."""
    return "." in body or "," in body


def value_of(number: Number, sign: str) -> Decimal | None:
    """Return the value of a number, its percent sign not applied."""
    if not _reads(number.body, sign):
        return None
    other = "," if sign == "." else "."
    try:
        value = Decimal(number.body.replace(other, "").replace(sign, "."))
    except InvalidOperation:
        return None
    return -value if number.is_negative else value


def exact(value: float) -> Decimal:
    """Return the decimal that a workbook shows for a floating-point number.

    A workbook keeps 15 digits; what comes behind them is the machine's.
    """
    return Decimal(format(value, ".15g"))
