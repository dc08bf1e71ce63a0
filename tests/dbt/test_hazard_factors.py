"""Factors on hazards: a name that is no hazard is refused, and no factor is one."""

from __future__ import annotations

import pytest
from dbt_common.clients.jinja import get_environment
from dbt_common.utils.jinja import MACRO_PREFIX

from planalign.marts.packaged import PACKAGED


class Exceptions:
    @staticmethod
    def raise_compiler_error(message: str) -> None:
        raise ValueError(message)


def hazard(name: str, factors: dict[str, str]) -> str:
    text = (PACKAGED / "macros" / "hazards.sql").read_text(encoding="utf-8")
    context = {"own_hazard_factors": lambda: factors, "exceptions": Exceptions}
    template = get_environment().from_string(text, globals=context)
    macro = getattr(template.make_module(), f"{MACRO_PREFIX}hazard")
    return " ".join(macro(name).split())


def test_a_factor_of_what_is_no_hazard_is_refused() -> None:
    with pytest.raises(ValueError, match="'volontary' is no hazard; those are voluntary, ret"):
        hazard("voluntary", {"volontary": "2"})


def test_an_employee_without_a_factor_keeps_the_hazard() -> None:
    assert hazard("voluntary", {}) == "hazards.voluntary_hazard"
    factor = "case when aged.department = 'Sales' then 2 end"
    assert f"coalesce(({factor}), 1)" in hazard("voluntary", {"voluntary": factor})
