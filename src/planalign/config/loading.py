"""From a file, or Python data, to a checked configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from planalign.config.designs import ConfigFile, design_names, lay_designs, without_designs
from planalign.config.document import Document, read_document
from planalign.config.explain import explain
from planalign.config.merge import Data, complete_scenarios, names_as_text, normalise, overlay
from planalign.config.schedule import Setting
from planalign.config.sections import Simulation, read_start_year
from planalign.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from planalign.config.models import Config


def load(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read planalign.yaml.

    Args:
        path: the file. Relative paths in it, and in `overrides`, start at its folder.
        overrides: settings that win over the file, nested like it. Sections
            merge; a value by year, weights or a list replaces the file's.

    Raises:
        InputError: with every problem of the file at once.

    """
    return _check(read_document(path), normalise(overrides or {}), path.parent)


def parse(data: Mapping[str, Any], base: Path) -> Config:
    """Check a configuration given as Python data, nested like planalign.yaml.

    Args:
        data: numbers may be int, float or Decimal; a float counts as it prints.
        base: the folder where relative paths start.

    Raises:
        InputError: with every problem at once, without file and lines.

    """
    return _check(Document(normalise(data)), {}, base)


def _check(document: Document, overrides: Data, folder: Path) -> Config:
    document = replace(document, data=names_as_text(document.data))
    overrides = names_as_text(overrides)
    data = overlay(document.data, overrides)
    setting = Setting(folder, _start_year(data), design_names(data))
    problems = list(document.problems)
    file = None
    try:
        completed = complete_scenarios(lay_designs(data))
        file = ConfigFile.model_validate(completed, context=setting)
    except ValidationError as error:
        problems += explain(error, document, overrides)
    if file is None or problems:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        ordered = sorted(problems, key=lambda problem: problem.line or 0)
        raise InputError(f"The configuration cannot be used: {count}", ordered)
    return without_designs(file)


def _start_year(data: Data) -> int | None:
    """Return the first simulated year, or None where it is itself a problem."""
    simulation = data.get("simulation")
    given = simulation.get("start_year") if isinstance(simulation, Mapping) else None
    if given is None:
        return Simulation().start_year
    try:
        return read_start_year(given)
    except PydanticCustomError:
        return None
