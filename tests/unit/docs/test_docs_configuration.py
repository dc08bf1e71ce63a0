"""Every key of planalign.yaml is in docs/reference/configuration.md, with its default."""

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from planalign.config.contradictions import CONTRADICTIONS
from planalign.config.designs import ConfigFile

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PAGE = (REFERENCE / "configuration.md").read_text(encoding="utf-8")


def sections_in(annotation):
    """Return the sections that a field holds one or many of."""
    found = [annotation, *get_args(annotation)]
    return [one for one in found if isinstance(one, type) and issubclass(one, BaseModel)]


def keys(model=ConfigFile, above=""):
    """Yield the dotted name and the default of every key that is no section."""
    for name, field in model.model_fields.items():
        key = f"{above}{name}"
        inner = sections_in(field.annotation)
        is_list = bool(inner) and inner[0] is not field.annotation
        if not inner or is_list:
            yield key, field.default
        if inner and key not in {"scenarios", "designs"}:  # they repeat the sections above
            yield from keys(inner[0], f"{key}.")


def row_of(key):
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{key}` |")]
    assert len(rows) == 1, f"configuration.md needs one row for {key}"
    return rows[0]


@pytest.mark.parametrize("key", [key for key, _ in keys()])
def test_every_key_is_documented(key):
    assert row_of(key)


@pytest.mark.parametrize(
    ("key", "default"),
    [(key, value) for key, value in keys() if isinstance(value, int | str | date | Decimal)],
)
def test_the_documented_default_is_the_default(key, default):
    shown = format(default.normalize(), "f") if isinstance(default, Decimal) else str(default)
    shown = shown.lower() if isinstance(default, bool) else shown
    assert row_of(key).split("|")[2].strip().strip('`"') == shown


def test_no_key_is_documented_that_is_gone():
    documented = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert set(documented) == {key for key, _ in keys()}


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
