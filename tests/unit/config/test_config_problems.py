"""Problems name file, line, key, value and what to do, all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from planalign.config import Config, load
from planalign.errors import ExitCode, InputError, Problem

if TYPE_CHECKING:
    from pathlib import Path

One = Callable[..., Problem]
Many = Callable[..., list[Problem]]
Load = Callable[..., Config]


def test_every_problem_is_reported_at_once_with_its_line(problems: Many, tmp_path: Path) -> None:
    found = problems(
        """\
        simulation:
          start_year: 2030
          end_year: 2029
        workforce:
          target_growth_rat: 0.03
          promotion_rate: 3%
          total_termination_rate:
            2025: 0.1
            2027: 2
        compensation:
          performance:
            - {rating: meets, share: 1, multiplier: 1}
            - rating: exceeds
              share: -1
              multiplier: 1
        """
    )
    assert [(problem.line, problem.column, problem.value) for problem in found] == [
        (3, "simulation.end_year", "2029"),
        (5, "workforce.target_growth_rat", "0.03"),
        (6, "workforce.promotion_rate", "3%"),
        (9, "workforce.total_termination_rate.2027", "2"),
        (14, "compensation.performance[1].share", "-1"),
    ]
    assert {problem.file for problem in found} == {str(tmp_path / "planalign.yaml")}
    assert all(problem.remedy for problem in found)


def test_the_error_says_where_in_one_line_each(load_text: Load) -> None:
    with pytest.raises(InputError) as caught:
        load_text("workforce:\n  promotion_rate: 2\n")
    assert caught.value.exit_code == ExitCode.INPUT
    assert "planalign.yaml:2 workforce.promotion_rate: must be from 0 to 1" in str(caught.value)


def test_an_unknown_key_names_the_nearest_and_the_allowed(problem: One) -> None:
    found = problem("workforce: {target_grwth_rate: 0.03}")
    assert found.column == "workforce.target_grwth_rate"
    assert "Did you mean target_growth_rate?" in found.remedy
    assert "promotion_rate" in found.remedy
    assert "Did you mean workforce?" in problem("WORKFORCE: {}").remedy
    assert "Did you mean employee_id?" in problem("census_columns: {employeeid: x}").remedy
    assert (
        "rating, share"
        in problem(
            "compensation: {performance: [{rating: a, share: 1, multiplier: 1, size: 3}]}"
        ).remedy
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("workforce: {cola_rate: 0.03}", "cola_rate belongs under compensation."),
        ("workforce: {cola_rat: 0.03}", "cola_rate belongs under compensation."),
        ("promotion_rate: 0.03", "promotion_rate belongs under workforce."),
        ("plan: {minimum_age: 21}", "minimum_age belongs under plan.eligibility."),
        ("plan: {census: x}", "census belongs at the top of the file."),
        ("scenarios: {a: {cola_rate: 0.1}}", "belongs under scenarios.a.compensation."),
        ("scenarios: {a: {plan: {cola_rate: 0}}}", "belongs under scenarios.a.compensation."),
        ("scenarios: {a: {random_seed: 1}}", "under simulation, the same for every scenario."),
        ("scenarios: {a: {simulation: {}}}", "top of the file, the same for every scenario."),
    ],
)
def test_a_key_in_the_wrong_place_is_told_where_it_belongs(
    problem: One, text: str, hint: str
) -> None:
    assert hint in problem(text).remedy


def test_a_scenario_is_blamed_for_its_own_settings_only(problems: Many) -> None:
    found = problems(
        """\
        workforce:
          promotion_rate: 2
          hiring: {pay_percentile_low: 0.5}
        scenarios:
          same: {}
          growth:
            workforce:
              promotion_rate: 3
              cola_rate: 0.1
          narrow:
            workforce:
              hiring:
                pay_percentile_high: 0.4
          late:
            compensation:
              cola_rate:
                2026: 0.1
        """
    )
    assert [(problem.line, problem.column) for problem in found] == [
        (2, "workforce.promotion_rate"),
        (8, "scenarios.growth.workforce.promotion_rate"),
        (9, "scenarios.growth.workforce.cola_rate"),
        (13, "scenarios.narrow.workforce.hiring.pay_percentile_high"),
        (16, "scenarios.late.compensation.cola_rate"),
    ]


def test_a_scenario_with_a_number_for_a_name_is_one_scenario(load_text: Load, problem: One) -> None:
    overrides = {"scenarios": {"2025": {"workforce": {"promotion_rate": 0.2}}}}
    config = load_text("scenarios: {2025: {workforce: {total_termination_rate: 0.3}}}", overrides)
    assert str(config.scenarios["2025"].workforce.promotion_rate) == "0.2"
    assert str(config.scenarios["2025"].workforce.total_termination_rate) == "0.3"
    assert problem("scenarios:\n  2025: {plan: {a: 1}}\n  b: {}").line == 2


def test_a_conflict_between_scenario_and_base_stands_at_the_scenario(problem: One) -> None:
    found = problem(
        """\
        scenarios:
          a:
            workforce:
              hiring:
                pay_percentile_low: 0.9
        """
    )
    assert found.column == "scenarios.a.workforce.hiring.pay_percentile_high"
    assert found.line == 4


def test_a_section_that_is_no_mapping_is_reported_once(problem: One) -> None:
    found = problem("workforce: 3\nscenarios: {a: {workforce: {promotion_rate: 0.1}}, b: {}}")
    assert (found.column, found.line) == ("workforce", 1)
    assert "target_growth_rate" in found.remedy
    assert problem("scenarios: {a: 5}").column == "scenarios.a"


def test_a_key_without_value_is_an_empty_section(load_text: Load) -> None:
    assert load_text("workforce:\nscenarios:\n  a:\n  b: {plan: }\n").scenarios.keys() == {"a", "b"}


def test_overrides_win_and_have_no_line(load_text: Load, problem: One) -> None:
    text = """\
        simulation: {start_year: 2026, end_year: 2027}
        compensation: {cola_rate: {2020: 0.1, 2026: 0.2}}
        scenarios: {a: {workforce: {promotion_rate: 0.1}}, b: {}}
        """
    overrides: dict[str, Any] = {
        "simulation": {"end_year": 2030},
        "compensation": {"cola_rate": 0.5},
        "scenarios": {"a": {"workforce": {"total_termination_rate": 0.2}}},
    }
    config = load_text(text, overrides)
    assert (config.simulation.start_year, config.simulation.end_year) == (2026, 2030)
    assert str(config.compensation.cola_rate) == "0.5"
    assert str(config.scenarios["a"].workforce.promotion_rate) == "0.1"
    assert str(config.scenarios["a"].workforce.total_termination_rate) == "0.2"
    found = problem(text, {"simulation": {"end_year": 2025}})
    assert (found.column, found.file, found.line) == ("simulation.end_year", None, None)


def test_an_override_that_breaks_the_file_blames_the_file(problem: One) -> None:
    text = "workforce:\n  promotion_rate: {2025: 0.1}\n"
    assert problem(text, {"simulation": {"start_year": 2024}}).line == 2


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: 1\nb: [1", "not valid YAML", 2),
        ("census: x\n\tplan: 1", "not valid YAML", 2),
        ("workforce: {}\nworkforce: {}", "given twice, first on line 1", 2),
        ("plan:\n  eligibility: {minimum_age: 21,\n    minimum_age: 20}", "given twice", 3),
        ("workforce: &w {}\nplan: {}", "anchor", 1),
        ("census: x\nplan: !!python/object:os.system {}", "tag", 2),
        ("census: !!str 5", "tag", 1),
        ("census: a\n---\ncensus: b", "more than one document", 2),
        ("- 1\n- 2", "must be a mapping", 1),
        ("hello", "must be a mapping", 1),
        ("census: x\n? [a, b]\n: 1", "key must be a single word", 2),
        ("census: x\nplan: \x07", "does not allow", 2),
        ('census: "\\UFFFFFFFF"', "escape", None),
        ("%YAML " + "9" * 5000 + ".1\n---\na: 1", "escape or version", None),
        ("[" * 5000, "nested more than", 1),
        ("a:\n" + "- " * 5000, "nested more than", 2),
        ("%YAML 3.0\n---\na: 1", "not valid YAML", 1),
    ],
)
def test_text_that_is_not_plain_yaml(problems: Many, text: str, message: str, line: int) -> None:
    found = [problem for problem in problems(text) if message in problem.message]
    assert [problem.line for problem in found] == [line]


def test_an_alias_bomb_is_refused_at_every_anchor(problems: Many) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert len(problems("\n".join(lines))) == 30 + 29 * 9


def test_bytes_and_files(tmp_path: Path) -> None:
    path = tmp_path / "planalign.yaml"

    def refusal(raw: bytes) -> Problem:
        path.write_bytes(raw)
        with pytest.raises(InputError) as caught:
            load(path)
        return caught.value.problems[0]

    path.write_bytes(b"\xef\xbb\xbfsimulation: {random_seed: 7}")
    assert load(path).simulation.random_seed == 7
    assert refusal(b"census: x\nplan: \xff").line == 2
    assert "UTF-8" in refusal("census: x".encode("utf-16")).message
    assert "larger" in refusal(b"#" * 1_000_001).message
    path.write_bytes(b"#" * 1_000_000)
    assert load(path) == load_empty(tmp_path)
    for missing in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(InputError) as caught:
            load(missing)
        assert caught.value.problems[0].file == str(missing)


def load_empty(folder: Path) -> Config:
    path = folder / "empty.yaml"
    path.write_text("", encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "null", "{}"])
def test_an_empty_file_is_all_defaults(load_text: Load, tmp_path: Path, text: str) -> None:
    assert load_text(text) == load_empty(tmp_path)


@pytest.mark.parametrize(
    "word", ["0x1F", "1_000", "1:30", ".nan", "-.inf", "yes", "1e99999999999999999999", "3 4"]
)
def test_only_plain_numbers_are_numbers(problem: One, word: str) -> None:
    assert problem(f"simulation: {{random_seed: {word}}}").value == word


def test_a_leading_zero_means_nothing(load_text: Load) -> None:
    assert load_text("simulation: {random_seed: 017}").simulation.random_seed == 17


def test_scenarios_may_be_called_like_other_yaml_values(load_text: Load) -> None:
    text = "scenarios: {2025: {}, 007: {}, yes: {}, 'true': {}, null: {}, 1e5: {}}"
    names = ["2025", "007", "yes", "true", "null", "1e5"]
    assert list(load_text(text).scenarios) == names
