"""The JSON schema of planalign.yaml, for forms and editors.

Beyond the standard, a key has `group` (its section), and where they apply `by_year`
and `by_level`; a number has `unit`, `step` and `decimals`. Of a key by year, the first
schema of `anyOf` is that of one value.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from planalign.config.declarations import Key, without_marks
from planalign.config.designs import ConfigFile
from planalign.config.merge import NAMED, element_of, section_of
from planalign.config.scalars import as_json

if TYPE_CHECKING:
    from pydantic import BaseModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the schema of a whole file.

    Keys of a mapping by year are text, as JSON has them. What depends on other
    keys is not in it: `planalign` refuses more.
    """
    sections: dict[str, Any] = {}
    root = _section(ConfigFile, sections)
    return {"$schema": _DIALECT, **root, "title": "planalign.yaml", "$defs": sections}


def _section(model: type[BaseModel], sections: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a section, with those it refers to added to `sections`."""
    title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__.removesuffix("InFile")).capitalize()
    schema = {
        # A key with nothing after it is a section of defaults.
        "type": ["object", "null"],
        "title": title,
        "description": inspect.cleandoc(model.__doc__ or ""),
        "properties": {name: _key(model, name, title, sections) for name in model.model_fields},
        "additionalProperties": False,
    }
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    return {**schema, "required": required} if required else schema


def _key(model: type[BaseModel], name: str, group: str, sections: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one key of a section."""
    if section := section_of(model, name):
        return _reference(section, sections)
    key = Key((name,), model.model_fields[name])
    found: dict[str, Any] = {
        "title": key.label,
        "description": without_marks(key.text),
        "group": group,
    }
    if key.read is not None:
        found |= {f"by_{by}": True for by in key.varies} | key.read.schema
    elif element := element_of(model, name):
        inner = _reference(element, sections)
        named = {"type": ["object", "null"], "additionalProperties": inner}
        found |= named if name in NAMED else {"type": "array", "items": inner}
    if not key.field.is_required() and name not in NAMED:
        found["default"] = as_json(key.default)
    return found


def _reference(section: type[BaseModel], sections: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to a section, which is described once."""
    if section.__name__ not in sections:
        sections[section.__name__] = {}  # before it is described: it may hold itself
        sections[section.__name__] = _section(section, sections)
    return {"$ref": f"#/$defs/{section.__name__}"}
