"""Single values: numbers, choices and texts, how each is read and refused, and what it is."""

from __future__ import annotations

import datetime
import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Generic, TypeAlias, TypeVar, get_args

from pydantic_core import PydanticCustomError

T = TypeVar("T")
Reader: TypeAlias = Callable[[object], T]

# Models store rates as DECIMAL with six places: more could not be kept.
DECIMAL_PLACES = 6
NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TRUTHS = {"yes": "true", "y": "true", "on": "true", "true": "true"}
_TRUTHS |= {"no": "false", "n": "false", "off": "false", "false": "false"}
_PERCENT = re.compile(r"([-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of value: how one is read, and all that follows from it.

    `words` say which values there are, in a sentence. `schema` is the JSON schema,
    with `unit`, `step` (what the arrows of a form move by) and `decimals`. `columns`
    are the suffix and SQL type of each column that a key becomes, none where it is
    no single value; `cells` are their values.
    """

    read: Reader[T]
    words: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[tuple[str, str], ...] = ()
    cells: Callable[[T], tuple[Any, ...]] = lambda value: (value,)

    def __call__(self, value: object) -> T:
        """Return a value as read.

        Raises:
            PydanticCustomError, ValidationError: it is none of the kind.

        """
        return self.read(value)


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
    unit: str = "fraction",
    *,
    above: bool = False,
    below: bool = False,
    places: int = DECIMAL_PLACES,
) -> Kind[Decimal]:
    """Return the exact decimals from `low` to `high`, both inclusive.

    Args:
        low: the least value.
        high: the greatest value.
        example: a valid value, for the remedy.
        unit: what it counts, for people.
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

    words = f"{'above ' * above}{shown(least)} to {'below ' * below}{shown(most)}"
    few = {2: ", at most two decimals", 4: ", at most four decimals"}.get(places, "")
    schema = {
        "type": "number",
        "exclusiveMinimum" if above else "minimum": as_json(least),
        "exclusiveMaximum" if below else "maximum": as_json(most),
        "decimals": places,
        "step": as_json(_step(most - least, places)),
        "unit": unit,
    }
    return Kind(read, words + few, schema, (("", _decimal_type(most, places)),))


def whole(low: int, high: int, unit: str = "number") -> Kind[int]:
    """Return the whole numbers from `low` to `high`, both inclusive."""
    remedy = f"Write a whole number from {low} to {high}"

    def read(value: object) -> int:
        exact = _decimal(value, remedy)
        if not isinstance(value, int):
            raise fault("must be a whole number", remedy)
        if not low <= exact <= high:
            raise fault(f"must be from {low} to {high}", remedy)
        return value

    schema = {"type": "integer", "minimum": low, "maximum": high, "step": 1, "unit": unit}
    sql = "INTEGER" if high < 2**31 else "BIGINT"
    return Kind(read, f"{shown(low)} to {shown(high)}", schema, (("", sql),))


def shown(value: Decimal | int) -> str:
    """Return a bound as people read it: 10,000, but 2150; a power of two as one."""
    if value > 10**12:
        return f"2^{int(value).bit_length() - 1}"
    return plain(Decimal(value)) if value < 10_000 else f"{value:,}"


def as_json(value: Any) -> Any:
    """Return a setting as JSON has it: exact decimals as numbers, dates and paths as text."""
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _decimal_type(most: Decimal, places: int) -> str:
    if places == 2:
        return "DECIMAL(15,2)"
    return "DECIMAL(9,6)" if most < 1000 else "DECIMAL(18,6)"


def _step(span: Decimal, places: int) -> Decimal:
    """Return the power of ten next below a thousandth of a span, within what may be written."""
    power = int((span / 1000).log10().to_integral_value(ROUND_FLOOR))
    return Decimal(1).scaleb(min(0, max(-places, power)))


def _truth(value: object) -> bool:
    """Return true or false; words such as yes are told what to write instead."""
    if isinstance(value, bool):
        return value
    meant = _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None
    raise fault("must be true or false", f"Write {meant or 'true or false'}, without quotes")


truth = Kind(_truth, "`true` or `false`", {"type": "boolean"}, (("", "BOOLEAN"),))


def optional(kind: Kind[T]) -> Kind[T | None]:
    """Return a kind that may also be null, for nothing."""

    def read(value: object) -> T | None:
        return None if value is None else kind.read(value)

    schema = {**kind.schema, "type": [kind.schema["type"], "null"]}
    return Kind(read, kind.words, schema, kind.columns)


def choice(*allowed: str) -> Kind[str]:
    """Return the kind of one of a few words."""
    words = ", ".join(allowed)

    def read(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        near = difflib.get_close_matches(str(value)[:64].lower(), allowed, 1) if value else []
        lead = f"Did you mean {near[0]}? " if near else ""
        raise fault(f"must be one of {words}", f"{lead}Allowed values: {words}")

    *first, last = (f"`{word}`" for word in allowed)
    schema = {"type": "string", "enum": list(allowed)}
    return Kind(read, f"{', '.join(first)} or {last}", schema, (("", "VARCHAR"),))


def one_of(words: Any) -> Kind[str]:
    """Return the kind of the words of a `Literal`."""
    return choice(*get_args(words))


def text(what: str) -> Kind[str]:
    """Return the kind of non-empty text; `what` names it in the remedy."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise fault("must be text", f"Write {what}; put it in quotes if it looks like a number")
        if not value.strip():
            raise fault("is empty", f"Write {what}")
        if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
            raise fault("contains a control character", f"Write {what} in printable characters")
        return value

    return Kind(read, "", {"type": "string", "minLength": 1}, (("", "VARCHAR"),))


def matching(pattern: str, message: str, remedy: str) -> Kind[str]:
    """Return the kind of text that matches a pattern as a whole."""

    def read(value: object) -> str:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        raise fault(message, remedy)

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Kind(read, "", schema, (("", "VARCHAR"),))


def _calendar_date(value: object) -> datetime.date:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise fault("is not a day of the calendar", "Correct the month or the day") from None
    raise fault("must be a date", "Write it as year-month-day, for example 2024-12-31")


def _month_day(value: object) -> str:
    remedy = "Write month and day, for example 10-01"
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{2}-[0-9]{2}", value):
        raise fault("must be a month and a day", remedy)
    try:
        datetime.date.fromisoformat(f"2025-{value}")
    except ValueError:
        raise fault("is not a day that every year has", remedy) from None
    return value


# A date given as one or as text such as 2024-12-31.
calendar_date = Kind(_calendar_date, "", {"type": "string", "format": "date"}, (("", "DATE"),))
# A day that every year has, as MM-DD.
month_day = Kind(
    _month_day,
    "",
    {"type": "string", "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
    (("_month", "INTEGER"), ("_day", "INTEGER")),
    lambda value: tuple(int(part) for part in value.split("-")),
)


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
