"""Two records side by side: what changed, and what is noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import model, record, sample

from planalign.profile.compare import compare
from planalign.record.record import Session


def with_years(name, *seconds, first=2025, **more):
    return tuple(
        model(name, 10 * n, 10 * n + took, year=first + n, **more) for n, took in enumerate(seconds)
    )


def changed(a, b):
    return [one.name for one in compare(record(99, models=a), record(99, models=b)).changed]


def test_a_slower_model_is_told_and_one_like_before_is_not():
    a = with_years("int_a", 1, 1, 1) + with_years("int_b", 1, 1.05, 0.95)
    b = with_years("int_a", 2, 2.1, 1.9) + with_years("int_b", 1.05, 1, 1)
    assert changed(a, b) == ["int_a"]
    found = compare(record(99, models=a), record(99, models=b))
    assert [one.name for one in found.models] == ["int_a", "int_b"]
    one = found.models[0]
    assert (one.years, one.before) == ((2025, 2026, 2027), (1, 1, 1))
    assert one.total_difference == pytest.approx(3)
    assert one.ratio == pytest.approx(2)


def test_a_faster_model_is_told():
    assert changed(with_years("int_a", 2, 2, 2), with_years("int_a", 1, 1, 1)) == ["int_a"]


def test_growth_over_the_years_is_no_change():
    grown = with_years("int_a", 1, 2, 3, 4)
    assert changed(grown, with_years("int_a", 1.02, 2.01, 3.03, 4.02)) == []


def test_a_difference_that_goes_up_and_down_is_noise():
    a = with_years("int_a", 1, 1, 1, 1)
    assert changed(a, with_years("int_a", 3, 0.5, 2.5, 0.6)) == []
    assert changed(a, with_years("int_a", 1.6, 1.7, 1.8, 1.7)) == ["int_a"]


def test_milliseconds_are_noise_however_large_a_part_they_are():
    assert changed(with_years("int_a", *[0.001] * 3), with_years("int_a", *[0.006] * 3)) == []


def test_a_single_year_has_to_change_by_much():
    assert changed(with_years("int_a", 1), with_years("int_a", 1.7)) == []
    assert changed(with_years("int_a", 1), with_years("int_a", 1.8)) == ["int_a"]


def test_only_years_of_both_are_compared():
    a = record(99, models=with_years("int_a", 1, 1, 1))
    b = record(99, models=with_years("int_a", 1, 1, 50, first=2026))
    one = compare(a, b).models[0]
    assert one.years == (2026, 2027)
    assert not one.is_beyond_noise


def test_blocks_of_a_year_are_added():
    a = record(99, models=(model("int_a", 0, 4),))
    b = record(99, models=(model("int_a", 0, 2), model("int_a", 2, 4, block=2)))
    assert compare(a, b).models[0].total_difference == 0


def test_setup_has_no_year():
    a = record(9, models=(model("stg_a", 0, 1, year=None, step="setup"),))
    b = record(9, models=(model("stg_a", 0, 3, year=None, step="setup"),))
    assert [(one.name, one.years) for one in compare(a, b).changed] == [("stg_a", (None,))]


def test_models_of_one_side_are_named():
    found = compare(
        record(9, models=(model("int_a", 0, 1),)), record(9, models=(model("int_b", 0, 1),))
    )
    assert (found.models, found.only_a, found.only_b) == ((), ("int_a",), ("int_b",))


def test_what_is_not_alike_is_named():
    a = record(9, threads=2, versions={"duckdb": "1.5.0", "planalign": "1"})
    b = record(9, threads=4, versions={"duckdb": "2.0.0", "planalign": "1"})
    assert compare(a, b).conditions == (("threads", "2", "4"), ("duckdb", "1.5.0", "2.0.0"))


@pytest.mark.parametrize("compiled", [(0.0, 6.12), (6.12, 0.0), (6.0, 6.5), (0.0, 0.0)])
def test_that_one_of_the_runs_compiled_is_told(compiled):
    said = {0.0: "had been done before", 6.12: "took 6.12 s"}
    found = compare(*(record(9, compile_seconds=seconds) for seconds in compiled)).conditions
    both_alike = bool(compiled[0]) == bool(compiled[1])
    assert found == (
        () if both_alike else (("compiling the dbt project", *map(said.get, compiled)),)
    )


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [(1_000_000_000, 1_090_000_000, False), (1_000_000_000, 1_200_000_000, True),
     (100_000_000, 130_000_000, False), (100_000_000, 140_000_000, True)],
)  # fmt: skip
def test_memory_is_told_beyond_a_tenth_and_32_mb(before, after, is_told):
    a, b = (record(9, samples=(sample(1, memory),)) for memory in (before, after))
    assert compare(a, b).is_memory_changed is is_told


def test_records_without_anything_compare():
    empty = record(0, sessions=())
    found = compare(empty, empty)
    assert (found.models, found.conditions, found.years.ratio) == ((), (), None)


took = st.lists(st.floats(0.0, 50.0), min_size=1, max_size=6)


@given(took, took)
def test_a_comparison_the_other_way_round_has_the_other_sign(one, two):
    a = record(99, models=with_years("int_a", *one), sessions=(Session(0, 99, 0),))
    b = record(99, models=with_years("int_a", *two), sessions=(Session(0, 99, 0),))
    there, back = compare(a, b).models[0], compare(b, a).models[0]
    assert there.total_difference == pytest.approx(-back.total_difference)
    assert compare(a, a).changed == ()
