"""Plan designs: what a plan that starts from one holds, and what is refused where."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from planalign.config import Config, Plan, ScenarioSettings, parse, to_yaml, value_at
from planalign.config.designs import ConfigFile
from planalign.config.document import parse_document
from planalign.engine.inputs import settings_text
from planalign.errors import InputError, Problem

One = Callable[..., Problem]
Many = Callable[..., list[Problem]]
Load = Callable[..., Config]

# Each layer gives a core rate where the one above it does not.
LAYERS = """\
designs:
  below: {core: {rate: 0.01, hours: 1, last_day: true}, match: {hours: 1, maximum_rate: 0.1}}
  above: {core: {rate: 0.03, hours: 3}, vesting: {match: [0, 0, 1]}}
plan:
  design: below
  core: {rate: 0.02, hours: 2}
  match: {hours: 2}
scenarios:
  same: {}
  own: {plan: {core: {rate: 0.04}}}
  design: {plan: {design: above}}
  both: {plan: {design: above, core: {rate: 0.04}, vesting: {match: immediate}}}
  none: {plan: {design: null}}
"""


def parsed(**data: Any) -> Config:
    return parse(data, Path("/study"))


def test_a_later_layer_wins_key_by_key(load_text: Load) -> None:
    config = load_text(LAYERS)

    def shown(plan: Plan) -> tuple[str, ...]:
        core, match = plan.core, plan.match
        shares = plan.vesting.match
        settings = (core.rate, core.hours, core.last_day, match.hours, match.maximum_rate)
        return (*map(str, settings), ",".join(map(str, shares)))  # type: ignore[arg-type]

    base = ("0.02", "2", "True", "2", "0.1", "1")
    assert shown(config.plan) == base
    assert {name: shown(one.plan) for name, one in config.scenarios.items()} == {
        "same": base,
        "own": ("0.04", *base[1:]),
        "design": ("0.03", "3", "True", "2", "0.1", "0,0,1"),
        "both": ("0.04", "3", "True", "2", "0.1", "1"),
        "none": base,
    }


def test_a_value_below_a_section_is_replaced_as_a_whole() -> None:
    design = {
        "match": {
            "formula": {2025: "tiers", 2027: "none"},
            "tiers": [{"up_to": 0.03, "rate": 1}, {"up_to": 0.05, "rate": 0.5}],
        },
        "limits": {"amounts": {"wage_base": {2025: 180_000}}},
    }
    config = parsed(
        designs={"one": design},
        scenarios={
            "same": {"plan": {"design": "one"}},
            "list": {"plan": {"design": "one", "match": {"tiers": [{"up_to": 0.1, "rate": 2}]}}},
            "year": {"plan": {"design": "one", "match": {"formula": {2020: "none"}}}},
            "once": {"plan": {"design": "one", "match": {"formula": "tiers"}}},
            "more": {"plan": {"design": "one", "limits": {"amounts": {"catch_up": {2025: 8_000}}}}},
        },
    )
    plans = {name: one.plan for name, one in config.scenarios.items()}
    words = {
        name: [value_at(p.match.formula, y) for y in (2026, 2027)] for name, p in plans.items()
    }
    assert words.pop("year") == ["none", "none"]
    assert words.pop("once") == ["tiers", "tiers"]
    assert set(map(tuple, words.values())) == {("tiers", "none")}
    assert [len(plans[name].match.tiers_in(2025)) for name in ("same", "list")] == [2, 1]
    assert list(plans["more"].limits.amounts) == ["catch_up"]


def test_a_named_design_is_its_keys_written_out() -> None:
    rich = {
        "offered": {2024: False, 2025: True},
        "automatic_enrollment": {"enabled": True, "hired_since": "2020-02-29"},
        "match": {"formula": "tiers", "tiers": [{"up_to": 0.08, "rate": 1}]},
        "core": {"rate": {2025: 0.02, 2027: 0.03}},
    }
    growth = {"target_growth_rate": 0.06}
    named = parsed(
        designs={"rich": rich, "unused": {"core": {"rate": 0.1}}},
        plan={"pay_frequency": "monthly"},
        scenarios={
            "a": {"plan": {"design": "rich"}},
            "b": {"workforce": growth, "plan": {"core": {"hours": 500}, "design": "rich"}},
        },
    )
    written = parsed(
        plan={"pay_frequency": "monthly"},
        scenarios={
            "a": {"plan": rich},
            "b": {"workforce": growth, "plan": {**rich, "core": {**rich["core"], "hours": 500}}},
        },
    )
    assert named == written
    assert to_yaml(named) == to_yaml(written)
    assert {type(one) for one in named.scenarios.values()} == {ScenarioSettings}
    assert {type(one.plan) for one in (named, *named.scenarios.values())} == {Plan}
    for name, settings in named.scenarios.items():
        assert settings_text(settings) == settings_text(written.scenarios[name])
        assert "design" not in settings_text(settings)


def test_the_resolved_file_has_whole_plans_and_reloads_identically(load_text: Load) -> None:
    config = load_text(LAYERS)
    text = to_yaml(config)
    assert "design:" not in text.replace("  design:\n", "")  # the scenario of that name
    assert "designs" not in text
    again = load_text(text)
    assert again == config
    assert to_yaml(again) == text


def test_without_designs_nothing_changes(load_text: Load) -> None:
    plain = load_text("plan: {core: {rate: 0.1}}")
    for text in ("designs:\nplan: {core: {rate: 0.1}}", "designs: {}\nplan: {core: {rate: 0.1}}"):
        assert load_text(text) == plain
    assert load_text("designs: {a: }\nplan: {design: a, core: {rate: 0.1}}") == plain


def test_designs_may_be_called_like_other_yaml_values(load_text: Load, problem: One) -> None:
    designs = "designs: {2025: {core: {rate: 0.2}}, '007': {core: {rate: 0.7}}, None: {}}\n"

    def rate(name: str) -> Any:
        return load_text(f"{designs}plan: {{design: {name}}}").plan.core.rate

    assert [str(rate(name)) for name in ("2025", "'2025'", "'007'", "null", "None")] == [
        "0.2", "0.2", "0.7", "0", "0"
    ]  # fmt: skip
    assert problem(f"{designs}plan: {{design: 007}}").value == "7"
    for word in ("true", "0.5", "[2025]", "{2025: a}"):
        assert (
            "must be the name of a design" in problem(f"{designs}plan: {{design: {word}}}").message
        )


def test_overrides_may_name_and_change_designs(load_text: Load, problem: One) -> None:
    text = """\
        designs:
          one: {core: {rate: 0.1, hours: 10}}
          two: {core: {rate: 0.2}}
        plan: {design: two}
        """
    config = load_text(text, {"plan": {"design": "one"}, "designs": {"one": {"core": {"rate": 1}}}})
    assert config.plan.core.rate == 1
    assert config.plan.core.hours == 10
    found = problem(text, {"plan": {"design": "three"}})
    assert (found.column, found.file, found.line) == ("plan.design", None, None)
    assert problem(text, {"designs": {"two": {"core": {"rate": 2}}}}).line is None


def test_an_unknown_name_is_refused_at_its_key_with_the_nearest(problems: Many) -> None:
    found = problems(
        """\
        designs:
          rich: {}
          lean: {}
        plan:
          design: laen
        scenarios:
          same: {}
          growth:
            workforce: {target_growth_rate: 0.06}
            plan:
              core: {rate: 0.01}
              design: riche
          other: {plan: {design: zzz}}
        """
    )
    assert [(problem.line, problem.column, problem.value) for problem in found] == [
        (5, "plan.design", "laen"),
        (12, "scenarios.growth.plan.design", "riche"),
        (13, "scenarios.other.plan.design", "zzz"),
    ]
    assert {problem.message for problem in found} == {"is not the name of a design"}
    assert "Did you mean lean? Designs: rich, lean" in found[0].remedy
    assert "Did you mean rich?" in found[1].remedy
    assert "Did you mean" not in found[2].remedy


def test_without_designs_a_name_is_told_where_to_give_one(problem: One) -> None:
    found = problem("scenarios: {a: {plan: {design: rich}}}")
    assert found.column == "scenarios.a.plan.design"
    assert "No designs are given; give one under designs" in found.remedy


def test_a_fault_in_a_design_is_reported_once_where_it_stands(
    problems: Many, tmp_path: Path
) -> None:
    found = problems(
        """\
        designs:
          unused:
            core: {rate: 2}
            match: {formul: tiers}
          used:
            core:
              rate: {2025: 0.1, 2026: 3}
            eligibility: {minimum_age: old}
            match:
              tiers:
                - {up_to: 0.06, rate: 11}
            vesting: 3
          late: {core: {rate: {2027: 0.1}}}
        plan: {design: used}
        scenarios:
          a: {}
          b: {plan: {design: used}}
          c: {plan: {design: used, core: {rate: {2025: 0.1, 2026: 3}}}}
          d: {plan: {design: late, core: {hours: 1}}}
        """
    )
    assert [(problem.line, problem.column) for problem in found] == [
        (3, "designs.unused.core.rate"),
        (4, "designs.unused.match.formul"),
        (7, "designs.used.core.rate.2026"),
        (8, "designs.used.eligibility.minimum_age"),
        (11, "designs.used.match.tiers[0].rate"),
        (12, "designs.used.vesting"),
        (13, "designs.late.core.rate"),
        (18, "scenarios.c.plan.core.rate.2026"),
    ]
    assert {problem.file for problem in found} == {str(tmp_path / "planalign.yaml")}
    assert "Did you mean formula?" in found[1].remedy


def test_what_contradicts_itself_is_refused_in_the_design(problem: One) -> None:
    found = problem(
        """\
        designs:
          strict:
            match:
              formula: safe_harbor_basic
              last_day: true
        scenarios:
          a: {plan: {design: strict}}
          b: {plan: {design: strict, core: {rate: 0.01}}}
          c: {plan: {design: strict, match: {last_day: false}}}
        """
    )
    assert (found.line, found.column) == (5, "designs.strict.match.last_day")


def test_what_a_design_leaves_open_is_refused_only_where_it_contradicts(
    load_text: Load, problem: One
) -> None:
    design = "designs: {harbor: {match: {formula: qaca}}}\n"
    load_text(design)
    load_text(f"{design}plan: {{automatic_enrollment: {{enabled: true}}, design: harbor}}")
    found = problem(
        f"{design}scenarios:\n"
        "  a: {plan: {design: harbor, automatic_enrollment: {enabled: true}}}\n"
        "  b: {plan: {design: harbor}}\n"
    )
    assert (found.line, found.column) == (4, "scenarios.b.plan.automatic_enrollment.enabled")
    # Once at the top, not again in each scenario that is completed by it.
    found = problem(f"{design}plan: {{design: harbor}}\nscenarios: {{a: {{}}, b: {{}}}}")
    assert (found.line, found.column) == (2, "plan.automatic_enrollment.enabled")


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("designs: {a: {}, b: {design: a}}", "designs.b.design", "does not start from another"),
        ("designs: {a: {plan: {offered: true}}}", "designs.a.plan", "write them without plan"),
        ("designs: {a: {minimum_age: 3}}", "designs.a.minimum_age", "under designs.a.eligibility."),
        ("designs: {a: {cola_rate: 0}}", "designs.a.cola_rate", "belongs under compensation."),
        ("designs: {a: {desings: 0}}", "designs.a.desings", "Allowed keys: offered, "),
        ("designs: {a: 5}", "designs.a", "below it: offered, "),
        ("designs: {a: [1]}\nplan: {design: a}", "designs.a", "below it: offered, "),
        ("designs: 5\nplan: {design: a}", "designs", "Write keys"),
        ("designs: {a b: {}}\nplan: {design: a b}", "designs.a b", "letters, digits, underscores"),
        ("desings: {}", "desings", "Did you mean designs?"),
        ("plan: {desing: a}", "plan.desing", "Did you mean design?"),
        ("scenarios: {a: {design: b}}", "scenarios.a.design", "under scenarios.a.plan."),
        ("scenarios: {a: {designs: {}}}", "scenarios.a.designs", "the same for every scenario."),
    ],
)
def test_what_stands_in_the_wrong_place(problem: One, text: str, column: str, hint: str) -> None:
    found = problem(text)
    assert (found.column, found.line) == (column, 1)
    assert hint in found.remedy


def test_a_design_that_is_given_twice_is_refused(problem: One) -> None:
    assert problem("designs:\n  a: {}\n  a: {}\n").message == "is given twice, first on line 2"


def test_data_without_a_file_has_problems_without_lines() -> None:
    with pytest.raises(InputError) as caught:
        parsed(designs={"a": {"core": {"rate": 2.5}}}, plan={"design": "b"})
    assert [(one.column, one.line) for one in caught.value.problems] == [
        ("plan.design", None),
        ("designs.a.core.rate", None),
    ]


def test_thousands_of_unknown_names_are_answered() -> None:
    designs: dict[str, Any] = {f"d{number}": {} for number in range(1_000)}
    scenarios = {f"s{number}": {"plan": {"design": f"x{number}"}} for number in range(50)}
    with pytest.raises(InputError) as caught:
        parsed(designs=designs, scenarios=scenarios)
    assert len(caught.value.problems) == 50
    assert all(len(one.remedy) < 1_000 for one in caught.value.problems)


def test_the_examples_of_the_pages_and_of_the_file_are_accepted() -> None:
    pages = Path(__file__).parents[3] / "docs" / "how-to"
    for page, names in {
        "write-scenarios.md": ["rich", "lean", "rich_growth"],
        "price-a-plan.md": ["none", "match", "automatic", "automatic_growth", "phased"],
    }.items():
        blocks = (pages / page).read_text(encoding="utf-8").split("```yaml\n")[1:]
        texts = [block.split("```")[0] for block in blocks]
        (text,) = [text for text in texts if "designs:" in text]
        assert list(parsed(**parse_document(text).data).scenarios) == names
    phased = parsed(**parse_document(text).data).scenarios["phased"].plan
    assert value_at(phased.match.formula, 2025) == "tiers"
    assert [tiers[0]["up_to"] for tiers in map(phased.match.tiers_in, (2026, 2027))] == [
        Decimal("0.04"), Decimal("0.06")
    ]  # fmt: skip


def shipped() -> dict[str, str]:
    """Return every configuration that pages and examples show, by where it stands."""
    root = Path(__file__).parents[3]
    found = {}
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        blocks = page.read_text(encoding="utf-8").split("```yaml\n")[1:]
        found |= {
            f"{page.name}-{number}": block.split("```")[0]
            for number, block in enumerate(blocks)
            if any(line.partition(":")[0] in ConfigFile.model_fields for line in block.splitlines())
            and not block.startswith("models:\n")  # of dbt, which has such a key too
        }
    demo = (root / "examples" / "demo.sh").read_text(encoding="utf-8")
    return {**found, "demo.sh": demo.split("<<'YAML'\n")[1].split("YAML\n")[0]}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in shipped().items()])
def test_what_pages_and_examples_show_is_accepted(load_text: Load, text: str) -> None:
    load_text(text)
