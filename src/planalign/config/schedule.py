"""Values that may differ by year and by job level."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union, cast

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from planalign.config.frozen import FrozenDict
from planalign.config.scalars import Kind, Reader, fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from pydantic import ValidationInfo

T = TypeVar("T")

# Union, not |: a generic alias over a type variable needs it on Python 3.11.
ByYear: TypeAlias = Union[T, Mapping[int, T]]  # noqa: UP007
ByYearAndLevel: TypeAlias = Union[T, Mapping[int, Union[T, Mapping[int, T]]]]  # noqa: UP007

MOST_LEVELS = 30
# Which levels there may be; those of a study are `Setting.levels`.
LEVELS = range(1, MOST_LEVELS + 1)
LEVEL_PATTERN = "^([1-9]|[12][0-9]|30)$"
YEARS = range(1900, 2201)
# What a study may call a column or a parameter of its own.
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# The same years as the keys of a mapping in JSON.
YEAR_PATTERN = "^(19[0-9]{2}|2[01][0-9]{2}|2200)$"


@dataclass(frozen=True)
class Setting:
    """What validation knows beyond the value in hand.

    `folder` is where relative paths start; `start_year` the first simulated
    year and `designs` the names of the plan designs, None while that is itself
    unknown; `extra_columns` the names of the columns that the study adds to the census;
    `levels` how many job levels the study has, `hire_shares` the weight of each in hires
    and `tables` the names of its reference tables, None while that is itself unknown.
    """

    folder: Path = Path()
    start_year: int | None = None
    designs: tuple[str, ...] | None = ()
    extra_columns: tuple[str, ...] = ()
    levels: int | None = None
    hire_shares: Mapping[int, Decimal] | None = None
    tables: tuple[str, ...] | None = None

    def is_level(self, key: object) -> bool:
        """Say whether a key is a job level of the study."""
        return _is_in(key, LEVELS if self.levels is None else range(1, self.levels + 1))

    def no_level(self) -> PydanticCustomError:
        """Return the error of a key that is no job level of the study."""
        remedy = f"Use the levels 1 to {MOST_LEVELS if self.levels is None else self.levels}"
        return fault("is not a job level", f"{remedy}, which job_levels lists")


@dataclass(frozen=True)
class Read:
    """Say in an annotation how a field is read; nothing else looks at the value.

    Instead of `PlainValidator`, which derives a serializer from the annotation
    that fails on a union of one value and values by year.

    Args:
        kind: that of one value.
        by_year: whether it may be given by year.
        by_level: whether it may be given by job level, too.
        by_name: whether it is many such values, each under a name of the user's.
        check: what looks at the value with what else is known, and returns it.

    """

    kind: Kind[Any]
    by_year: bool = False
    by_level: bool = False
    by_name: bool = False
    check: Callable[[Any, Setting], Any] | None = None

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        """Return the schema that validates by calling the kind."""

        def validate(value: object, info: ValidationInfo) -> Any:
            where = info.context or Setting()
            if self.by_name:
                return _read_names(value, self._one, where)
            found = self._one(value, where)
            return self.check(found, where) if self.check else found

        return core_schema.with_info_plain_validator_function(validate)

    def _one(self, value: object, where: Setting) -> Any:
        if self.by_year:
            return _read(value, self.kind, where, levels=self.by_level)
        return self.kind(value)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema: the value, or that by year or by level, or many by name."""
        if not self.by_name:
            return self._schema_of_one
        return {
            "type": ["object", "null"],
            "patternProperties": {f"^{NAME.pattern}$": self._schema_of_one},
            "additionalProperties": False,
        }

    @property
    def _schema_of_one(self) -> dict[str, Any]:
        value = dict(self.kind.schema)
        levels = {
            "type": "object",
            "patternProperties": {LEVEL_PATTERN: value},
            "additionalProperties": False,
            "minProperties": 1,
        }
        years = {
            "type": "object",
            "patternProperties": {
                YEAR_PATTERN: {"anyOf": [value, levels]} if self.by_level else value
            },
            "additionalProperties": False,
            "minProperties": 1,
        }
        if not self.by_year:
            return value
        return {"anyOf": [value, levels, years] if self.by_level else [value, years]}


def single(kind: Kind[Any]) -> Read:
    """Return the annotation of a field that has one value."""
    return Read(kind)


def by_year(kind: Kind[Any]) -> Read:
    """Return the annotation of a field that may be given by year."""
    return Read(kind, by_year=True)


def by_name_and_year(kind: Kind[Any]) -> Read:
    """Return the annotation of a field of many values by name, each of which may be by year."""
    return Read(kind, by_year=True, by_name=True)


def by_year_and_level(kind: Kind[Any]) -> Read:
    """Return the annotation of a field that may be given by year and by level."""
    return Read(kind, by_year=True, by_level=True)


def value_at(value: ByYearAndLevel[T], year: int, level: int | None = None) -> T:
    """Return the value that holds in a year, for a job level where it differs.

    A value given by year holds until the next year given.

    Raises:
        LookupError: nothing is given for the year, or the value differs by
            level and none was asked for.

    """
    current: Any = value
    if isinstance(current, Mapping) and next(iter(current)) in YEARS:
        reached = [first for first in current if first <= year]
        if not reached:
            raise LookupError(f"no value for {year}: the first is for {min(current)}")
        current = current[max(reached)]
    if isinstance(current, Mapping):
        if level is None:
            raise LookupError("the value differs by job level: ask for one")
        current = current[level]
    return cast("T", current)


def change_years(*values: ByYear[Any]) -> list[int]:
    """Return the years in which any of the values changes and all are given, ascending."""
    given = [value for value in values if isinstance(value, Mapping)]
    return sorted({year for value in given for year in value if year >= max(map(min, given))})


class Faults:
    """Collect the faults inside one value, each at its place below it."""

    def __init__(self) -> None:
        self._found: list[InitErrorDetails] = []

    def add(self, error: PydanticCustomError, value: object, *path: int | str) -> None:
        """Note a fault of `value` at `path`, relative to the field."""
        self._found.append(InitErrorDetails(type=error, loc=path, input=value))

    def take(self, read: Reader[T], value: object, *path: int | str) -> T | None:
        """Return the value read, or None after noting why it cannot be."""
        try:
            return read(value)
        except PydanticCustomError as error:
            self.add(error, value, *path)
        except ValidationError as error:  # of a list or mapping: each fault at its own place
            for entry in error.errors(include_url=False):
                again = fault(entry["ctx"]["message"], entry["ctx"]["remedy"])
                self.add(again, entry["input"], *path, *entry["loc"])
        return None

    def check(self) -> None:
        """Raise everything collected; pydantic puts the field's own path in front."""
        if self._found:
            raise ValidationError.from_exception_data("value", self._found)


def name_fault() -> PydanticCustomError:
    """Return the error of a name that is none of `NAME`."""
    remedy = "Use a lower-case letter, then up to 62 of such letters, digits and underscores"
    return fault("is not a name", remedy)


def _read_names(
    value: object, read: Callable[[object, Setting], Any], where: Setting
) -> FrozenDict[str, Any]:
    """Read one value, or values by year, under each name."""
    if value is None:
        return FrozenDict()
    if not isinstance(value, Mapping):
        raise fault("must be a mapping", "Write {name: value}")
    faults = Faults()
    found = {}
    for name, given in value.items():
        if isinstance(name, str) and NAME.fullmatch(name):
            found[name] = faults.take(lambda one: read(one, where), given, name)
        else:
            faults.add(name_fault(), given, name)
    faults.check()
    return FrozenDict(found)


def _read(value: object, read: Reader[T], where: Setting, *, levels: bool) -> Any:
    if not isinstance(value, Mapping):
        return read(value)
    faults = Faults()
    result: Any
    if levels and _any_in(value, LEVELS) and not _any_in(value, YEARS):
        result = _read_levels(value, read, faults, where)
    else:
        _check_years(value, where, faults, levels=levels)
        result = _read_years(value, read, faults, where, levels=levels)
    faults.check()
    return result


def _read_years(
    value: Mapping[Any, object],
    read: Reader[T],
    faults: Faults,
    where: Setting,
    *,
    levels: bool,
) -> FrozenDict[int, Any]:
    result: dict[int, Any] = {}
    for year in sorted(key for key in value if _is_in(key, YEARS)):
        entry = value[year]
        if levels and isinstance(entry, Mapping):
            result[year] = _read_levels(entry, read, faults, where, year)
        elif isinstance(entry, Mapping):
            faults.add(fault("must be a single value", "Give one value for the year"), entry, year)
        else:
            result[year] = faults.take(read, entry, year)
    return FrozenDict(result)


def _check_years(
    value: Mapping[Any, object], where: Setting, faults: Faults, *, levels: bool
) -> None:
    """Note keys that are no years, and years at the start that have no value."""
    most = MOST_LEVELS if where.levels is None else where.levels
    allowed = f"years or job levels 1 to {most}" if levels else "years"
    years = [key for key in value if _is_in(key, YEARS)]
    others = [key for key in value if not _is_in(key, YEARS)]
    if not value:
        faults.add(fault("gives no value", f"Write one value, or values by {allowed}"), value)
    elif years and levels and _any_in(value, LEVELS):
        remedy = "Give years outside and levels inside, for example {2025: {1: 0.02, ...}}"
        faults.add(fault("mixes years and job levels", remedy), value)
        return
    elif not years and not levels and all(_is_in(key, LEVELS) for key in others):
        remedy = "Give one value, or values by year"
        faults.add(fault("cannot be given by job level", remedy), value)
        return
    for key in others:
        faults.add(_no_year(key, allowed), value[key], key)
    if where.start_year is not None and years and min(years) > where.start_year:
        message = f"has no value for the years before {min(years)}"
        faults.add(fault(message, f"Add a value for {where.start_year}"), value)


def _no_year(key: object, allowed: str) -> PydanticCustomError:
    if isinstance(key, str) and key.strip().isdigit():
        return fault("is a key in quotes where a number belongs", "Remove the quotes")
    return fault("is not a key of a value by year", f"Use {allowed} ({YEARS[0]} to {YEARS[-1]})")


def _read_levels(
    value: Mapping[Any, object], read: Reader[T], faults: Faults, where: Setting, *path: int
) -> FrozenDict[int, T | None]:
    """Read one value for each of the study's job levels."""
    known = [level for level in LEVELS if where.is_level(level)]
    for key in value:
        if not where.is_level(key):
            faults.add(where.no_level(), value[key], *path, key)
    missing = [str(level) for level in known if level not in value]
    if missing and where.levels is not None:
        remedy = f"Give a value for each of the {where.levels} job levels"
        faults.add(fault(f"has no value for job level {', '.join(missing)}", remedy), value, *path)
    return FrozenDict(
        {level: faults.take(read, value[level], *path, level) for level in known if level in value}
    )


def _any_in(keys: Mapping[Any, object], allowed: range) -> bool:
    return any(_is_in(key, allowed) for key in keys)


def _is_in(key: object, allowed: range) -> bool:
    return isinstance(key, int) and not isinstance(key, bool) and key in allowed
