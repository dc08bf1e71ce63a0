"""A fit counts what happened, and keeps what nobody can tell."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from planalign.config import parse
from planalign.errors import InputError, UsageError
from planalign.experience.censuses import dated
from planalign.experience.fitting import fit

if TYPE_CHECKING:
    from planalign.experience.fitting import Fit


def test_every_year_is_counted_as_it_was(fitted: Fit, history: dict[str, Any]) -> None:
    counted = {
        "opening": "opening_headcount",
        "leavers": "leavers",
        "hires": "hires",
        "hires_left": "hires_left",
        "closing": "closing_headcount",
    }
    for row in fitted.movement:
        truth = history["by_year"][str(row["year"])]
        assert {name: row[key] for name, key in counted.items()} == {
            name: truth[name] for name in counted
        }
        assert row["came_back"] == truth["rehires"]


@pytest.mark.parametrize(
    ("dimension", "table"),
    [
        ("age_band", "turnover_by_age_band"),
        ("tenure_band", "turnover_by_tenure_band"),
        ("job_level", "turnover_by_level"),
    ],
)
def test_turnover_is_counted_by_class(
    fitted: Fit, history: dict[str, Any], dimension: str, table: str
) -> None:
    found = {
        one.cell: (one.events, one.exposure)
        for one in fitted.cells
        if (one.assumption, one.dimension) == ("termination", dimension)
    }
    truth = {name: (one["n"], one["of"]) for name, one in history[table]["pooled"].items()}
    assert found == truth


def test_promotions_and_raises_are_those_of_the_truth(fitted: Fit, history: dict[str, Any]) -> None:
    truth = history["pooled"]["promotion_by_level"]
    found = {
        one.cell: (one.events, one.exposure)
        for one in fitted.cells
        if (one.assumption, one.dimension) == ("promotion", "job_level")
    }
    assert found == {level: (one["n"], one["of"]) for level, one in truth.items()}
    raises = {
        one.cell: (one.exposure, one.events / one.exposure)
        for one in fitted.cells
        if (one.assumption, one.dimension) == ("raise", "year")
    }
    for year in ("2023", "2024"):
        seen = history["by_year"][year]["raise"][
            "same_level_hired_before_october_of_the_year_before"
        ]
        assert raises[year] == (seen["n"], pytest.approx(seen["mean"], abs=1e-6))


def test_what_generated_the_company_lies_in_the_intervals(
    fitted: Fit, history: dict[str, Any]
) -> None:
    true = history["true_parameters"]
    total = fitted.estimate("workforce.total_termination_rate")
    assert total is not None
    rates = dict(
        zip(["<1", "1", "2-4", "5-9", "10-14", "15-19", "20+"], true["turnover"], strict=True)
    )
    for one in fitted.cells:
        if (one.assumption, one.dimension) == ("voluntary", "tenure_band"):
            assert one.interval is not None
            low, high = one.interval
            # Seven intervals of 90 %, of which one may miss, and by a little.
            assert low * 0.95 <= rates[one.cell] <= high * 1.2
    increase = fitted.estimate("compensation.promotion_increase")
    assert increase is not None
    assert increase.blend.low is not None
    assert increase.blend.low - 0.005 <= true["promotion_raise"] <= (increase.blend.high or 0)
    raised = sum(
        one.value
        for one in fitted.estimates
        if one.key in ("compensation.cola_rate", "compensation.merit_budget")
    )
    assert raised == pytest.approx((0.04 + 0.035) / 2, abs=0.001)


def test_a_cell_is_moved_no_further_than_its_number_bears(fitted: Fit) -> None:
    for one in fitted.cells:
        if one.blend is None or one.blend.own is None:
            continue
        low, high = sorted((one.blend.own, one.blend.prior))
        assert low - 1e-9 <= one.blend.blended <= high + 1e-9
        if one.events < 5 and one.dimension == "age_and_tenure":
            assert one.blend.credibility < 0.1


def test_the_tables_say_the_fitted_rate(fitted: Fit) -> None:
    rows = fitted.tables["termination_hazards"]
    assert {name for row in rows for name in row} == {"age_band", "tenure_band", "hazard"}
    assert all(0 <= float(row["hazard"]) <= 1 for row in rows)
    assert len(fitted.tables["retirement_hazards"]) == 131
    # Fitted at the company's level: the model finds a scale near 1.
    young = next(r for r in rows if (r["age_band"], r["tenure_band"]) == ("25-34", "<1"))
    assert 0.2 < float(young["hazard"]) < 0.5


def test_what_no_file_tells_is_named(fitted: Fit, company: Any) -> None:
    assert "compensation.raise_months" in fitted.untold
    people = [{"employee_id": f"E{number}"} for number in range(20)]
    files = [company.census(2023, people), company.census(2024, people)]
    found = fit(files, parse({"census": str(files[-1])}, Path.cwd()))
    assert "plan.behavior.participation_factor" in found.untold
    assert "workforce.new_hire_termination_rate" in found.untold
    assert "workforce.hiring.level_weights" in found.untold
    assert "compensation.promotion_increase" in found.untold
    assert not any("new_hire_termination_rate" in key for key in found.values)


def test_people_who_are_unclear_are_counted(company: Any) -> None:
    staying = [
        {"employee_id": f"E{number}", "birth_date": f"1970-01-{number:02}"}
        for number in range(1, 21)
    ]
    gap = {"employee_id": "GAP", "birth_date": "1971-01-01"}
    vanishing = {"employee_id": "GONE", "birth_date": "1972-01-01"}
    old_id = {"employee_id": "OLD", "birth_date": "1973-01-01", "hire_date": "2011-01-05"}
    new_id = {**old_id, "employee_id": "NEW"}
    back = {"employee_id": "BACK", "birth_date": "1974-01-01"}
    left = {**back, "termination_date": "2023-05-01", "active": "false"}
    late = {"employee_id": "LATE", "birth_date": "1975-01-01", "hire_date": "2010-01-01"}
    moved = {"employee_id": "MOVED", "birth_date": "1976-01-01"}
    fallen = {"employee_id": "FALLEN", "birth_date": "1977-01-01", "job_level": 3}
    files = [
        company.census(2022, [*staying, gap, vanishing, old_id, back, moved, fallen]),
        company.census(2023, [*staying, new_id, left, moved, {**fallen, "job_level": 2}]),
        company.census(
            2024,
            [
                *staying, gap, new_id, {**back, "hire_date": "2024-02-01"}, late,
                {**moved, "birth_date": "1976-01-02", "hire_date": "2015-03-02"},
                {**fallen, "job_level": 2},
            ],
        ),
    ]  # fmt: skip
    found = fit(files, parse({"census": str(files[-1])}, Path.cwd()))
    assert vars(found.ambiguities) == {
        "vanished": 1,
        "absent_but_employed": 1,
        "came_back": 1,
        "appeared": 1,
        "ids_changed": 1,
        "birth_dates_changed": 1,
        "hire_dates_changed": 2,
        "levels_fallen": 1,
    }
    second = found.movement[1]
    assert (second["opening_headcount"], second["leavers"]) == (26, 2)
    assert found.movement[2]["hires"] == 0


def test_a_first_census_that_lists_few_leavers_is_not_believed(company: Any) -> None:
    first = [{"employee_id": f"E{n}", "hire_date": "2010-01-01"} for n in range(300)]
    one_gone = {
        "employee_id": "X", "hire_date": "2010-01-01",
        "termination_date": "2022-06-01", "active": "false",
    }  # fmt: skip
    later = [
        row if n >= 60 else {**row, "termination_date": "2023-06-01", "active": "false"}
        for n, row in enumerate(first)
    ]
    files = [company.census(2022, [*first, one_gone]), company.census(2023, later)]
    found = fit(files, parse({"census": str(files[-1])}, Path.cwd()))
    total = found.estimate("workforce.total_termination_rate")
    assert total is not None
    assert (total.events, total.exposure) == (60, 300)
    assert any("not to list all" in note for note in found.notes)


def test_ratings_of_the_census_make_the_merit_classes(company: Any) -> None:
    def people(pay: Any) -> list[dict[str, Any]]:
        return [
            {
                "employee_id": f"E{n}",
                "annual_compensation": pay(n),
                "own_rating": "top" if n % 4 == 0 else "usual",
            }
            for n in range(80)
        ]

    files = [
        company.census(2023, people(lambda _: 50_000)),
        company.census(2024, people(lambda n: 53_000 if n % 4 == 0 else 51_000)),
    ]
    given = {"census": str(files[-1]), "extra_columns": {"own_rating": "text"}}
    found = fit(files, parse(given, Path.cwd()))
    assert [(r["rating"], float(r["share"])) for r in found.values["compensation.performance"]] == [
        ("usual", 0.75),
        ("top", 0.25),
    ]
    # All got 2 % at least: that is the general raise, and the rest is merit.
    assert float(found.values["compensation.cola_rate"]) == pytest.approx(0.02)
    assert found.values["compensation.performance"][0]["multiplier"] == 0
    assert float(found.values["compensation.performance"][1]["multiplier"]) == pytest.approx(4)


def test_census_dates_come_from_names_or_options(tmp_path: Path) -> None:
    names = ["plan_2023.csv", "of 2022-12-31.csv"]
    told = dated([tmp_path / name for name in names])
    assert [(one.day, one.told_by) for one in told] == [
        (date(2022, 12, 31), "file name"),
        (date(2023, 12, 31), "year of the file name"),
    ]
    days = [date(2024, 6, 30), date(2023, 6, 30)]
    assert [one.path.name for one in dated([tmp_path / "a", tmp_path / "b"], days)] == ["b", "a"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a_2020.csv", "b_2022.csv"], "730 days after"),
        (["a_2020.csv", "b_2020.csv"], "0 days after"),
        (["a.csv", "b_2020.csv"], "does not say in its name which year"),
        (["a_20231345.csv", "b_2020.csv"], "which is no day"),
    ],
)
def test_censuses_that_do_not_follow_each_other_are_refused(
    tmp_path: Path, names: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        dated([tmp_path / name for name in names])


def test_too_few_or_too_many_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 censuses"):
        dated([tmp_path / "a_2020.csv"])
    with pytest.raises(UsageError, match="11 censuses"):
        dated([tmp_path / f"a_{year}.csv" for year in range(2010, 2021)])
    with pytest.raises(UsageError, match="1 times for 2"):
        dated([tmp_path / "a_2020.csv", tmp_path / "b_2021.csv"], [date(2020, 12, 31)])
