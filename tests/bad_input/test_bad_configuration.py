"""The commands refuse a configuration that cannot be used: exit 2, every problem with its line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from planalign.config import load
from planalign.config.designs import ConfigFile
from planalign.config.merge import section_of
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydantic import BaseModel

    Refused = Callable[..., list[str]]

# By kind, the text of a file, and for each problem what its line says.
CONFIGURATIONS: dict[str, tuple[str, list[list[str]]]] = {
    "wrong types": (
        "simulation: {start_year: soon, random_seed: 1.5, replicates: true}\n"
        "workforce: {target_growth_rate: fast, alignment: 7, hiring: none}\n"
        "compensation: {raise_months: spring}\n"
        "plan: {offered: maybe, match: 3}\n",
        [
            [":1 simulation.start_year", "'soon'"],
            [":1 simulation.random_seed", "'1.5'", "whole number"],
            [":1 simulation.replicates", "'true'", "whole number"],
            [":2 workforce.target_growth_rate", "'fast'", "Write a number"],
            [":2 workforce.alignment", "'7'", "expected, exact"],
            [":2 workforce.hiring", "'none'", "Write keys"],
            [":3 compensation.raise_months", "'spring'"],
            [":4 plan.offered", "'maybe'", "true or false"],
            [":4 plan.match", "'3'", "Write keys"],
        ],
    ),
    "out of range": (
        "simulation:\n  start_year: 1800\n  replicates: 0\n"
        "workforce:\n  promotion_rate: 1.01\n  total_termination_rate: -0.1\n"
        "compensation:\n  cola_rate: .inf\n  merit_budget: .nan\n"
        "resources:\n  threads: 0\n  memory_limit: 0GB\n",
        [
            [":2 simulation.start_year", "'1800'"],
            [":3 simulation.replicates", "'0'", "Write a whole number"],
            [":5 workforce.promotion_rate", "'1.01'", "Write a number from 0 to 1"],
            [":6 workforce.total_termination_rate", "'-0.1'", "Write a number"],
            [":8 compensation.cola_rate", "'.inf'", "Write a number"],
            [":9 compensation.merit_budget", "'.nan'", "Write a number"],
            [":11 resources.threads", "'0'", "Write a whole number from 1 to 256"],
            [":12 resources.memory_limit", "'0GB'", "4GB"],
        ],
    ),
    "unknown": (
        "cenus: census.csv\nworkforce:\n  target_growth: 0.03\n"
        "census_columns: {employee: id}\nscenarios: {a: {simulation: {start_year: 2025}}}\n",
        [
            [":1 cenus", "Did you mean census?"],
            [":3 workforce.target_growth", "Did you mean target_growth_rate?"],
            [":4 census_columns.employee", "employee_id"],
            [":5 scenarios.a.simulation", "belongs at the top of the file"],
        ],
    ),
    "contradictory": (
        "simulation: {start_year: 2026, end_year: 2025}\n"
        "census_date: 2027-01-01\n"
        "workforce: {hiring: {pay_percentile_low: 0.9, pay_percentile_high: 0.1}}\n",
        [
            [":1 simulation", "2025"],
            [":2 census_date", "later than January 1, 2026"],
            [":3 workforce.hiring", "0.9"],
        ],
    ),
    "twice": (
        "workforce: {promotion_rate: 0.1}\nworkforce: {promotion_rate: 0.2}\n",
        [[":2 workforce", "first on line 1", "Keep one"]],
    ),
    "bomb": (
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
        [
            [":1", "anchor", "'&a'", "Remove it"],
            [":2", "anchor", "'&b'", "Remove it"],
            [":2", "alias", "'*a'", "Write the value out"],
            [":2", "alias", "'*a'", "Write the value out"],
            [":3", "anchor", "'&c'", "Remove it"],
            [":3", "alias", "'*b'", "Write the value out"],
            [":3", "alias", "'*b'", "Write the value out"],
        ],
    ),
    "itself": ("&a [*a]\n", [[":1", "anchor"], [":1", "alias"]]),
    "nested": ("[" * 5_000 + "]" * 5_000, [[":1", "more than 32 deep", "Flatten"]]),
    "objects": (
        "census: !!python/object/apply:os.system [touch made]\n",
        [[":1", "tag", "Write plain values"]],
    ),
    "not YAML": ("census: 'open\n", [[":", "not valid YAML", "Correct the text"]]),
    "two documents": ("a: 1\n---\nb: 2\n", [[":2", "more than one document", "Keep one"]]),
    "no mapping": ("- census.csv\n", [[":1", "mapping of keys to values", "census: "]]),
    "names": (
        "scenarios: {\"a'; drop table x; --\": {}, '../up': {}, '': {}}\ndesigns: {'a b': {}}\n",
        [
            [":1 scenarios.a'; drop table x; --", "not a name of a scenario", "Use a letter"],
            [":1 scenarios...", "not a name of a scenario", "Use a letter"],
            [":1 scenarios", "not a name of a scenario", "Use a letter"],
            [":2 designs.a b", "not a name of a design", "Use a letter"],
        ],
    ),
    "paths": (
        'census: "a\\nb.csv"\ndbt_project: "\\0"\n',
        [
            [":1 census", "control character", "printable"],
            [":2 dbt_project", "control character", "printable"],
        ],
    ),
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_every_problem_is_listed_with_its_line_and_nothing_is_left(
    folder: Path, refused: Refused, kind: str
) -> None:
    text, expected = CONFIGURATIONS[kind]
    (folder / "planalign.yaml").write_text(text)
    listed = refused("simulate")
    assert len(listed) == len(expected), "\n".join(listed)
    for line, words in zip(listed, expected, strict=True):
        assert line.startswith("planalign.yaml")
        assert all(word in line for word in words), line
    # The census that is checked is not the one that the file names.
    others = [line for line in listed if not line.startswith("planalign.yaml:1 census:")]
    assert refused("census", "check", "census.csv", "--config", "planalign.yaml") == others


@pytest.mark.parametrize(
    "content",
    [b"census: \xff.csv", b"\xff\xfec\x00", b"# " + b"x" * 1_000_001, b"a: \x07"],
    ids=["latin-1", "utf-16", "large", "control character"],
)
def test_bytes_that_are_no_text_are_refused(folder: Path, refused: Refused, content: bytes) -> None:
    (folder / "planalign.yaml").write_bytes(content)
    [line] = refused("simulate")
    assert line.startswith("planalign.yaml")


@pytest.mark.parametrize(
    "arguments",
    [
        ["2025-20x9"], ["2029-2025"], ["--seeds", "0"], ["--threads", "-1"],
        ["--memory-limit", "lots"], ["--runner", "fast"], ["--scenario", "'; drop"],
        ["--replicate", "-1"], ["--config", "absent.yaml"], ["--config", "."], ["--nonsense"],
        ["1800"], ["9999"],
    ],
)  # fmt: skip
def test_bad_options_are_refused(folder: Path, refused: Refused, arguments: list[str]) -> None:
    refused("simulate", *arguments)


def test_a_process_says_it_on_stderr_only(folder: Path) -> None:
    text, expected = CONFIGURATIONS["wrong types"]
    (folder / "planalign.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "planalign", "simulate"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("planalign.yaml:") == len(expected)
    assert sorted(path.name for path in folder.iterdir()) == ["census.csv", "planalign.yaml"]


def paths(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key, sections too."""
    for name in model.model_fields:
        yield (*above, name)
        if below := section_of(model, name):
            yield from paths(below, (*above, name))


KEYS = [path for path in paths(ConfigFile) if path[0] != "designs"]
ODD = [
    "", "word", "'; drop table x; --", "=1+1", "2024-13-45", "3%", "1_000", "0x1F", ".nan", "-.inf",
    True, -1, 1.5, 1e400, 10**30, -(10**30), "9" * 400, [], [None], {}, {"x": 1}, {2025: None},
    {1799: 1}, [[[]]], "\u202e", "null\u2028",
]  # fmt: skip


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_any_key_takes_an_odd_value_or_says_so_at_its_line(
    tmp_path: Path, path: tuple[str, ...]
) -> None:
    file = tmp_path / "planalign.yaml"
    for value in ODD:
        data: Any = value
        for name in reversed(path):
            data = {name: data}
        lines = ["# the value stands below", yaml.safe_dump(data, allow_unicode=True)]
        file.write_text("\n".join(lines), encoding="utf-8")
        for problem in problems_of(file):
            assert problem.message
            assert problem.remedy
            assert problem.file == str(file)
            assert problem.line is not None
            assert problem.line >= 2


def problems_of(file: Path) -> tuple[Problem, ...]:
    """Return the problems of a file; one that is refused has some."""
    try:
        load(file)
    except InputError as error:
        found = error.problems
    else:
        return ()
    assert found
    return found
