"""Timeline, memory and cores say what the record says."""

from dataclasses import replace

import pytest
from made_record import MB, model, record, sample

from planalign.charts import cores, focus, memory, timeline
from planalign.charts.process import thin
from planalign.charts.schedule import CRITICAL, FRAMED
from planalign.profile.analysis import analyse


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def drawn(given):
    return traces(timeline(given, analyse(given)))


def test_each_layer_is_one_trace_with_a_pattern_of_its_own():
    found = drawn(record())
    bars = ["staging models", "intermediate models", "facts", "other models", "data tests",
            "other work"]  # fmt: skip
    assert set(bars) < set(found)
    looks = {(found[name].marker.color, found[name].marker.pattern.shape) for name in bars}
    assert len(looks) == len(bars)
    assert len({colour for colour, _ in looks}) == len(bars)


def test_a_bar_lies_where_its_model_ran():
    found = drawn(record())["intermediate models"]
    assert list(found.base) == [1.0, 5.0]
    assert list(found.x) == [3.0, 4.0]
    assert [about[:2] for about in found.customdata] == [["int_a", 2025], ["int_a", 2026]]
    told = found.customdata[0][2]
    for part in ("2025 events", "3.000 s", "1,234 rows", "memory peak 300 MB", "attempt 2"):
        assert part in told


@pytest.mark.parametrize(
    ("year", "frames", "shown"),
    [(2025, [(1.0, 4.0)], (0.0, 7.0)), (None, [(1.0, 4.0), (5.0, 9.0)], (0.0, None))],
)
def test_a_model_is_framed_and_moved_to(year, frames, shown):
    given = record()
    figure = timeline(given, analyse(given))
    assert focus(figure, given, "int_a", year)
    framed = traces(figure)[FRAMED]
    found = [(start, start + length) for start, length in zip(framed.base, framed.x, strict=True)]
    assert found == frames
    first, last = shown
    assert tuple(figure.layout.xaxis.range) == (first, given.seconds if last is None else last)


def test_a_model_that_is_not_there_moves_nothing():
    given = record()
    figure = timeline(given, analyse(given))
    assert not focus(figure, given, "int_a", 1999)
    assert not focus(figure, given, "int_none")
    assert figure.layout.xaxis.range[0] == 0


def test_lanes_are_threads_the_main_one_on_top():
    figure = timeline(record(), analyse(record()))
    ticks = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert ticks["thread 1"] < ticks["thread 0"] < ticks["main"] < ticks["step"] < ticks["year"]
    found = traces(figure)
    assert list(found["facts"].y) == [ticks["thread 1"]]
    assert list(found["other work"].y) == [ticks["main"]]


def test_workers_have_lanes_of_their_own_below_those_of_the_run():
    threads = ("worker 2 model_0", "worker 1 model_1", "worker 1 MainThread")
    given = record(models=tuple(model("m", n, n + 1, one) for n, one in enumerate(threads)))
    shown = timeline(given, analyse(given)).layout.yaxis.ticktext
    assert [*shown][:3] == ["worker 2, thread 0", "worker 1, thread 1", "worker 1"]
    assert "main" in [*shown][3:]


def test_the_critical_path_is_outlined_over_what_it_is():
    given = record()
    analysis = analyse(given)
    outline = drawn(given)[CRITICAL]
    assert sum(outline.x) == pytest.approx(analysis.critical_path_seconds)
    assert outline.marker.line.width > 0
    dark = traces(timeline(given, analysis, dark=True))[CRITICAL]
    assert dark.marker.line.color != outline.marker.line.color


def test_years_and_steps_follow_each_other_without_overlap():
    found = drawn(record())
    years, steps = found["years"], found["steps"]
    assert list(years.text) == ["2025", "2026"]
    assert [(b, b + x) for b, x in zip(years.base, years.x, strict=True)] == [(1, 5), (5, 10)]
    assert list(steps.text) == ["setup", "events", "snapshot", "events"]
    assert [(b, b + x) for b, x in zip(steps.base, steps.x, strict=True)] == [
        (0, 1), (1, 4), (4, 5), (5, 9),
    ]  # fmt: skip


def test_names_are_no_markup():
    note = drawn(record())["warnings and faults"]
    assert "&lt;b&gt;a file&lt;/b&gt;" in note.customdata[0][2]
    odd = replace(record(), models=(model("int_<b>x</b>%{y}", 0, 1),), graph={})
    bar = drawn(odd)["intermediate models"]
    assert "<b>" not in bar.customdata[0][0]
    assert "%{" not in bar.text[0]


def test_a_run_that_has_done_nothing_has_figures():
    empty = record(models=(), tests=(), work=(), years=(), samples=(), notes=(), sessions=())
    assert timeline(empty, analyse(empty)).layout.xaxis.range[1] > 0
    assert memory(empty).data
    assert cores(empty).data


def test_memory_shows_the_process_and_duckdb_by_tag():
    figure = memory(record())
    found = traces(figure)
    assert max(found["process, resident"].y) == 300  # the peak of a model, in MB
    assert list(found["DuckDB hash table"].y) == [0, 90, 0]
    assert list(found["DuckDB base table"].y) == [10, 20, 0]
    assert {trace.stackgroup for name, trace in found.items() if "DuckDB" in name} == {"duckdb"}
    assert any("peak 300 MB" in note.text for note in figure.layout.annotations)
    assert figure.layout.yaxis.title.text == "memory, MB"


def test_limits_near_the_peak_are_lines_and_others_a_note():
    low = memory(record())
    texts = [note.text for note in low.layout.annotations]
    assert "above the chart: budget 4 GB, limit of the run 2 GB" in texts
    assert not low.layout.shapes
    near = memory(record(models=(model("int_a", 0, 1, memory_peak=1_900 * MB),)))
    assert sorted(line.y0 for line in near.layout.shapes) == [2, 4]
    assert near.layout.yaxis.title.text == "memory, GB"
    assert near.layout.yaxis.range[1] > 4


def test_cores_have_rates_between_samples():
    found = traces(cores(record()))
    assert list(found["CPU of the run"].y) == [1.5, 0.5]
    assert list(found["of the machine"].y) == [1.5, 1.5]
    assert list(found["read"].y) == [1, 1]
    assert list(found["written"].y) == [2, 2]
    assert [list(row) for row in found["busy by core"].z] == [[50] * 3, [100] * 3]


def test_no_rate_is_told_over_the_gap_between_two_sessions():
    given = record(samples=(sample(1, cpu=9.0), sample(2, cpu=0.1, session=1)))
    assert len(traces(cores(given))["CPU of the run"].y) == 0


@pytest.mark.parametrize("peak", [0, 1, 777, 4321, 9999])
def test_thinning_keeps_ends_and_peaks(peak):
    points = [1.0] * 10_000
    points[peak] = 5.0
    numbered = list(enumerate(points))
    kept = thin(numbered, 100, (lambda point: point[1],))
    assert len(kept) <= 102
    assert (peak, 5.0) in kept
    assert kept[0] == numbered[0]
    assert kept[-1] == numbered[-1]
    assert kept == sorted(kept)


def test_light_and_dark_differ_in_the_template_alone():
    given = record()
    for draw in (memory, cores):
        light, dark = (draw(given, dark=dark).to_plotly_json() for dark in (False, True))
        assert light["layout"].pop("template") != dark["layout"].pop("template")
        assert str(light) == str(dark)
