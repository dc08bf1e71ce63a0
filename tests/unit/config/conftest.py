"""Write a configuration to a file and load it, or read its problems."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from planalign.config import Config, load
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@pytest.fixture
def load_text(tmp_path: Path) -> Callable[..., Config]:
    def load_it(text: str, overrides: Mapping[str, Any] | None = None) -> Config:
        path = tmp_path / "planalign.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return load(path, overrides)

    return load_it


@pytest.fixture
def problems(load_text: Callable[..., Config]) -> Callable[..., list[Problem]]:
    def problems_of(text: str, overrides: Mapping[str, Any] | None = None) -> list[Problem]:
        with pytest.raises(InputError) as caught:
            load_text(text, overrides)
        return list(caught.value.problems)

    return problems_of


@pytest.fixture
def problem(problems: Callable[..., list[Problem]]) -> Callable[..., Problem]:
    def only_problem(text: str, overrides: Mapping[str, Any] | None = None) -> Problem:
        (found,) = problems(text, overrides)
        return found

    return only_problem
