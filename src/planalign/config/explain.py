"""Turn what pydantic refuses into problems with a line and a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from planalign.config.declarations import keys
from planalign.config.designs import ConfigFile, design_name
from planalign.config.merge import Data, element_of, section_of
from planalign.config.models import ScenarioSettings
from planalign.config.schedule import YEARS
from planalign.errors import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from planalign.config.document import Document

Location = tuple[int | str, ...]

_LONGEST_VALUE = 80
_NO_MAPPING = {"model_type", "mapping_type", "dict_type", "model_attributes_type"}
_UNKNOWN = {"extra_forbidden", "invalid_key"}


def explain(error: ValidationError, document: Document, overrides: Data) -> list[Problem]:
    """Return every problem once, at the place where the user wrote it.

    Args:
        error: what validation of the completed data raised.
        document: the file, for lines and for what each scenario itself gives.
        overrides: settings that did not come from the file.

    """
    details = error.errors(include_url=False)
    shared = {(_place(entry), entry["msg"]) for entry in details}
    problems = []
    for entry in details:
        place = _place(entry)
        if _is_inherited(place, entry, shared, overrides, document.data):
            continue
        message, remedy = _words(place, entry)
        given = bool(overrides) and _is_given(overrides, place)
        problems.append(
            Problem(
                message,
                remedy,
                file=None if given else document.file,
                line=None if given else document.line(tuple(map(str, place))),
                column=_dotted(place) or None,
                value=_value(entry),
            )
        )
    return problems


def _place(entry: ErrorDetails) -> Location:
    """Return the path of an error; pydantic marks an error of a key by a last part."""
    place = entry["loc"]
    return place[:-1] if place and place[-1] == "[key]" else place


def _is_inherited(
    place: Location,
    entry: ErrorDetails,
    shared: set[tuple[Location, str]],
    *sources: Mapping[Any, Any],
) -> bool:
    """Return whether a problem is that of the base section or of the design below it."""
    written = place[:-1] if entry["type"] == "missing" else place
    if any(_is_given(source, written) for source in sources):
        return False
    in_scenario = place[:1] == ("scenarios",)
    section = place[2:] if in_scenario else place
    origins = [section] if in_scenario and section else []
    if section[:1] == ("plan",):
        key = (*place[: len(place) - len(section)], "plan", "design")
        names = [_at(source, key) for source in sources if _is_given(source, key)]
        origins += [("designs", design_name(name) or "", *section[1:]) for name in names[:1]]
    return any((origin, entry["msg"]) in shared for origin in origins)


def _at(data: Any, place: Location) -> Any:
    """Return the value of the data at a path.

    Raises:
        LookupError, TypeError: there is none.

    """
    for part in place:
        data = data[part]
    return data


def _is_given(data: Any, place: Location) -> bool:
    """Return whether the data has a value at a path."""
    try:
        _at(data, place)
    except (LookupError, TypeError):
        return False
    return True


def _words(place: Location, entry: ErrorDetails) -> tuple[str, str]:
    """Return the message and the remedy."""
    kind = entry["type"]
    if kind == "planalign":
        context = entry.get("ctx", {})
        return str(context["message"]), str(context["remedy"])
    if kind in _UNKNOWN:
        return _unknown_key(place)
    if kind in _NO_MAPPING:
        model = _model_at(place)
        keys = f": {', '.join(model.model_fields)}" if model else ""
        return "must be a mapping of keys to values", f"Write keys indented below it{keys}"
    if kind == "missing":
        return "is missing", "Add the key with its value"
    return entry["msg"][:1].lower() + entry["msg"][1:], "Correct the value"


def _model_at(place: Location) -> type[BaseModel] | None:
    """Return the section at a path, following names and list positions."""
    model: type[BaseModel] | None = ConfigFile
    elements: type[BaseModel] | None = None
    for part in place:
        if elements is not None:
            model, elements = elements, None
        else:
            model, elements = section_of(model, part), element_of(model, part)
    return model


def _unknown_key(place: Location) -> tuple[str, str]:
    key, owner = str(place[-1])[:64], place[:-1]
    model = _model_at(owner) or ConfigFile
    allowed = list(model.model_fields)
    where = _dotted(owner) or "the configuration"
    near = difflib.get_close_matches(key.lower(), allowed, 1)
    homes = _homes()
    listing = f"Allowed keys: {', '.join(allowed)}"
    # A key that exists word for word elsewhere is in the wrong place, not misspelt.
    if key in homes or not near:
        known = (
            key
            if key in homes
            else next(iter(difflib.get_close_matches(key.lower(), homes, 1)), None)
        )
        if known is not None:
            return f"is not a key of {where}", f"{_moved(known, homes[known], owner)}. {listing}"
    lead = f"Did you mean {near[0]}? " if near else ""
    return f"is not a key of {where}", f"{lead}{listing}"


def _moved(key: str, home: Location, owner: Location) -> str:
    """Say where a key belongs that stands under `owner`."""
    in_scenario = owner[:1] == ("scenarios",)
    if owner[:1] == ("designs",):
        if key == "design":
            return "A design does not start from another: write its keys out"
        if key == "plan":
            return "A design holds the keys of plan themselves: write them without plan"
        home = (*owner[:2], *home[1:]) if home[:1] == ("plan",) else home
    if in_scenario and (*home, key)[0] not in ScenarioSettings.model_fields:
        place = f"under {_dotted(home)}" if home else "at the top of the file"
        return f"{key} belongs {place}, the same for every scenario"
    if in_scenario:
        home = (*owner[:2], *home)
    return f"{key} belongs " + (f"under {_dotted(home)}" if home else "at the top of the file")


def _homes() -> dict[str, Location]:
    """Return the path of the section that each key belongs to."""
    homes: dict[str, Location] = {}
    waiting: list[tuple[Location, type[BaseModel]]] = [((), ConfigFile)]
    while waiting:
        path, model = waiting.pop(0)
        for name in model.model_fields:
            homes.setdefault(name, path)
            if below := section_of(model, name):
                waiting.append(((*path, name), below))
    return homes


def _dotted(place: Location) -> str:
    """Return a path as text: workforce.hiring, compensation.raise_months[3]."""
    text = ""
    lists = False
    for index, part in enumerate(place, start=1):
        # Years and levels are also numbers; only some keys hold lists, some of them by year.
        is_year = isinstance(part, int) and part in YEARS
        is_entry = lists and isinstance(part, int) and not is_year
        text += f"[{part}]" if is_entry else f".{str(part)[:64]}"
        lists = _declared(place[:index]) in _lists() or (lists and is_year)
    return text.removeprefix(".")


@cache
def _lists() -> frozenset[Location]:
    """Return the keys whose value is a list, or may be one."""
    return frozenset(key.path for key in keys() if key.is_list)


def _declared(place: Location) -> Location:
    """Return where a key is declared that a scenario or a design has."""
    if place[:1] == ("scenarios",):
        return place[2:]
    return ("plan", *place[2:]) if place[:1] == ("designs",) else place


def _value(entry: ErrorDetails) -> str | None:
    value = entry["input"]
    if entry["type"] == "missing" or value is None:
        return None
    text = _flow(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _flow(value: Any) -> str:
    """Return a value as it could stand on one line of the file."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
