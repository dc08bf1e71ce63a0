"""Factors on hazards: a name that is no hazard is refused, and no factor is one."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "event_reference.py"))


def hazard(name: str, factors: dict[str, str]) -> str:
    macros = TOOL["macros_of"]()
    macros["own_hazard_factors"] = lambda: factors
    return " ".join(str(macros["hazard"](name)).split())


def test_a_factor_of_what_is_no_hazard_is_refused() -> None:
    with pytest.raises(ValueError, match="'volontary' is no hazard; those are voluntary, ret"):
        hazard("voluntary", {"volontary": "2"})


def test_an_employee_without_a_factor_keeps_the_hazard() -> None:
    assert hazard("voluntary", {}) == "hazards.voluntary_hazard"
    factor = "case when aged.department = 'Sales' then 2 end"
    assert f"coalesce(({factor}), 1)" in hazard("voluntary", {"voluntary": factor})
