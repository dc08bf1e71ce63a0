"""Every key of planalign.yaml as its section declares it: one walk, from which the rest is made.

The columns of schema `inputs`, the JSON schema, and with `tools/declared.py` the
file to start from, the rows of the reference and the columns of `sources.yml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from typing import TYPE_CHECKING, Any

from planalign.config.designs import ConfigFile
from planalign.config.lists import IMMEDIATE
from planalign.config.merge import NAMED, element_of, section_of
from planalign.config.models import ScenarioSettings
from planalign.config.rendering import as_data
from planalign.config.schedule import Read, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from planalign.config.scalars import Kind

# The table that holds a section's keys, a row for each scenario and year.
_TABLES = {
    "workforce": "workforce_parameters",
    "compensation": "compensation_parameters",
    "plan": "benefit_plans",
}


@dataclass(frozen=True)
class Key:
    """A key that is no section: its path from the top, and its declaration.

    `in_list` says that it is one of the entries of a list.
    """

    path: tuple[str, ...]
    field: FieldInfo
    in_list: bool = False

    @property
    def dotted(self) -> str:
        """The path as text: plan.match.formula."""
        return ".".join(self.path)

    @cached_property
    def read(self) -> Read | None:
        """How it is read; None where it holds sections."""
        return next((entry for entry in self.field.metadata if isinstance(entry, Read)), None)

    @property
    def kind(self) -> Kind[Any] | None:
        """The kind of one value; None where it holds sections."""
        return self.read.kind if self.read else None

    @property
    def label(self) -> str:
        """What a form calls it."""
        return self.field.title or self.path[-1].replace("_", " ").capitalize()

    @property
    def text(self) -> str:
        """What it means and which values there are, in Markdown."""
        words = self.kind.words if self.kind else ""
        return (self.field.description or "").replace("{values}", words)

    @property
    def default(self) -> Any:
        """The default as it is written in the file; None also where there is none."""
        if self.field.is_required():
            return None
        if self.path[0] in NAMED:  # what has a name changes nothing by default
            return {name: {} for name in self.field.default}
        return "immediate" if self.field.default == IMMEDIATE else as_data(self.field.default)

    @property
    def varies(self) -> tuple[str, ...]:
        """By what it may be given: year, level."""
        if self.read is None or not self.read.by_year:
            return ()
        return ("year", "level") if self.read.by_level else ("year",)

    @property
    def is_list(self) -> bool:
        """Whether a value is a list, or may be one."""
        if self.read is None:
            return self.path[0] not in NAMED
        schema = self.read.kind.schema
        return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))

    @property
    def table(self) -> str | None:
        """The table of schema `inputs` that has its columns, if it becomes columns."""
        is_column = self.read is not None and self.read.kind.columns and not self.in_list
        if self.read is None or not is_column or self.path[0] not in _TABLES:
            return None
        # What is the same for every level is not repeated for each of them.
        constant = self.path[0] == "compensation" and not self.read.by_level
        return "scenarios" if constant else _TABLES[self.path[0]]

    @cached_property
    def columns(self) -> dict[str, str]:
        """The names of its columns, each with its type: the path below the section."""
        name = "_".join(self.path[1:])
        kind = self.kind
        return {name + suffix: sql for suffix, sql in kind.columns} if kind and self.table else {}

    def cells(
        self, settings: ScenarioSettings, year: int, level: int | None = None
    ) -> dict[str, Any]:
        """Return the value of each column in a year, for a job level where it differs."""
        value = value_at(reduce(getattr, self.path, settings), year, level)
        return dict(zip(self.columns, self.kind.cells(value), strict=True)) if self.kind else {}


def keys(
    model: type[BaseModel] = ConfigFile, above: tuple[str, ...] = (), *, in_list: bool = False
) -> Iterator[Key]:
    """Yield every key of a section and of those below it, its own before theirs.

    What a list of sections holds comes after the list. Scenarios and designs are
    keys themselves: what they hold is what the sections at the top hold.
    """
    below = []
    for name, field in model.model_fields.items():
        path = (*above, name)
        if section := section_of(model, name):
            below.append((section, path))
            continue
        yield Key(path, field, in_list)
        if name not in NAMED and (element := element_of(model, name)):
            yield from keys(element, path, in_list=True)
    for section, path in below:
        yield from keys(section, path)


@cache
def columns_of(table: str) -> tuple[Key, ...]:
    """Return the keys whose columns a table of schema `inputs` has, in order."""
    return tuple(key for key in keys(ScenarioSettings) if key.table == table)


def row_of(
    table: str, settings: ScenarioSettings, year: int, level: int | None = None
) -> Mapping[str, Any]:
    """Return what the keys of a table are in a year, by column."""
    cells: dict[str, Any] = {}
    for key in columns_of(table):
        cells |= key.cells(settings, year, level)
    return cells


def without_links(text: str) -> str:
    """Return Markdown with each link as its words."""
    return re.sub(r"\[([^\]\[]+)\]\([^)]+\)", r"\1", text)


def without_marks(text: str) -> str:
    """Return Markdown as plain text: links by their words, code without its marks."""
    return without_links(text).replace("`", "")
