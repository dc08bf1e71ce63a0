"""Every column of every mart is in docs/reference/results.md, with its type."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from planalign.run_format import FORMAT

ROOT = Path(__file__).parents[3]
# The digest of the columns of all marts by format.
COLUMNS_OF_FORMAT = {1: "fb4993134b2e3c17"}
PAGE = (ROOT / "docs" / "reference" / "results.md").read_text(encoding="utf-8")


def marts():
    """Return the models with declared columns: those that are kept in a run."""
    found = {}
    for path in sorted((ROOT / "src" / "planalign" / "dbt" / "models").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            if model.get("columns"):
                found[model["name"]] = model["columns"]
    return found


def documented(mart):
    """Return column -> (type, whether it may be null) of a section of the page."""
    [text] = [part for part in PAGE.split("\n## ") if part.splitlines()[0] == mart]
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
