"""From a file, or Python data, to a checked configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from planalign.config.designs import ConfigFile, design_names, lay_designs, without_designs
from planalign.config.document import Document, read_document
from planalign.config.explain import explain
from planalign.config.levels import known_levels, known_tables
from planalign.config.merge import Data, complete_scenarios, names_as_text, normalise, overlay
from planalign.config.models import Config
from planalign.config.schedule import Setting
from planalign.config.sections import Simulation, study_year
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATHS = {
    "census": "Give it with --census, or move it there",
    "dbt_project": "Give it with --dbt-project, or copy it there",
    "models": "Move it there",
}


def load(
    path: Path, overrides: Mapping[str, Any] | None = None, *, within: Path | None = None
) -> Config:
    """Read planalign.yaml.

    Args:
        path: the file. Relative paths in it, and in `overrides`, start at its folder.
        overrides: settings that win over the file, nested like it. Sections
            merge; a value by year, weights or a list replaces the file's.
        within: the folder that the file's own paths must not leave, symbolic links
            followed; its own by default. Paths in `overrides` may lead anywhere.

    Raises:
        InputError: with every problem of the file at once.

    """
    document, settings = read_document(path), normalise(overrides or {})
    strays = tuple(_strays(document, settings, path.parent, within or path.parent))
    document = replace(document, problems=(*document.problems, *strays))
    return _check(document, settings, path.parent)


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
    levels = known_levels(data, folder)
    setting = Setting(
        folder,
        _start_year(data),
        design_names(data),
        _extra_columns(data),
        levels.number,
        levels.shares,
        known_tables(data, folder),
    )
    problems = list(document.problems)
    file = None
    try:
        completed = complete_scenarios(lay_designs(data), levels.shares)
        file = ConfigFile.model_validate(completed, context=setting)
    except ValidationError as error:
        problems += explain(error, document, overrides)
    if file is None or problems:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
        ordered = sorted(problems, key=lambda problem: problem.line or 0)
        raise InputError(f"The configuration cannot be used: {count}", ordered)
    return without_designs(file)


def _strays(document: Document, overrides: Data, folder: Path, within: Path) -> Iterator[Problem]:
    """Yield a problem for each path of the file that leads out of a folder."""
    for place, written, remedy in _paths(document.data):
        if place[0] in overrides or not isinstance(written, str | Path):
            continue
        try:
            path = (folder / written).resolve()
        except (OSError, RuntimeError, ValueError):  # no path, or links in a circle
            continue
        if not path.is_relative_to(within.resolve()):
            yield Problem(
                "leads out of the folder of the configuration",
                remedy,
                document.file,
                document.line(place),
                column=".".join(place),
                value=str(written)[:80],
            )


def _paths(data: Data) -> Iterator[tuple[tuple[str, ...], object, str]]:
    """Yield where a file names another one, what it writes there, and what to do otherwise."""
    for key, remedy in _PATHS.items():
        yield (key,), data.get(key, Config.model_fields[key].default), remedy
    tables = data.get("tables")
    for name, written in tables.items() if isinstance(tables, Mapping) else ():
        yield ("tables", str(name)), written, "Move it there"


def _extra_columns(data: Data) -> tuple[str, ...]:
    """Return the names of the columns that the study adds to the census, right or wrong."""
    given = data.get("extra_columns")
    return tuple(map(str, given)) if isinstance(given, Mapping) else ()


def _start_year(data: Data) -> int | None:
    """Return the first simulated year, or None where it is itself a problem."""
    simulation = data.get("simulation")
    given = simulation.get("start_year") if isinstance(simulation, Mapping) else None
    if given is None:
        return Simulation().start_year
    try:
        return study_year(given)
    except PydanticCustomError:
        return None
