"""Weights over job levels, ages and months, and performance ratings.

Weights are relative: they are divided by their sum where they are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from planalign.config.frozen import FrozenDict
from planalign.config.scalars import Kind, fault, number
from planalign.config.schedule import LEVEL_PATTERN, LEVELS, Faults, Setting

YOUNGEST, OLDEST = 16, 75
_BAND = re.compile(r"([0-9]{1,3})\s*-\s*([0-9]{1,3})")

weight = number("0", "1000000", "0.25", "relative weight")


class AgeBand(NamedTuple):
    """Ages from `low` to `high`, both inclusive, in completed years."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"


def _read_level_weights(value: object) -> FrozenDict[int, Decimal]:
    """Return weights by job level, ascending."""
    given = _mapping(value, "Write weights by job level, for example {1: 0.6, 2: 0.4}")
    faults = Faults()
    weights: dict[int, Decimal] = {}
    for key, entry in given.items():
        if isinstance(key, bool) or key not in LEVELS:
            faults.add(Setting().no_level(), entry, key)
        else:
            weights[key] = faults.take(weight, entry, key) or Decimal(0)
    faults.check()
    _some_positive(weights.values())
    return FrozenDict({level: weights[level] for level in sorted(weights)})


def of_each_level(
    weights: Mapping[int, Decimal] | None, where: Setting
) -> Mapping[int, Decimal] | None:
    """Return a weight for every job level of the study; a level that is left out has none."""
    if where.levels is None:
        return weights
    if weights is None:
        raise fault(
            "has no value, and the reference table job_levels has no hire_share",
            "Write weights by job level, for example {1: 0.6, 2: 0.4}",
        )
    faults = Faults()
    for level, entry in weights.items():
        if not where.is_level(level):
            faults.add(where.no_level(), entry, level)
    faults.check()
    return FrozenDict(
        {level: weights.get(level, Decimal(0)) for level in range(1, where.levels + 1)}
    )


def _read_age_weights(value: object) -> FrozenDict[str, Decimal]:
    """Return weights by age band such as "25-34", in ascending order of age."""
    given = _mapping(value, 'Write weights by age band, for example {"25-34": 0.6}')
    faults = Faults()
    bands: dict[AgeBand, Decimal] = {}
    for key, entry in given.items():
        band = faults.take(_band, key, key)
        share = faults.take(weight, entry, key)
        if band is not None:
            clash = next((b for b in bands if b.low <= band.high and band.low <= b.high), None)
            if clash is not None:
                error = fault(f"overlaps the band {clash}", "Let every age be in one band only")
                faults.add(error, key, key)
            bands[band] = share or Decimal(0)
    faults.check()
    _some_positive(bands.values())
    return FrozenDict({str(band): bands[band] for band in sorted(bands)})


def _read_month_weights(value: object) -> tuple[Decimal, ...]:
    """Return twelve weights, January first."""
    remedy = "Write a list of twelve numbers, January first"
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise fault("must be a list of twelve weights", remedy)
    faults = Faults()
    if len(value) != 12:
        faults.add(fault(f"has {len(value)} weights instead of twelve", remedy), value)
    weights = [faults.take(weight, entry, index) for index, entry in enumerate(value)]
    faults.check()
    months = tuple(Decimal(0) if entry is None else entry for entry in weights)
    _some_positive(months)
    return months


def parse_band(key: str) -> AgeBand:
    """Return the band that a key such as "25-34" stands for."""
    low, _, high = key.partition("-")
    return AgeBand(int(low), int(high))


def _band(key: object) -> AgeBand:
    remedy = f'Write a band of ages from {YOUNGEST} to {OLDEST}, for example "25-34"'
    match = _BAND.fullmatch(key) if isinstance(key, str) else None
    if match is None:
        raise fault("is not a band of ages", remedy)
    band = AgeBand(int(match[1]), int(match[2]))
    if not YOUNGEST <= band.low <= band.high <= OLDEST:
        raise fault(f"is not a band within {YOUNGEST} to {OLDEST}", remedy)
    return band


def _mapping(value: object, remedy: str) -> Mapping[Any, object]:
    if isinstance(value, Mapping):
        return value
    raise fault("must be a mapping", remedy)


def _some_positive(weights: Any) -> None:
    if not any(entry > 0 for entry in weights):
        raise fault("has no weight above zero", "Make at least one weight positive")


def _by(pattern: str) -> dict[str, Any]:
    """Return the JSON schema of weights by keys of a pattern."""
    return {
        "type": "object",
        "patternProperties": {pattern: dict(weight.schema)},
        "additionalProperties": False,
        "minProperties": 1,
    }


weights_by_level = Kind(_read_level_weights, weight.words, _by(LEVEL_PATTERN))
weights_by_age = Kind(_read_age_weights, weight.words, _by(f"^{_BAND.pattern}$"))
weights_by_month = Kind(
    _read_month_weights,
    weight.words,
    {"type": "array", "items": dict(weight.schema), "minItems": 12, "maxItems": 12},
)
