"""Charts of results show means and bands; read_results reads them from a run."""

from statistics import fmean, quantiles

import pytest
from made_record import spread

from planalign.charts import compare_models, event_counts, headcount, payroll, plan_cost
from planalign.charts.outcomes import MOST_SCENARIOS
from planalign.charts.results import read_results
from planalign.profile.compare import compare
from planalign.record.record import ModelRun, Record, Session

FLOW = {"opening_headcount": 100, "hires": 20, "experienced_terminations": 8,
        "new_hire_terminations": 2, "closing_headcount": 110}  # fmt: skip


def test_headcount_leads_from_opening_to_closing():
    figure = headcount([spread("a", 2025, **FLOW)])
    bars = {trace.name: (trace.base[0], trace.base[0] + trace.y[0]) for trace in figure.data}
    assert bars == {
        "opening": (0, 100),
        "hires": (100, 120),
        "left, of the opening": (112, 120),
        "left, of the hires": (110, 112),
        "closing": (0, 110),
    }
    assert len({trace.x[0] for trace in figure.data}) == 5
    assert "(18.0 to 22.0)" in figure.data[1].customdata[0][1]


def test_each_scenario_has_a_panel_up_to_a_number_that_the_title_tells():
    rows = [spread(f"s{n}", 2025, **FLOW) for n in range(MOST_SCENARIOS + 2)]
    figure = headcount(rows)
    assert f"first {MOST_SCENARIOS} of {MOST_SCENARIOS + 2} scenarios" in figure.layout.title.text
    assert len(figure.data) == 5 * MOST_SCENARIOS
    assert sum(trace.showlegend for trace in figure.data) == 5
    tops = {axis.range for axis in figure.select_yaxes()}
    assert len(tops) == 1  # one scale


def test_payroll_has_a_band_where_there_are_replicates():
    figure = payroll([spread("a", year, payroll=2e6 * (year - 2000)) for year in (2025, 2026)])
    area, line = figure.data
    assert list(line.y) == [50, 52]
    assert figure.layout.yaxis.title.text == "million dollars"
    assert area.fill == "toself"
    assert max(area.y) == pytest.approx(52 * 1.1)
    single = payroll([spread("a", year, 1, payroll=2e6) for year in (2025, 2026)])
    assert len(single.data) == 1


def test_scenarios_differ_in_more_than_colour():
    lines = payroll([spread(name, 2025, 1, payroll=1e6) for name in "abcdef"]).data
    assert len({(line.line.dash, line.marker.symbol) for line in lines}) == 6


def test_plan_cost_adds_up_to_what_the_employer_pays():
    figure = plan_cost(
        [spread("a", 2025, match_contribution=3e6, core_contribution=2e6,
                true_up_contribution=0.0, cost_reduction=1e6, employer_cost=4e6)]
    )  # fmt: skip
    bars = [trace for trace in figure.data if trace.type == "bar"]
    cost = next(trace for trace in figure.data if trace.name == "employer cost")
    assert sum(bar.y[0] for bar in bars) == pytest.approx(cost.y[0]) == 4
    assert figure.layout.barmode == "relative"
    assert cost.error_y.array[0] == pytest.approx(0.4)


def test_every_type_of_event_has_a_panel():
    figure = event_counts([spread("a", 2025, 1, hire=5, termination=4, hce_status=1)])
    assert [note.text for note in figure.layout.annotations] == [
        "hce status", "hire", "termination",
    ]  # fmt: skip
    assert sum(trace.showlegend is True for trace in figure.data) == 1


def test_a_name_of_a_scenario_is_no_markup():
    rows = [spread("<b>bold</b>", 2025, **FLOW, payroll=1.0), spread("b", 2025, **FLOW, payroll=1)]
    assert payroll(rows).data[0].name == "&lt;b&gt;bold&lt;/b&gt;"
    assert "<b>" not in str(headcount(rows).layout.annotations)


@pytest.mark.parametrize("draw", [headcount, payroll, plan_cost, event_counts])
def test_nothing_to_show_is_an_empty_figure(draw):
    assert draw([]).layout.height > 0


def timed(seconds):
    models = tuple(
        ModelRun("int_a", year, year + seconds, "model_0", 2025 + year, 1, "events")
        for year in range(3)
    )
    return Record("2", "direct", 2025, 2027, 1, models=models, sessions=(Session(0, 9, 0.0),))


def test_models_of_two_runs_are_side_by_side_and_changes_marked():
    figure = compare_models(compare(timed(0.2), timed(0.5)))
    found = {trace.name: trace for trace in figure.data}
    assert list(found["first run"].x) == [pytest.approx(0.6)]
    assert list(found["second run"].x) == [pytest.approx(1.5)]
    assert "+0.900 s" in found["beyond noise"].customdata[0][0]
    assert figure.layout.yaxis.ticktext == ("<b>int_a</b>",)
    alike = compare_models(compare(timed(0.2), timed(0.2)))
    assert len({trace.name: trace for trace in alike.data}["beyond noise"].x) == 0


def test_results_are_means_and_percentiles_over_replicates(studies):
    run = studies.simulate(
        studies.generated(60),
        simulation={"start_year": 2025, "end_year": 2026, "replicates": 4},
        scenarios={"a": {}, "b": {"plan": {"core": {"rate": 0.03}}}},
    )
    results = read_results(run)
    assert results.replicates == 4
    assert [(row.scenario_id, row.simulation_year) for row in results.costs] == [
        ("a", 2025), ("a", 2026), ("b", 2025), ("b", 2026),
    ]  # fmt: skip
    values = [
        float(value)
        for (value,) in run.sql(
            "select employer_cost from fct_plan_costs "
            "where scenario_id = 'b' and simulation_year = 2026"
        ).fetchall()
    ]
    cost = results.costs[-1].measures["employer_cost"]
    tenths = quantiles(values, n=10, method="inclusive")
    assert (cost.mean, cost.p10, cost.p90) == pytest.approx((fmean(values), tenths[0], tenths[-1]))


def test_a_replicate_without_an_event_counts_as_none_of_it(studies):
    run = studies.simulate(
        studies.generated(8),
        simulation={"start_year": 2025, "end_year": 2025, "replicates": 10},
        workforce={"promotion_rate": 0.1},
    )
    counts = read_results(run).counts
    assert counts[0].replicates == 10
    for kind, found in counts[0].measures.items():
        [(total,)] = run.sql(
            f"select sum(event_count) from int_yearly_event_summary where event_type = '{kind}'"
        ).fetchall()
        assert found.mean == pytest.approx(float(total) / 10)
