"""Walk over the keys of the configuration's sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.config.merge import element_of, section_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Yield every key of a section and of the sections below it."""
    for name in model.model_fields:
        yield name
        below = section_of(model, name) or element_of(model, name)
        if below is not None:
            yield from keys(below)


def paths(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key that is no section."""
    for name in model.model_fields:
        below = section_of(model, name)
        if below is None:
            yield (*above, name)
        else:
            yield from paths(below, (*above, name))
