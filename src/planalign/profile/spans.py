"""A record as OpenTelemetry spans: study, year, step, and the models and tests in it.

Needs the extra `tracing`, and an exporter of the reader's own choice:

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from planalign.record.reading import read_record
    from planalign.profile.spans import export_spans

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    export_spans(read_record(Path("runs/first")), provider)
    provider.shutdown()
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from planalign._version import __version__
from planalign.record.record import ModelRun, TestRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

    from planalign.record.record import Record, Span, YearRun


def export_spans(record: Record, provider: TracerProvider) -> int:
    """Give a record's spans, with the times at which they were, to a provider.

    Attributes are named by the semantic conventions where there is a name (`db.system.name`,
    `code.file.path`, `thread.name`, `error.type`), others begin with `planalign.`.

    Args:
        record: of a run, also of one that goes on or failed.
        provider: with the span processors that send them on; the caller shuts it down.

    Returns:
        How many spans there are.
    """
    writer = _Writer(record, provider.get_tracer("planalign", __version__))
    writer.write()
    return writer.written


@dataclass
class _Writer:
    record: Record
    tracer: Tracer
    written: int = 0

    def write(self) -> None:
        """Write the study and all in it."""
        record = self.record
        below: dict[tuple[int | None, int | None], list[Span]] = defaultdict(list)
        for span in (*record.models, *record.tests, *record.work):
            below[span.year, span.block].append(span)
        study = {
            "db.system.name": "duckdb",
            "planalign.runner": record.runner,
            "planalign.first_year": record.first_year,
            "planalign.last_year": record.last_year,
            "planalign.trajectories": record.trajectories,
            "planalign.outcome": record.outcome or "unknown",
            **{f"planalign.version.{name}": value for name, value in record.versions.items()},
        }
        error = record.sessions[-1].error if record.sessions else None
        inner = self._start("study", 0.0, None, study)
        for year in record.years:
            self._write_year(year, below.pop((year.year, year.block), ()), inner)
        for rest in below.values():  # setup, and closing the database
            self._write_steps(rest, inner)
        self._end(inner, record.seconds, error, is_failed=record.outcome == "failed")

    def _write_year(self, year: YearRun, spans: Sequence[Span], parent: Any) -> None:
        end = year.end if year.end is not None else max((s.end for s in spans), default=year.start)
        span = self._start(
            f"year {year.year}",
            year.start,
            parent,
            {
                "planalign.year": year.year,
                "planalign.block": year.block,
                "planalign.trajectories": year.trajectories,
                "planalign.cache.hit": year.is_from_cache,
                "planalign.is_complete": year.end is not None,
            },
        )
        self._write_steps(spans, span)
        self._end(span, end)

    def _write_steps(self, spans: Sequence[Span], parent: Any) -> None:
        steps: dict[str | None, list[Span]] = defaultdict(list)
        for span in spans:
            steps[span.step].append(span)
        for step, of_it in steps.items():
            above = parent
            if step is not None:
                start = min(span.start for span in of_it)
                above = self._start(f"step {step}", start, parent, {"planalign.step": step})
            for span in of_it:
                inner = self._start(span.name, span.start, above, self._attributes(span))
                self._end(inner, span.end)
            if step is not None:
                self._end(above, max(span.end for span in of_it))

    def _attributes(self, span: Span) -> dict[str, Any]:
        found: dict[str, Any] = {
            "thread.name": span.thread,
            "planalign.year": span.year,
            "planalign.block": span.block,
        }
        if isinstance(span, ModelRun):
            node = self.record.graph.get(span.name)
            found |= {
                "db.system.name": "duckdb",
                "db.collection.name": span.name,
                "code.file.path": node.path if node else None,
                "planalign.materialization": node.materialization if node else None,
            }
            keys = (
                "rows", "attempt", "group", "memory_peak", "cpu_seconds", "read_bytes",
                "written_bytes", "spilled_bytes",
            )  # fmt: skip
            found |= {f"planalign.{key}": getattr(span, key) for key in keys}
        if isinstance(span, TestRun):
            found |= {"db.system.name": "duckdb", "planalign.failures": span.failures}
        return found

    def _start(self, name: str, at: float, parent: Any, attributes: Mapping[str, Any]) -> Any:
        # Not the current context: a caller's own span is not the parent of a run of the past.
        context = Context() if parent is None else trace.set_span_in_context(parent, Context())
        told = {key: value for key, value in attributes.items() if value is not None}
        self.written += 1
        return self.tracer.start_span(name, context, attributes=told, start_time=self._instant(at))

    def _end(
        self, span: Any, at: float, error: str | None = None, *, is_failed: bool = False
    ) -> None:
        if is_failed:
            span.set_attribute("error.type", "run_failed")
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(end_time=self._instant(at))

    def _instant(self, at: float) -> int:
        """Return Unix time in nanoseconds of an instant on the axis of the run."""
        sessions = self.record.sessions
        session = next((s for s in reversed(sessions) if s.start <= at), None)
        if session is None:
            return round(at * 1e9)
        return round(session.started_at * 1e9) + round((at - session.start) * 1e9)
