"""A study's own models and tables, laid over the packaged project by name; nobody copies it.

Both are put together into a folder of the cache, named by what is in it: every runner, and
dbt itself, then has a whole project to work on. What is wrong with a file is told of the
user's own.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml

from planalign.census.columns import CARRIED, with_own
from planalign.config.levels import as_tables
from planalign.engine.folders import cache_folder
from planalign.engine.pipeline import Step
from planalign.engine.project import Project, fingerprint_of
from planalign.engine.templates import yaml_fault
from planalign.errors import (
    EnvironmentFaultError,
    InputError,
    Problem,
    ProjectError,
    UsageError,
)
from planalign.files import make_folder, read_regular
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from planalign.config import Config


STEPS = (Step.SETUP, Step.BASELINE, Step.REQUIREMENTS, Step.EVENTS, Step.SNAPSHOT)
# Folders of a study's own models beside those of the steps, and what they are in the project.
PLACES = {"rules": "tests/validation", "macros": "macros", "seeds": "seeds"}
_ENDINGS = {"rules": {".sql"}, "macros": {".sql"}, "seeds": {".csv", ".yml"}}
_MODELS = {".sql", ".yml"}
# Files that are called like what is in them, and how a name is written.
_NAMING = {".sql", ".csv"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# What says how dbt works: no file of a model.
_SETTINGS = {
    "dbt_project.yml", "profiles.yml", "packages.yml", "dependencies.yml", "package-lock.yml",
    "selectors.yml",
}  # fmt: skip
# What every fact and dimension of a result is called, and where it is made.
_MARTS = ("fct_", "dim_")
# A project that no run has used for so long is made anew when it is needed.
_UNUSED_SECONDS = 30 * 86_400
_EXTRA_MACRO = "macros/extra_columns.sql"
# SQL types by whose values employees are grouped: another one has too many.
_GROUPED = {"VARCHAR", "BIGINT", "BOOLEAN"}
# Where the columns of the census stand that a configuration adds: the file and the table,
# behind those of ours that are carried like them, or behind the one in front of these.
_EXTRA_COLUMNS = (
    ("models/sources.yml", "census"),
    ("models/snapshot/snapshot.yml", "fct_workforce_snapshot"),
)
_BEFORE_CARRIED = "roth_share"


def project_of(config: Config) -> Project:
    """Return the model project of a study, with what is its own.

    Raises:
        InputError: a reference table cannot be read, or is given twice; all are listed.
        ProjectError: one of its own files has no place in the project; all are listed.
        UsageError: a folder is not there, or holds no project.
        EnvironmentFaultError: the project cannot be put together in the cache.
    """
    project = Project.at(config.dbt_project)
    tables = _tables_of(config, project)
    if config.models is None and not config.extra_columns and not tables:
        return project
    return lay_over(project, config.models, sql_types(config.extra_columns), tables)


@dataclass(frozen=True)
class Table:
    """A reference table that a configuration gives: what a user calls it, and what is in it."""

    origin: Path
    content: bytes


def _tables_of(config: Config, project: Project) -> dict[str, Table]:
    """Return the reference tables that a configuration gives, by their names.

    Raises:
        InputError: a file cannot be read, or the table stands in the study's own models or
            in its changed copy of the project, too.
    """
    found = {
        name: Table(Path("job_levels"), content)
        for name, content in as_tables(config.job_levels).items()
        if config.job_levels
    }
    problems: list[Problem] = []
    for name, file in config.tables.items():
        try:
            found[name] = Table(file, read_regular(file))
        except OSError as error:
            why = f"cannot be read ({error.strerror or error})"
            remedy = f"Put a CSV there, or remove {name} from tables"
            problems.append(Problem(why, remedy, str(file), column=f"tables.{name}"))
    for name in sorted({*found, *config.tables}):
        key = f"tables.{name}" if name in config.tables else "job_levels"
        problems += (
            Problem(
                f"says the same as {key} of the configuration",
                f"Keep one of the two: remove {key}, or {remedy}",
                str(file),
            )
            for file, remedy in _others(name, config.models, project)
        )
    if problems:
        count = f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
        raise InputError(f"the reference tables of the configuration have {count}", problems)
    return found


def _others(name: str, own: Path | None, project: Project) -> Iterator[tuple[Path, str]]:
    """Yield where else a study has a reference table, and how that is taken back."""
    place = f"seeds/{name}.csv"
    if own is not None and (own / place).exists():
        yield own / place, "that file"
    copy, packaged = project.folder / place, PACKAGED / place
    if project.folder != PACKAGED.resolve() and copy.is_file():
        if not packaged.is_file():
            yield copy, "that file with what describes it"
        elif copy.read_bytes() != packaged.read_bytes():
            yield copy, f"what was changed in it: {packaged} is the file as it comes"


def sql_types(extra_columns: Mapping[str, str]) -> dict[str, str]:
    """Return the SQL type of each column that a study adds to the census, as dbt writes it."""
    return {
        column.name: column.sql_type.upper().replace(", ", ",")
        for column in with_own(extra_columns)
        if column.is_own
    }


def lay_over(
    base: Project,
    own: Path | None,
    extra_columns: Mapping[str, str],
    tables: Mapping[str, Table] = MappingProxyType({}),
) -> Project:
    """Return a project with a study's own files, census columns and reference tables.

    Args:
        base: the packaged project, or a user's copy of it.
        own: the folder of a study's own models, rules, macros and reference tables.
        extra_columns: SQL type of each further column of the census, by name.
        tables: reference tables of the project that are others, by name.

    Raises:
        ProjectError: a file has no place in the project; all are listed.
        UsageError: the folder is not there.
        EnvironmentFaultError: the project cannot be put together in the cache.
    """
    based = {file.relative_to(base.folder).as_posix(): file for file in base.files}
    placed = {} if own is None else _placed(own, base.folder)
    contents = {path: read_regular(file) for path, file in {**based, **placed}.items()}
    if extra_columns:
        contents |= _with_columns(contents, extra_columns, {**based, **placed})
    for name, table in tables.items():
        place = f"{PLACES['seeds']}/{name}.csv"
        contents[place], placed[place] = table.content, table.origin
    return Project(_kept(contents), placed, base.folder, own or base.folder, extra_columns)


def _placed(own: Path, base: Path) -> dict[str, Path]:
    """Return a study's own files by the path that each has in the project."""
    if not own.is_dir():
        raise UsageError(f"{own} is no folder of models", "Make it, or leave out the key models.")
    packaged = {file.name: file.relative_to(base) for file in base.glob("models/*/*.*")}
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for file in _files_of(own):
        inside = file.relative_to(own)
        place = None if file.name in _SETTINGS else _place_of(inside, packaged)
        if file.is_symlink() and not _stays_in(own, file):
            problems.append(
                Problem("is a link that leads out of the folder", "Copy what it names", str(file))
            )
        elif file.suffix in _NAMING and not _NAME.fullmatch(file.stem):
            problems.append(
                Problem(
                    "has a name that is none of a model",
                    "Use a letter, then letters from a to z, digits and underscores",
                    str(file),
                )
            )
        elif place is None:
            problems.append(_without_place(file))
        elif place in found:
            problems.append(
                Problem(
                    f"is the same model as {found[place].relative_to(own)}",
                    "Remove one of the two",
                    str(file),
                )
            )
        else:
            found[place] = file
    if problems:
        count = f"{len(problems):,} problem{'' if len(problems) == 1 else 's'}"
        raise ProjectError(f"the models of {own} have {count}", problems)
    return found


def _files_of(own: Path) -> Iterator[Path]:
    """Yield the files of a folder that are meant: none that is hidden, no page about them.

    A link to a folder, into which nobody looks, is one of them.
    """
    for file in sorted(own.rglob("*")):
        inside = file.relative_to(own)
        is_hidden = any(part.startswith((".", "_")) for part in inside.parts)
        is_folder = file.is_dir() and not file.is_symlink()
        if not (is_hidden or is_folder or file.suffix == ".md"):
            yield file


def _stays_in(own: Path, link: Path) -> bool:
    """Say whether a link is one to a file of the folder."""
    try:
        return link.resolve(strict=True).is_relative_to(own.resolve()) and link.is_file()
    except (OSError, RuntimeError):  # it leads nowhere, or in a circle
        return False


def _place_of(file: Path, packaged: Mapping[str, Path]) -> str | None:
    """Return the path in the project of a file in a study's folder, if it has one.

    One with the name of a packaged model, or of a packaged description, takes its place.
    """
    folder, name = file.parent.as_posix(), file.name
    if folder in PLACES:
        return f"{PLACES[folder]}/{name}" if file.suffix in _ENDINGS[folder] else None
    if file.suffix not in _MODELS or folder not in {".", *STEPS}:
        return None
    known = packaged.get(name)
    if known is not None:
        return known.as_posix() if folder in {".", known.parent.name} else None
    if folder != ".":
        return f"models/{folder}/{name}"
    if file.suffix == ".yml" or file.stem.startswith(_MARTS):
        return f"models/{Step.SNAPSHOT}/{name}"
    return None


def _without_place(file: Path) -> Problem:
    return Problem(
        "has no place among the models",
        f"Put a model into the folder of the step that builds it ({', '.join(STEPS)}), or call it "
        "fct_ or dim_ where it is a mart; a packaged one into its own or none; rules, macros and "
        "reference tables into rules, macros and seeds",
        str(file),
    )


def _with_columns(
    contents: Mapping[str, bytes], columns: Mapping[str, str], places: Mapping[str, Path]
) -> dict[str, bytes]:
    """Return the files in which a further column of the census stands, with it.

    Raises:
        ProjectError: one of them is another one of the user's, in which it has no place.
    """
    kept = [name for name in CARRIED if name not in columns]
    groups = [name for name, sql_type in columns.items() if sql_type in _GROUPED]
    macros = _returning("extra_columns", [*kept, *columns])
    macros += _returning("extra_groups", [*kept, *groups])
    found = {_EXTRA_MACRO: macros.encode()}
    if contents.get(_EXTRA_MACRO) == found[_EXTRA_MACRO]:
        return {}  # they are in it
    lines = [
        f'{{name: "{name}", data_type: "{sql_type}", description: "Column of the census, of this '
        "study's own.\"}"
        for name, sql_type in columns.items()
    ]
    column = [_BEFORE_CARRIED, *kept][-1]
    problems = []
    for path, table in _EXTRA_COLUMNS:
        text = contents[path].decode(errors="replace")
        line, words = yaml_fault(text) or (None, "")
        own = None if words else _without(text, table, columns)
        changed = None if own is None else _behind(own, table, column, lines)
        if changed is not None:
            found[path] = changed.encode()
        else:
            problems.append(
                Problem(
                    f"cannot be read: {words}"
                    if words
                    else f"has no column {column} of {table}, behind which extra_columns stand",
                    "Begin from the packaged file; what describes models of your own has another "
                    "name",
                    str(places[path]),
                    line,
                )
            )
    if problems:
        raise ProjectError("the columns of extra_columns cannot be declared", problems)
    return found


def _returning(name: str, names: Sequence[str]) -> str:
    """Return a macro that gives a list of names."""
    listed = ", ".join(f'"{one}"' for one in names)
    return f"{{% macro {name}() %}}{{%- do return([{listed}]) -%}}{{% endmacro %}}\n"


def _behind(text: str, table: str, column: str, lines: Sequence[str]) -> str | None:
    """Return a YAML file of dbt with more columns behind one of a table, if it is there."""
    columns = _columns_of(text, table)
    if columns is None or column not in columns.named:
        return None
    end = columns.named[column].stop
    added = "".join(f"{columns.indent}- {line}\n" for line in lines)
    return text[:end] + added + text[end:]


def _without(text: str, table: str, names: Container[str]) -> str:
    """Return a YAML file of dbt without some columns of a table."""
    columns = _columns_of(text, table)
    if columns is None:
        return text
    gone = [place for name, place in columns.named.items() if name in names]
    for place in reversed(gone):
        text = text[: place.start] + text[place.stop :]
    return text


@dataclass(frozen=True)
class _Columns:
    """The columns of a table in a YAML file of dbt: how far in, and the lines of each by name."""

    indent: str
    named: Mapping[str, slice]


def _columns_of(text: str, table: str) -> _Columns | None:
    """Return where the columns of a table stand in a YAML file of dbt, if they do."""
    for node in _mappings(yaml.compose(text, yaml.SafeLoader)):
        keys = {key.value: value for key, value in node.value}
        if "columns" in keys and "name" in keys and keys["name"].value == table:
            named = {}
            for one in keys["columns"].value:
                name = {key.value: value.value for key, value in one.value}.get("name", "")
                start = text.rindex("\n", 0, one.start_mark.index) + 1
                named[name] = slice(start, text.index("\n", one.end_mark.index - 1) + 1)
            return _Columns(" " * keys["columns"].start_mark.column, named)
    return None


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _kept(contents: Mapping[str, bytes]) -> Path:
    """Return a folder of the cache with these files, and no other that counts."""
    fingerprint = fingerprint_of(contents)
    projects = cache_folder() / "projects"
    folder = projects / fingerprint[:32]
    is_there = folder.is_dir()
    try:
        if not (is_there and Project(folder).files_fingerprint == fingerprint):
            make_folder(projects)
            _remove_unused(projects)
            if is_there:  # somebody changed it; else another process may have made it by now
                shutil.rmtree(folder, ignore_errors=True)
            _write(contents, folder)
    except OSError as error:
        raise EnvironmentFaultError(
            f"the models of the study cannot be kept in {projects} ({error.strerror})",
            "Free disk space, or set PLANALIGN_CACHE_DIR to a folder that can be written.",
        ) from error
    with suppress(OSError):  # a cache that is not ours to write
        os.utime(folder)
    return folder


def _write(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write a project whole or not at all; another process may write the same."""
    partial = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        for path, content in contents.items():
            file = partial / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _remove_unused(projects: Path) -> None:
    for folder in projects.iterdir():
        with suppress(OSError):  # gone meanwhile
            if time.time() - folder.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
