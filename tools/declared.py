"""Write what follows from the declarations of the configuration's keys.

Usage: python tools/declared.py          write all of it
       python tools/declared.py --check  say what differs, with exit code 3

The file to start from, the rows of the reference, the columns of the models' sources,
and the sample company of the dbt project: the default study of 200 employees.
"""

from __future__ import annotations

import re
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.census.read import read_census
from planalign.census.synthesise import generate_census
from planalign.config import parse, scenario_settings
from planalign.config.declarations import (
    Key,
    columns_of,
    keys,
    without_links,
    without_marks,
)
from planalign.config.designs import ConfigFile
from planalign.config.merge import section_of
from planalign.config.scalars import plain
from planalign.engine.compiler import pipeline_for
from planalign.engine.inputs import set_block, trajectories, write_inputs
from planalign.engine.project import Project
from planalign.marts.packaged import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
FILE = ROOT / "src" / "planalign" / "config" / "planalign.yaml"
REFERENCE = ROOT / "docs" / "reference" / "configuration.md"
SOURCES = PACKAGED / "models" / "sources.yml"
SAMPLES = PACKAGED / "sample_inputs"

EMPLOYEES, SEED = 200, 42
WIDTH = 92

HEAD = """\
# A planalign study. Every key is shown with its default; a key that is left
# out means the same. Rates are fractions: 0.03 is three percent.
#
# Any rate, and any other key marked "by year", may be given by year:
#   target_growth_rate: {2025: 0.03, 2027: 0.02}
# Each value holds until the next; the first year must not be after start_year.
# Keys marked "by level" may differ by job level, also within a year; then every
# level of the study is given:
#   merit_budget: {1: 0.03, 2: 0.03, 3: 0.035, 4: 0.04, 5: 0.04}
#   merit_budget: {2025: 0.03, 2026: {1: 0.03, 2: 0.03, 3: 0.035, 4: 0.04, 5: 0.04}}
"""
# In place of the default: two scenarios, to show how one is written.
SCENARIOS = """\
scenarios:
  baseline: {}
  growth:
    workforce: {target_growth_rate: 0.06}
"""


def written() -> dict[Path, str]:
    """Return the text of each file that follows from the declarations alone."""
    return {
        FILE: yaml_file(),
        REFERENCE: reference(REFERENCE.read_text(encoding="utf-8")),
        SOURCES: sources(SOURCES.read_text(encoding="utf-8")),
    }


def yaml_file() -> str:
    """Return the planalign.yaml to start from: every key under what it means, at its default."""
    named = ("designs", "scenarios")
    plain_ones = [key.path[0] for key in keys() if len(key.path) == 1 and key.path[0] not in named]
    blocks = [_yaml_key(_key(name)) for name in plain_ones]
    blocks += _yaml_sections(ConfigFile, ())
    return "\n".join([HEAD, *blocks, *(_yaml_key(_key(name)) for name in named)])


def _yaml_sections(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[str]:
    """Yield the text of each section of a section: its own keys, then the sections in it."""
    indent = "  " * len(above)
    for name, field in model.model_fields.items():
        if section := section_of(model, name):
            path = (*above, name)
            own = [key for key in keys(section, path) if key.path[:-1] == path]
            comment = _comment(field.description, indent) if field.description else ""
            yield f"{comment}{indent}{name}:\n{''.join(map(_yaml_key, own))}"
            yield from _yaml_sections(section, path)


def _yaml_key(key: Key) -> str:
    indent = "  " * (len(key.path) - 1)
    parts = [one for one in keys() if one.path[:-1] == key.path]
    words = [key.text, *(f"{one.path[-1]}: {one.text[:1].lower()}{one.text[1:]}" for one in parts)]
    if key.varies:
        words.append(f"By {', by '.join(key.varies)}.")
    return _comment(" ".join(words), indent) + (
        SCENARIOS if key.path == ("scenarios",) else _yaml_value(key, indent)
    )


def _yaml_value(key: Key, indent: str) -> str:
    """Return the line of a key with its default; a list of mappings takes a line for each."""
    name, default = key.path[-1], key.default
    if isinstance(default, list) and default and isinstance(default[0], Mapping):
        entries = "".join(f"{indent}  - {flow(entry)}\n" for entry in default)
        return f"{indent}{name}:\n{entries}"
    return f"{indent}{name}: {flow(default)}\n"


def _comment(text: str, indent: str) -> str:
    start = f"{indent}# "
    # Nothing is broken within code, nor "By year.".
    whole = re.sub(r"`[^`]+`|By year", lambda found: found[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(without_marks(whole), WIDTH - len(start), break_on_hyphens=False)
    return "".join(f"{start}{line}\n" for line in lines).replace("\0", " ")


def flow(value: Any) -> str:
    """Return a value on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        return plain(value)
    # Read as text either way, but to some readers of YAML 01-01 is a number less another.
    is_pair = isinstance(value, str) and re.fullmatch(r"[0-9]+-[0-9]+", value)
    return f'"{value}"' if is_pair else str(value)


def reference(page: str) -> str:
    """Return the page of the keys with the rows of each of its tables.

    A table has the keys of the section, or the keys at the top, that it has rows of.

    Raises:
        SystemExit: a key has no table.

    """
    done: set[str] = set()

    def table(found: re.Match[str]) -> str:
        rows = found[0].splitlines()
        tops = {re.split("[`.]", row)[1] for row in rows}
        done.update(tops)
        is_wide = rows[0].count("|") == 5
        return "".join(_row(key, is_wide) for key in keys() if key.path[0] in tops)

    page = re.sub(r"(?:^\| `.*\n)+", table, page, flags=re.MULTILINE)
    if missing := {key.path[0] for key in keys()} - done:
        sys.exit(f"{REFERENCE}: add a table with a row of {', '.join(sorted(missing))}")
    return page


def _row(key: Key, is_wide: bool) -> str:
    """Return the row of a key; a wide table has a last column for by what it may be given."""
    default = key.default
    shown = "" if key.field.is_required() else flow(default)
    if shown and (isinstance(default, bool) or not isinstance(default, (int, Decimal))):
        shown = f"`{shown}`"
    varies = f" {', '.join(f'by {by}' for by in key.varies)}".rstrip() + " |" if is_wide else ""
    return f"| `{key.dotted}` | {shown} | {key.text} |{varies}\n".replace("|  |", "| |")


def sources(text: str) -> str:
    """Return sources.yml with the columns that keys become, after those of the table's key.

    They are what stands between the mark and the blank line after it.
    """

    def columns(found: re.Match[str]) -> str:
        lines = (
            f"          - {{name: {name}, data_type: {_quoted(sql)}, "
            f"description: {_quoted(_first_sentence(key))}}}\n"
            for key in columns_of(found["table"])
            for name, sql in key.columns.items()
        )
        return found["head"] + "".join(lines)

    return re.sub(
        r"(?P<head>      - name: (?P<table>\w+)\n(?:.+\n)*? +# Written by tools/declared.py.*\n)"
        r"(?:.+\n)*",
        columns,
        text,
    )


def _first_sentence(key: Key) -> str:
    return re.split(r"(?<=\.)\s", without_links(key.text))[0]


def _quoted(text: str) -> str:
    return f'"{text}"' if re.search(r"[:,`'{}()\[\]#]", text) else text


def write_sample_inputs(folder: Path) -> None:
    """Write a CSV per table of schema `inputs`, rows in a stable order."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = pipeline_for(Project.at(None))
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
        census = Path(scratch, "census.parquet")
        generate_census(EMPLOYEES, SEED, census)
        config = parse({"census": str(census)}, Path(scratch))
        settings = scenario_settings(config)
        write_inputs(connection, pipeline, config, settings)
        set_block(connection, pipeline, trajectories(config, list(settings), [0]))
        read_census(
            connection,
            census,
            columns={},
            census_date=config.effective_census_date,
            table="inputs.census",
        )
        for source in pipeline.sources:
            connection.execute(
                f"copy (select * from {source.relation} order by all) to ? (header)",
                [str(folder / f"{source.name}.csv")],
            )


def _key(name: str) -> Key:
    return Key((name,), ConfigFile.model_fields[name])


def main(arguments: Iterable[str]) -> int:
    """Write every file, or with --check name those that differ."""
    texts = written()
    if "--check" in arguments:
        with tempfile.TemporaryDirectory() as scratch:
            write_sample_inputs(Path(scratch))
            texts |= {SAMPLES / one.name: one.read_text("utf-8") for one in Path(scratch).iterdir()}
        there = {path: path.read_text("utf-8") for path in {*texts, *SAMPLES.iterdir()}}
        differing = sorted(path for path in there if there[path] != texts.get(path))
        for path in differing:
            print(f"{path.relative_to(ROOT)} is not what tools/declared.py writes")
        return 3 if differing else 0
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    # After sources.yml: the pipeline compiles with it.
    write_sample_inputs(SAMPLES)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
