"""Single values: numbers, choices and texts, and how each is read and refused."""

from __future__ import annotations

import datetime
import difflib
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias, TypeVar

from pydantic_core import PydanticCustomError

T = TypeVar("T")
Reader: TypeAlias = Callable[[object], T]

# Models store rates as DECIMAL with six places: more could not be kept.
DECIMAL_PLACES = 6
NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TRUTHS = {"yes": "true", "y": "true", "on": "true", "true": "true"}
_TRUTHS |= {"no": "false", "n": "false", "off": "false", "false": "false"}
_PERCENT = re.compile(r"([-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%")


def fault(message: str, remedy: str) -> PydanticCustomError:
    """Return the error of one value: what is wrong with it and what to do."""
    return PydanticCustomError("planalign", "{message}", {"message": message, "remedy": remedy})


def plain(value: Decimal) -> str:
    """Return a decimal as digits without exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(
    low: str,
    high: str,
    example: str,
    *,
    above: bool = False,
    below: bool = False,
    places: int = DECIMAL_PLACES,
) -> Reader[Decimal]:
    """Return a reader of exact decimals from `low` to `high`, both inclusive.

    Args:
        low: the least value.
        high: the greatest value.
        example: a valid value, for the remedy.
        above: whether `low` itself is refused.
        below: whether `high` itself is refused.
        places: how many decimal places there may be.

    """
    least, most = Decimal(low), Decimal(high)
    start = f"above {low} and up to" if above else f"from {low} to"
    span = f"from {low} up to, but not including, {high}" if below else f"{start} {high}"
    remedy = f"Write a number {span}, for example {example}"

    def read(value: object) -> Decimal:
        exact = _decimal(value, remedy)
        at_end = (above and exact == least) or (below and exact == most)
        if not least <= exact <= most or at_end:
            raise fault(f"must be {span}", remedy)
        if _places(exact) > places:
            raise fault(f"has more than {places} decimal places", "Round it")
        return _tidy(exact)

    return read


def whole(low: int, high: int) -> Reader[int]:
    """Return a reader of whole numbers from `low` to `high`, both inclusive."""
    remedy = f"Write a whole number from {low} to {high}"

    def read(value: object) -> int:
        exact = _decimal(value, remedy)
        if not isinstance(value, int):
            raise fault("must be a whole number", remedy)
        if not low <= exact <= high:
            raise fault(f"must be from {low} to {high}", remedy)
        return value

    return read


def truth(value: object) -> bool:
    """Return true or false; words such as yes are told what to write instead."""
    if isinstance(value, bool):
        return value
    meant = _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None
    raise fault("must be true or false", f"Write {meant or 'true or false'}, without quotes")


def optional(read: Reader[T]) -> Reader[T | None]:
    """Return a reader that also takes null, for nothing."""
    return lambda value: None if value is None else read(value)


def choice(*allowed: str) -> Reader[str]:
    """Return a reader of one of a few words."""
    words = ", ".join(allowed)

    def read(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        near = difflib.get_close_matches(str(value)[:64].lower(), allowed, 1) if value else []
        lead = f"Did you mean {near[0]}? " if near else ""
        raise fault(f"must be one of {words}", f"{lead}Allowed values: {words}")

    return read


def text(what: str) -> Reader[str]:
    """Return a reader of non-empty text; `what` names it in the remedy."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise fault("must be text", f"Write {what}; put it in quotes if it looks like a number")
        if not value.strip():
            raise fault("is empty", f"Write {what}")
        if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
            raise fault("contains a control character", f"Write {what} in printable characters")
        return value

    return read


def calendar_date(value: object) -> datetime.date:
    """Return a date given as one or as text such as 2024-12-31."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise fault("is not a day of the calendar", "Correct the month or the day") from None
    raise fault("must be a date", "Write it as year-month-day, for example 2024-12-31")


def month_day(value: object) -> str:
    """Return a day that every year has, as MM-DD."""
    remedy = "Write month and day, for example 10-01"
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{2}-[0-9]{2}", value):
        raise fault("must be a month and a day", remedy)
    try:
        datetime.date.fromisoformat(f"2025-{value}")
    except ValueError:
        raise fault("is not a day that every year has", remedy) from None
    return value


def _decimal(value: object, remedy: str) -> Decimal:
    """Return a number exactly as written, or raise the fault that fits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, Decimal):
        if value.is_finite():
            return value
        raise fault("must be a finite number", remedy)
    if value is None:
        raise fault("has no value", f"{remedy}, or remove the key to use its default")
    if isinstance(value, str):
        raise _text_as_number(value.strip(), remedy)
    raise fault("must be a number", remedy)


def _text_as_number(value: str, remedy: str) -> PydanticCustomError:
    """Return the fault of a text where a number belongs."""
    if percent := _PERCENT.fullmatch(value):
        fraction = plain(Decimal(percent[1]).scaleb(-2))
        return fault("is a percentage; shares are written as fractions", f"Write {fraction}")
    if NUMBER.fullmatch(value):
        return fault("is text, not a number", "Remove the quotes around the number")
    return fault("must be a number", remedy)


def _tidy(value: Decimal) -> Decimal:
    """Return an equal decimal with at most six places, no exponent and no negative zero."""
    if value.is_zero():
        return Decimal(0)
    _, _, exponent = value.as_tuple()
    if not isinstance(exponent, int) or -DECIMAL_PLACES <= exponent <= 0:
        return value
    return value.quantize(Decimal(1).scaleb(-DECIMAL_PLACES if exponent < 0 else 0))


def _places(value: Decimal) -> int:
    """Count decimal places, trailing zeros aside; `normalize` would round first."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or value.is_zero():
        return 0
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -exponent - zeros)
