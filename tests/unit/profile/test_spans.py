"""A record as OpenTelemetry spans, taken by the SDK's exporter into memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import check, model, node, record, work, year
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import code_attributes, thread_attributes
from opentelemetry.semconv.attributes import db_attributes, error_attributes
from opentelemetry.trace import StatusCode

from planalign.profile.spans import export_spans
from planalign.record.reading import read_record
from planalign.record.record import Session

DATA = Path(__file__).parents[1] / "record" / "data"


def exported(made):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    count = export_spans(made, provider)
    provider.shutdown()
    found = exporter.get_finished_spans()
    assert len(found) == count
    return found


def parents(spans):
    """Return the name of each span's parent."""
    names = {span.context.span_id: span.name for span in spans}
    return {span.name: names.get(span.parent.span_id) if span.parent else None for span in spans}


MADE = record(
    9,
    node("int_a"),
    models=(
        model("stg_s", 0, 1, year=None, block=None, step="setup"),
        model("int_a", 2, 4, rows=7, memory_peak=900),
    ),
    tests=(check("is_unique", 4, 5, failures=3),),
    work=(work("closing the database", 8, 9),),
    years=(year(2025, 1, 6),),
    versions={"duckdb": "2.0.0"},
)


def test_study_holds_years_which_hold_steps_which_hold_models():
    assert parents(exported(MADE)) == {
        "study": None,
        "step setup": "study",
        "stg_s": "step setup",
        "closing the database": "study",
        "year 2025": "study",
        "step events": "year 2025",
        "int_a": "step events",
        "step validation": "year 2025",
        "is_unique": "step validation",
    }


def test_spans_are_one_trace_with_the_times_at_which_they_were():
    spans = {span.name: span for span in exported(MADE)}
    assert len({span.context.trace_id for span in spans.values()}) == 1
    zero = 1_700_000_000 * 10**9
    one = spans["int_a"]
    assert (one.start_time, one.end_time) == (zero + 2 * 10**9, zero + 4 * 10**9)
    assert (spans["study"].start_time, spans["study"].end_time) == (zero, zero + 9 * 10**9)


def test_attributes_have_the_names_of_the_conventions():
    spans = {span.name: span for span in exported(MADE)}
    one = spans["int_a"].attributes
    assert one[db_attributes.DB_SYSTEM_NAME] == "duckdb"
    assert one[db_attributes.DB_COLLECTION_NAME] == "int_a"
    assert one[code_attributes.CODE_FILE_PATH] == "models/events/int_a.sql"
    assert one[thread_attributes.THREAD_NAME] == "model_0"
    assert (one["planalign.rows"], one["planalign.memory_peak"]) == (7, 900)
    assert "planalign.cpu_seconds" not in one  # the record does not tell
    assert spans["is_unique"].attributes["planalign.failures"] == 3
    assert spans["study"].attributes["planalign.version.duckdb"] == "2.0.0"
    assert spans["study"].instrumentation_scope.name == "planalign"


def test_a_failed_run_is_an_error():
    failed = record(3, sessions=(Session(0, 3, 0.0, "failed", "disk full"),))
    (study,) = exported(failed)
    assert study.status.status_code is StatusCode.ERROR
    assert study.status.description == "disk full"
    assert error_attributes.ERROR_TYPE in study.attributes
    assert exported(MADE)[-1].status.status_code is StatusCode.UNSET


def test_an_unfinished_year_is_told_as_such():
    made = record(
        5,
        sessions=(Session(0, 5, 0.0),),
        models=(model("int_a", 2, 4),),
        years=(year(2025, 1, None),),
    )
    spans = {span.name: span for span in exported(made)}
    assert spans["year 2025"].end_time == 4 * 10**9
    assert spans["year 2025"].attributes["planalign.is_complete"] is False
    assert spans["study"].attributes["planalign.outcome"] == "unknown"


def test_sessions_keep_the_time_between_them():
    made = record(
        0,
        sessions=(Session(0, 5, 100.0, "interrupted"), Session(5, 9, 1_000.0, "completed")),
        models=(model("int_a", 1, 4), model("int_a", 6, 8, year=2026)),
        years=(year(2025, 1, 5), year(2026, 6, 9)),
    )
    starts = [span.start_time for span in exported(made) if span.name == "int_a"]
    assert starts == [101 * 10**9, 1_001 * 10**9]


@pytest.mark.parametrize("number", [1, 2])
def test_stored_records_become_spans(number):
    found = read_record(DATA / f"format-{number}.jsonl")
    spans = exported(found)
    models = [span for span in spans if span.attributes.get("db.collection.name")]
    assert len(models) == len(found.models)
    assert all(span.start_time <= span.end_time for span in spans)
