"""Lists of values: classes that are left out, tiers of a formula, vesting schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar, cast

from planalign.config.frozen import FrozenDict
from planalign.config.scalars import Kind, Reader, fault, number, plain, whole
from planalign.config.schedule import Faults

T = TypeVar("T")

# A mapping, because it is read from one and written as one: its first key is `from`.
Tier: TypeAlias = Mapping[str, Any]
# The vested share after 0, 1, 2, .. completed years of service; the last one holds on.
VestedShares: TypeAlias = tuple[Decimal, ...]

IMMEDIATE: VestedShares = (Decimal(1),)
MOST_GROUPS, MOST_TIERS, MOST_SHARES, MOST_PLACES = 10, 6, 7, 9

_FROM = whole(0, 200)
_MATCH: dict[str, Kind[Any]] = {
    "from": _FROM,
    "up_to": number("0", "1", "0.06", above=True, places=4),
    "rate": number("0", "10", "0.5", "dollars per dollar", places=4),
}
_CORE: dict[str, Kind[Any]] = {"from": _FROM, "rate": number("0", "1", "0.03")}
_share = number("0", "1", "0.2")
_multiplier = number("0", "100", "1", "times")


def entries(value: object, read: Reader[T], remedy: str) -> tuple[T, ...]:
    """Return every entry of a list as read, or raise the faults of all of them."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise fault("must be a list", remedy)
    faults = Faults()
    found = [faults.take(read, entry, index) for index, entry in enumerate(value)]
    faults.check()
    return cast("tuple[T, ...]", tuple(found))


def distinct(kind: Kind[Any], remedy: str) -> Kind[tuple[Any, ...]]:
    """Return the kind of lists without repeats, whose order means nothing."""

    def read_all(value: object) -> tuple[Any, ...]:
        faults = Faults()
        seen: set[Any] = set()
        for index, entry in enumerate(entries(value, kind, remedy)):
            if entry in seen:
                faults.add(fault("is given twice", "Write it once"), entry, index)
            seen.add(entry)
        faults.check()
        return tuple(sorted(seen))

    schema = {"type": "array", "items": dict(kind.schema), "uniqueItems": True}
    return Kind(read_all, "", schema)


def _read_match_tiers(value: object) -> tuple[Tier, ...]:
    """Return the tiers of a match in the order of `from`, then `up_to`."""
    remedy = "Write a list of tiers, for example [{up_to: 0.03, rate: 1}, {up_to: 0.05, rate: 0.5}]"
    found = entries(value, lambda entry: _tier(entry, _MATCH), remedy)
    faults = Faults()
    groups: dict[int, list[Decimal]] = {}
    for index, tier in enumerate(found):
        group = groups.setdefault(tier["from"], [])
        if group and tier["up_to"] <= group[-1]:
            error = fault(
                f"is not above the {plain(group[-1])} before it", "Put the tiers in ascending order"
            )
            faults.add(error, tier["up_to"], index, "up_to")
        group.append(tier["up_to"])
    for start, group in groups.items():
        if len(group) > MOST_TIERS:
            message = f"has {len(group)} tiers from {start}"
            faults.add(fault(message, f"Write at most {MOST_TIERS}"), value)
    if len(groups) > MOST_GROUPS:
        message = f"has tiers from {len(groups)} different values"
        faults.add(fault(message, f"Write at most {MOST_GROUPS}"), value)
    if 0 not in groups:
        faults.add(fault("has no tier from 0", "Say what holds from 0; the rate may be 0"), value)
    faults.check()
    return tuple(sorted(found, key=lambda tier: int(tier["from"])))


def _read_core_tiers(value: object) -> tuple[Tier, ...]:
    """Return the tiers of a core contribution, ascending by `from`."""
    remedy = "Write a list of tiers, for example [{from: 0, rate: 0.02}, {from: 10, rate: 0.04}]"
    found = entries(value, lambda entry: _tier(entry, _CORE), remedy)
    faults = Faults()
    if found and found[0]["from"]:
        faults.add(fault("is not 0", "Begin with the tier from 0"), found[0]["from"], 0, "from")
    for index, (before, tier) in enumerate(pairwise(found), start=1):
        if tier["from"] <= before["from"]:
            error = fault(
                f"is not above the {before['from']} before it", "Put the tiers in ascending order"
            )
            faults.add(error, tier["from"], index, "from")
    faults.check()
    return found


def _read_vested_shares(value: object) -> VestedShares:
    """Return the vested share after 0, 1, 2, .. completed years of service."""
    if value == "immediate":
        return IMMEDIATE
    remedy = (
        "Write immediate, or the vested share after 0, 1, 2, .. years of service up to 1, "
        "for example [0, 0.2, 0.4, 0.6, 0.8, 1]"
    )
    shares = entries(value, _share, remedy)
    faults = Faults()
    for index, (before, share) in enumerate(pairwise(shares), start=1):
        if share < before:
            faults.add(fault(f"is below the {plain(before)} before it", remedy), share, index)
    if len(shares) > MOST_SHARES:
        faults.add(fault(f"has more than {MOST_SHARES} shares", remedy), value)
    if not shares or shares[-1] != 1:
        faults.add(fault("does not end with 1", remedy), value)
    faults.check()
    return shares


def _read_multipliers(value: object) -> Decimal | tuple[Decimal, ...]:
    """Return one multiplier, or one for each position in the band, lowest first."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return entries(value, _multiplier, "Write a number, or a list of numbers")
    return _multiplier(value)


def _read_places(value: object) -> tuple[Decimal, ...]:
    """Return places in a pay band, ascending."""
    remedy = "Write places in the pay range in ascending order, for example [0.33, 0.67, 1]"
    places = entries(value, _share, remedy)
    faults = Faults()
    for index, (before, place) in enumerate(pairwise(places), start=1):
        if place <= before:
            faults.add(fault(f"is not above the {plain(before)} before it", remedy), place, index)
    if len(places) > MOST_PLACES:
        faults.add(fault(f"has more than {MOST_PLACES} places", remedy), value)
    faults.check()
    return places


def highest(multiplier: Decimal | tuple[Decimal, ...]) -> Decimal:
    """Return the highest of the multipliers of a rating."""
    return max(multiplier) if isinstance(multiplier, tuple) else multiplier


def _tiers(kinds: Mapping[str, Kind[Any]]) -> dict[str, Any]:
    """Return the JSON schema of a list of tiers."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {key: dict(kind.schema) for key, kind in kinds.items()},
            "required": [key for key in kinds if key != "from"],
            "additionalProperties": False,
        },
    }


match_tiers = Kind(_read_match_tiers, "", _tiers(_MATCH))
core_tiers = Kind(_read_core_tiers, "", _tiers(_CORE))
multipliers = Kind(
    _read_multipliers,
    _multiplier.words,
    {
        "anyOf": [
            dict(_multiplier.schema),
            {
                "type": "array",
                "items": dict(_multiplier.schema),
                "minItems": 1,
                "maxItems": MOST_PLACES + 1,
            },
        ]
    },
)
band_places = Kind(
    _read_places,
    _share.words,
    {"type": "array", "items": dict(_share.schema), "maxItems": MOST_PLACES},
)
vested_shares = Kind(
    _read_vested_shares,
    "",
    {
        "anyOf": [
            {"const": "immediate"},
            {
                "type": "array",
                "items": dict(_share.schema),
                "minItems": 1,
                "maxItems": MOST_SHARES,
            },
        ]
    },
)


def _tier(value: object, readers: Mapping[str, Reader[Any]]) -> Tier:
    """Return one tier; `from` may be left out and is 0 then."""
    keys = ", ".join(readers)
    if not isinstance(value, Mapping):
        raise fault("must be a tier", f"Write a mapping of {keys}")
    faults = Faults()
    given = {"from": 0, **value}
    for key, entry in given.items():
        if key not in readers:
            faults.add(fault("is not a key of a tier", f"Keys of a tier: {keys}"), entry, key)
    for key in readers:
        if key not in given:
            faults.add(fault(f"has no {key}", f"Keys of a tier: {keys}"), value)
    tier = {
        key: faults.take(read, given[key], key) for key, read in readers.items() if key in given
    }
    faults.check()
    return FrozenDict(tier)
