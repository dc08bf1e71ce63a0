"""Lay one set of settings over another.

Sections merge key by key, and parameters name by name. Everything below a section, such
as values by year, weights or a list, is one value and is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel

from planalign.config.models import BASELINE, Config, ScenarioSettings
from planalign.config.plan import Plan

Data: TypeAlias = dict[Any, Any]

# Keys of the file that hold settings by name, and the section each of them is of.
NAMED: dict[str, type[BaseModel]] = {"designs": Plan, "scenarios": ScenarioSettings}


def normalise(value: Any) -> Any:
    """Return Python data as the reader of a file would have returned it.

    A float becomes the decimal that prints like it: its binary value is not
    what anyone wrote.
    """
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, int) and not isinstance(key, bool) else str(key): normalise(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [normalise(item) for item in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    return str(value) if isinstance(value, Path) else value


def names_as_text(data: Data) -> Data:
    """Return the data with names of scenarios and designs as text: one may be called 2025."""
    named = {
        key: {str(name): item for name, item in data[key].items()}
        for key in NAMED
        if isinstance(data.get(key), Mapping)
    }
    return {**data, **named}


def section_of(model: type[BaseModel] | None, key: Any) -> type[BaseModel] | None:
    """Return the section that a key of a section holds, if it holds one."""
    field = model.model_fields.get(key) if model and isinstance(key, str) else None
    annotation = field.annotation if field else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def element_of(model: type[BaseModel] | None, key: Any) -> type[BaseModel] | None:
    """Return the section of which a key holds many, by name or in a list."""
    field = model.model_fields.get(key) if model and isinstance(key, str) else None
    for inner in get_args(field.annotation) if field else ():
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return None


def _is_by_name(model: type[BaseModel], key: Any) -> bool:
    """Return whether a key holds values by name, each of which is changed by itself."""
    field = model.model_fields.get(key) if isinstance(key, str) else None
    return any(getattr(entry, "by_name", False) for entry in (field.metadata if field else ()))


def merge(base: Mapping[Any, Any], over: Mapping[Any, Any], model: type[BaseModel]) -> Data:
    """Return `base` with the settings of `over` laid over it."""
    merged = dict(base)
    for key, value in over.items():
        below = section_of(model, key)
        current = merged.get(key)
        if below and value is None and key in merged:
            continue
        if below and isinstance(value, Mapping) and isinstance(current, Mapping):
            merged[key] = merge(current, value, below)
        elif (
            _is_by_name(model, key) and isinstance(value, Mapping) and isinstance(current, Mapping)
        ):
            merged[key] = {**current, **value}
        else:
            merged[key] = value
    return merged


def overlay(file: Data, overrides: Data) -> Data:
    """Return the data of a file with command-line settings laid over it."""
    merged = merge(file, overrides, Config)
    for key, model in NAMED.items():
        own, over = file.get(key), overrides.get(key)
        if isinstance(own, Mapping) and isinstance(over, Mapping):
            merged[key] = {
                **own,
                **{
                    name: merge(own[name], settings, model)
                    if isinstance(settings, Mapping) and isinstance(own.get(name), Mapping)
                    else settings
                    for name, settings in over.items()
                },
            }
    return merged


def complete_scenarios(data: Data, hire_shares: Mapping[int, Any] | None) -> Data:
    """Return the data with every scenario completed by the sections it does not change.

    Args:
        data: of the file, with its designs laid out.
        hire_shares: the weights of the job levels among hires where none are given, if known.

    """
    data = _with_hire_shares(data, hire_shares)
    scenarios = data.get("scenarios")
    if scenarios is None or scenarios == {}:
        scenarios = {BASELINE: None}
    if not isinstance(scenarios, Mapping):
        return data
    # A section that is no mapping is reported once, where it stands.
    base = {
        key: data[key]
        for key in ScenarioSettings.model_fields
        if isinstance(data.get(key), Mapping)
    }
    completed = {
        name: _with_hire_shares(
            merge(base, {} if changes is None else changes, ScenarioSettings), hire_shares
        )
        if changes is None or isinstance(changes, Mapping)
        else changes
        for name, changes in scenarios.items()
    }
    return {**data, "scenarios": completed}


def _with_hire_shares(settings: Data, shares: Mapping[int, Any] | None) -> Data:
    """Return settings whose hires have weights by job level, if that is what is missing."""
    workforce = settings.get("workforce")
    workforce = {} if workforce is None else workforce
    hiring = workforce.get("hiring") if isinstance(workforce, Mapping) else workforce
    hiring = {} if hiring is None else hiring
    if not isinstance(hiring, Mapping) or hiring.get("level_weights") is not None:
        return settings
    filled = {**hiring, "level_weights": shares}
    return {**settings, "workforce": {**workforce, "hiring": filled}}
