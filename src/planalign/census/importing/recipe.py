"""The decisions of an import in one readable file, for the next year's files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from planalign.errors import InputError, Problem
from planalign.files import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from planalign.census.importing.locate import Table
    from planalign.census.importing.questions import Answers
    from planalign.census.importing.work import Work

FORMAT = 1


@dataclass(frozen=True)
class Recipe:
    """What was decided of files of one kind.

    Args:
        answers: answer by key.
        layouts: per header, its digest and what each column is.
    """

    answers: dict[str, str] = field(default_factory=dict)
    layouts: tuple[dict[str, Any], ...] = ()


def digest_of(headers: Sequence[str]) -> str:
    """Return the digest of a header: its names in their order."""
    return hashlib.sha256("\x1f".join(headers).encode()).hexdigest()[:16]


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: it is no recipe; carries what is wrong.
    """
    try:
        data = yaml.safe_load(read_text(path))
    except (OSError, ValueError, yaml.YAMLError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        reason = getattr(error, "problem", None) or getattr(error, "strerror", None) or str(error)
        raise _wrong(
            path, f"cannot be read: {reason}", None if line is None else line + 1
        ) from error
    if not isinstance(data, dict) or data.get("recipe") != FORMAT:
        raise _wrong(path, f"is no recipe of an import: the key recipe is not {FORMAT}")
    answers, layouts = data.get("answers") or {}, data.get("layouts") or []
    if not isinstance(answers, dict) or not isinstance(layouts, list):
        raise _wrong(path, "answers is no mapping, or layouts no list")
    for one in layouts:
        if not isinstance(one, dict) or not isinstance(one.get("columns"), dict):
            raise _wrong(path, "an entry of layouts has no columns")
    given = {str(key): _text(value) for key, value in answers.items()}
    return Recipe(given, tuple(layouts))


def _text(value: Any) -> str:
    if value is True:
        return "yes"
    if value is False:
        return "no"
    return str(value)


def _wrong(path: Path, message: str, line: int | None = None) -> InputError:
    problem = Problem(message, "Name a file that an import has written", file=str(path), line=line)
    return InputError(f"{path} cannot be used", [problem])


def fitted(recipe: Recipe, table: Table, answers: Answers, file: str) -> list[str]:
    """Give what the recipe says of a table's columns as answers, and what does not fit.

    Returns:
        What changed of the header, by column, in words; a column that was read and is no
        longer there is asked about.
    """
    if not recipe.layouts:
        return []
    headers = [header for header in table.headers if header]
    digest = digest_of(table.headers)
    layout = next((one for one in recipe.layouts if one.get("header") == digest), None)
    changed: list[str] = []
    if layout is None:
        layout = max(recipe.layouts, key=lambda one: len(set(one["columns"]) & set(headers)))
        columns = layout["columns"]
        new = [header for header in headers if header not in columns]
        gone = [name for name, role in columns.items() if name not in headers]
        used = [name for name in gone if columns[name] not in {"ignore", "pii"}]
        changed += [f'{file}: column "{name}" is new' for name in new]
        changed += [f'{file}: column "{name}" is no longer there' for name in gone]
        if used:
            answers.choose(
                "recipe_columns",
                f"The recipe reads columns that {file} has not: {', '.join(used)}. Go on without?",
                columns=used,
                choices=["go_on"],
            )
    known = {
        f"column:{name}": str(role) for name, role in layout["columns"].items() if name in headers
    }
    answers.given = known | dict(answers.given)
    return changed


def recipe_text(works: Sequence[Work], answers: Answers, kept: Recipe) -> str:
    """Return a recipe of what was decided, with what an earlier one says of other headers."""
    layouts: dict[str, dict[str, Any]] = {str(one.get("header")): one for one in kept.layouts}
    for work in works:
        table, mapping = work.table, work.mapping
        roles = {
            mapping.headers[position]: role
            for role, positions in mapping.positions.items()
            for position in positions
            if role != "ssn"
        }
        columns = {
            header: roles.get(
                header, "pii" if mapping.reported.get(header) == "ignored:pii" else "ignore"
            )
            for header in table.headers
            if header
        }
        digest = digest_of(table.headers)
        layouts[digest] = {"header": digest, "columns": columns}
    decided = {
        key: value
        for key, value in {**kept.answers, **answers.used}.items()
        if not key.startswith("column:")
    }
    data = {"recipe": FORMAT, "answers": decided, "layouts": [*layouts.values()]}
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    return (
        "# How the client's files are read; `planalign census import --recipe` uses it again.\n"
        + text
    )
