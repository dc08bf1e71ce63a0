"""Every column of every mart is in docs/reference/results.md, with its type."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from planalign.marts.origin import RUN, RUN_TYPES
from planalign.marts.packaged import packaged_marts
from planalign.run_format import FORMAT

ROOT = Path(__file__).parents[3]
# The digest of the columns of all marts by format.
COLUMNS_OF_FORMAT = {1: "fb4993134b2e3c17", 2: "21ef1077ced08ea5", 3: "aa168c0bc6455cc3"}
PAGE = (ROOT / "docs" / "reference" / "results.md").read_text(encoding="utf-8")


@cache
def marts():
    """Return the models with declared columns: those that are kept in a run; and dim_run."""
    always = [{"type": "not_null"}]
    found = {
        RUN.name: [
            {"name": name, "data_type": kind, "constraints": always}
            for name, kind in RUN_TYPES.items()
        ]
    }
    for path in sorted((ROOT / "src" / "planalign" / "dbt" / "models").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            if model.get("columns"):
                found[model["name"]] = model["columns"]
    return found


def section(mart):
    """Return the section of the page about a mart."""
    [text] = [part for part in PAGE.split("\n## ") if part.splitlines()[0] == mart]
    return text


def documented(mart):
    """Return column -> (type, whether it may be null) of a section of the page."""
    text = section(mart)
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    return {row[1].strip(" `"): (row[2].strip(), "null" in row[3]) for row in rows}


def test_the_marts_of_the_project_are_documented():
    titles = {part.splitlines()[0] for part in PAGE.split("\n## ")[1:]}
    assert titles == set(marts())


@pytest.mark.parametrize("mart", marts())
def test_every_column_is_documented_in_order_with_its_type(mart):
    declared = {
        column["name"]: (column["data_type"], not column.get("constraints"))
        for column in marts()[mart]
    }
    assert list(documented(mart).items()) == list(declared.items())


@pytest.mark.parametrize("mart", [*packaged_marts().values(), RUN], ids=lambda mart: mart.name)
def test_key_order_and_sheet_are_those_that_are_declared(mart):
    said = dict(re.findall(r"^(Key|Order): ([`\w, ]+)\.", section(mart.name), re.MULTILINE))
    found = {name: tuple(re.findall(r"`(\w+)`", text)) for name, text in said.items()}
    assert found == {"Key": mart.key} | ({"Order": mart.order} if mart.order != mart.key else {})
    [sheet] = re.findall(rf"^\| \[{mart.name}\].*\|(.*)\|$", PAGE, re.MULTILINE)
    assert sheet.strip() == (mart.sheet.title if mart.sheet else "")


def test_the_columns_of_the_marts_are_those_of_the_format():
    declared = {
        mart: [(column["name"], column["data_type"]) for column in columns]
        for mart, columns in sorted(marts().items())
    }
    digest = hashlib.sha256(json.dumps(declared).encode()).hexdigest()[:16]
    assert COLUMNS_OF_FORMAT[FORMAT] == digest, (
        "the marts have other columns: raise FORMAT of planalign.run_format, unless it is not "
        "released yet, say in run-folder.md what is new, and write the digest here"
    )


def test_every_format_of_a_run_is_documented():
    page = (ROOT / "docs" / "reference" / "run-folder.md").read_text(encoding="utf-8")
    [text] = [part for part in page.split("\n## ") if part.startswith("Format\n")]
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert rows[1:] == [str(number) for number in range(FORMAT + 1)]
