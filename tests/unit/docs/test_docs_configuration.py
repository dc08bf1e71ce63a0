"""What is written of the configuration's keys is what they are declared to be."""

import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

from planalign.config.contradictions import CONTRADICTIONS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGE = (REFERENCE / "configuration.md").read_text(encoding="utf-8")


def declared():
    """Return the tool that writes from the declarations of the keys."""
    path = Path(__file__).parents[3] / "tools" / "declared.py"
    specification = importlib.util.spec_from_file_location("declared", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", declared().written(), ids=lambda path: path.name)
def test_what_is_written_from_the_declarations_is_what_is_there(path):
    """If not: `python tools/declared.py`."""
    assert path.read_text(encoding="utf-8") == declared().written()[path]


def test_a_key_without_a_table_is_told():
    page = PAGE.replace("| `simulation.", "| simulation.")
    with pytest.raises(SystemExit, match=r"add a table with a row of simulation$"):
        declared().reference(page)


# 401(k)(13)(C)(iii), 1.401(k)-3(c)(6): of the Code, and of the regulations.
_LAW = re.compile(r"\d[\d.]*(?:\(\w+\))+(?:-\d+(?:\(\w+\))+)?")


def test_the_refusals_are_those_of_the_table_of_contradictions():
    """Each row has the place, the other settings and the law of one, and each has a row."""
    [text] = [part for part in PAGE.split("\n### ") if part.startswith("Refused together")]
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
    documented = Counter(
        (place.strip().strip("`"), frozenset(re.findall("`(.+?)`", keys)), (*_LAW.findall(law),))
        for _, place, keys, law in rows
    )
    declared = Counter(
        (rule.place, frozenset(rule.keys) - {rule.place}, (*_LAW.findall(rule.message),))
        for rule in CONTRADICTIONS
    )
    assert documented == declared
