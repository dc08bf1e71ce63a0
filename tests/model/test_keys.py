"""Keys of what lives for a year, and of events: tested here and by `dbt build` alone."""

from __future__ import annotations

from planalign.engine.pipeline import Materialization, Step


def test_each_key_that_no_year_tests_holds_and_a_row_twice_is_found(stepped, studies, pipeline):
    plan = {
        "highly_compensated": {"top_paid_group": True},
        "forfeitures": {"use": "reallocate"},
        "vesting": {"match": [0, 0, 1], "core": [0, 0, 1]},
        "match": {"formula": "tiers", "tiers": [{"rate": 0.5, "up_to": 0.06}]},
        "core": {"rate": 0.03},
    }
    cursor = stepped(
        studies.generated(800),
        Step.SNAPSHOT,
        simulation={"start_year": 2025, "replicates": 2},
        plan=plan,
        scenarios={"baseline": {}, "growth": {"workforce": {"target_growth_rate": 0.1}}},
    )
    keys = {
        model: test
        for model in pipeline.models
        for test in pipeline.tests
        if not test.in_years and model.relation in test.sql
    }
    assert len(keys) == sum(not test.in_years for test in pipeline.tests)

    def repeated(test):
        return cursor.execute(test.statement).fetchone()[0]

    for model, test in keys.items():
        assert len(cursor.execute(f"from {model.relation} limit 2").fetchall()) == 2, model.name
        assert repeated(test) == 0, model.name
    for model, test in keys.items():
        if model.materialization is not Materialization.VIEW:
            cursor.execute(f"insert into {model.relation} from {model.relation} limit 1")
            assert repeated(test) == 1, model.name
