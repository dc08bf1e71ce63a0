"""Whatever a file contains, only InputError leaves `load`."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from planalign.config import documented_yaml, load, to_yaml
from planalign.config.declarations import keys
from planalign.config.designs import ConfigFile
from planalign.config.merge import element_of, section_of
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "planalign.yaml"


def check(file: Path, content: bytes) -> None:
    """Load the content: a configuration that survives writing, or problems with remedies."""
    file.write_bytes(content)
    problems: tuple[Problem, ...] = ()
    try:
        config = load(file)
    except InputError as error:
        problems = error.problems
        assert str(error).encode()  # noqa: PT017
    else:
        file.write_text(to_yaml(config), encoding="utf-8")
        assert load(file) == config
        return
    assert problems
    assert all(problem.message and problem.remedy for problem in problems)


KEYS = sorted({part for key in keys() for part in key.path})
WORDS = st.sampled_from(
    [*KEYS, "auto", "exact", "18-24", "10-01", "2024-12-31", "3%", "0.03", "4GB"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 12)
    | st.integers(2020, 2030)
    | st.floats()
    | st.floats(0, 1)
    | st.dates()
    | st.binary(max_size=4)
    | WORDS
    | st.text(max_size=8)
)
ANY_KEYS = WORDS | st.integers(-1, 7) | st.integers(2020, 2030) | st.text(max_size=5) | st.none()
STRUCTURES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(ANY_KEYS, inner, max_size=5),
    max_leaves=20,
)


def shaped(model: type[BaseModel]) -> st.SearchStrategy[object]:
    """Return mappings that look like the section, with anything as values."""
    optional = {}
    for name in model.model_fields:
        below, many = section_of(model, name), element_of(model, name)
        if below is not None:
            optional[name] = shaped(below) | SCALARS
        elif many is not None:
            entry = shaped(many)
            optional[name] = st.lists(entry, max_size=2) | st.dictionaries(WORDS, entry, max_size=2)
        else:
            optional[name] = STRUCTURES
    return st.fixed_dictionaries({}, optional=optional)


@given(text=st.text())
@example(text='"\\ud800": 1')
@example(text="? ")
@example(text="? ? ? a")
@example(text="a: !<tag:yaml.org,2002:python/none> x")
@example(text="a: *b")
@example(text="&a [*a]")
@example(text="<<: {workforce: 1}")
@example(text='census: "\\0"')
@example(text="simulation: {start_year: 1e999999999, random_seed: 1e-999999999}")
@example(text="workforce: {promotion_rate: " + "9" * 10_000 + "}")
@example(text="workforce: {promotion_rate: 0." + "3" * 10_000 + "}")
@example(text="workforce: {promotion_rate: 0." + "0" * 10_000 + "}")
@example(text="workforce: {promotion_rate: {" + "9" * 10_000 + ": 1}}")
@example(text="scenarios: {" + "9" * 5_000 + ": {plan: 3}}")
@example(text="scenarios: {a: {plan: {" + "9" * 19 + ": 3}}}")
def test_any_text(file: Path, text: str) -> None:
    check(file, text.encode("utf-8", "surrogatepass"))


@given(content=st.binary())
def test_any_bytes(file: Path, content: bytes) -> None:
    check(file, content)


@given(data=STRUCTURES)
def test_any_structure(file: Path, data: object) -> None:
    with contextlib.suppress(yaml.YAMLError):
        check(file, yaml.safe_dump(data, allow_unicode=True).encode())


@given(data=shaped(ConfigFile))
def test_any_values_under_the_right_keys(file: Path, data: object) -> None:
    check(file, yaml.safe_dump(data, allow_unicode=True).encode())


@given(data=st.data())
def test_any_damage_to_a_good_file(file: Path, data: st.DataObject) -> None:
    text = documented_yaml()[1200:]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    insert = data.draw(
        st.sampled_from(["", ":", "{", "}", "\n", "\t", "- ", "'", "3", "null", "&a "])
    )
    check(file, (text[:start] + insert + text[end:]).encode())


def test_a_file_full_of_problems_is_answered(file: Path) -> None:
    lines = "\n".join(f"key_{number}: 1" for number in range(2_000))
    check(file, lines.encode())
