"""The engine never drags in an interface, and a warm start never imports dbt."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = ("planalign.cli", "planalign.studio", "planalign.charts", "rich", "typer", "dbt")


@pytest.mark.parametrize(
    "module",
    [
        "planalign.study",
        "planalign.engine.year_processor",
        "planalign.engine.compiler",
        "planalign.engine.runners.direct",
        "planalign.results",
        "planalign.census",
        "planalign.config",
    ],
)
def test_a_core_module_imports_no_interface_and_no_dbt(module):
    script = (
        f"import sys, {module}; "
        f"print([n for n in sys.modules if n.split('.')[0] in ('rich', 'typer', 'dbt') "
        f"or n.startswith({FORBIDDEN[:3]!r})])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_a_run_without_a_fault_does_not_pay_for_retries(studies):
    script = (
        "import sys; import pathlib; from planalign.study import *; "
        "run_study(Request(configuration({'census': sys.argv[1], "
        "'simulation': {'start_year': 2025, 'end_year': 2025}}), pathlib.Path(sys.argv[2]))); "
        "print([n for n in sys.modules if n == 'tenacity'])"
    )
    census, output = str(studies.generated(20)), str(studies.new())
    found = subprocess.run(
        [sys.executable, "-c", script, census, output], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
