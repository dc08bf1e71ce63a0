"""The tables of `planalign profile`; import this module only inside a command."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from planalign.cli.output import emit
from planalign.cli.tables import print_table
from planalign.profile.memory import BUDGET_BYTES
from planalign.profile.timeline import LEGEND, PLAIN_SIGNS, timeline
from planalign.text import visible

if TYPE_CHECKING:
    from planalign.profile.analysis import Analysis
    from planalign.profile.compare import Change, Comparison
    from planalign.record.record import Record

_OUTCOMES = {
    "completed": "completed",
    "failed": "failed",
    "interrupted": "was interrupted",
    None: "goes on, or was killed: it is not finished",
}
_GIGABYTE = 1_000_000_000
# Of a memory table: the models that came highest.
_HIGHEST = 10


def print_profile(record: Record, analysis: Analysis) -> None:
    """Print all that `planalign profile` has to say of a run."""
    _print_head(record)
    _print_figures(analysis)
    _print_steps(analysis)
    _print_models(analysis)
    _print_memory(analysis)
    _print_dbt(record, analysis)
    _print_timeline(record)
    _print_notes(record)


def print_comparison(comparison: Comparison, before: str, after: str) -> None:
    """Print what changed between two runs, and how many models did not."""
    a, b = comparison.a, comparison.b
    emit(f"{after}, compared with {before}")
    for name, one, two in comparison.conditions:
        emit(f"Not alike: {name} {one}, then {two}")
    print_table(
        ["", "Before", "After", "Change", "Beyond noise"],
        [
            ["Wall, s", _s(a.wall_seconds), _s(b.wall_seconds),
             _percent(a.wall_seconds, b.wall_seconds), ""],
            ["Years in common, s", _s(sum(comparison.years.before)),
             _s(sum(comparison.years.after)), _by(comparison.years),
             _yes(comparison.years.is_beyond_noise)],
            ["Critical path, s", _s(a.critical_path_seconds), _s(b.critical_path_seconds),
             _percent(a.critical_path_seconds, b.critical_path_seconds), ""],
            ["Peak memory, MB", _mb(a.memory.peak_bytes), _mb(b.memory.peak_bytes),
             _percent(a.memory.peak_bytes or 0, b.memory.peak_bytes or 0),
             _yes(comparison.is_memory_changed)],
            ["Concurrency", f"{a.concurrency:.2f}", f"{b.concurrency:.2f}", "", ""],
            ["Cache hits", f"{a.cache_hit_rate:.0%}", f"{b.cache_hit_rate:.0%}", "", ""],
        ],
        left=("",),
        title="Run",
    )  # fmt: skip
    changed = comparison.changed
    if changed:
        print_table(
            ["Model", "Years", "Before, s", "After, s", "Difference, s", "Change"],
            [
                [one.name, len(one.years), _s(sum(one.before)), _s(sum(one.after)),
                 f"{one.total_difference:+.3f}", _by(one)]
                for one in changed
            ],
            left=("Model",),
            title="Models that changed",
        )  # fmt: skip
    rest = len(comparison.models) - len(changed)
    emit(f"{rest} models of {len(comparison.models)} did not change beyond noise.")
    for names, of in ((comparison.only_a, before), (comparison.only_b, after)):
        if names:
            emit(f"Only in {of}: {', '.join(names)}")


def _print_head(record: Record) -> None:
    emit(
        f"{record.first_year}-{record.last_year}, {record.trajectories} trajectories, "
        f"runner {record.runner}, {record.threads or '?'} threads: "
        f"the run {_OUTCOMES[record.outcome]}"
    )
    error = record.sessions[-1].error if record.sessions else None
    if error:
        emit(f"Error: {visible(error)}")
    if len(record.sessions) > 1:
        emit(f"It was resumed; its {len(record.sessions)} sessions follow each other here.")
    if record.outcome is None or record.outcome != "completed":
        complete = sum(year.end is not None for year in record.years)
        emit(f"Complete years: {complete} of {record.planned_years or '?'}")


def _print_figures(analysis: Analysis) -> None:
    longest = next((m for m in analysis.models if m.name == analysis.longest_model), None)
    memory = analysis.memory
    wall = analysis.wall_seconds
    rows = [
        ["Wall", f"{_s(wall)} s", f"{_s(analysis.overhead_seconds)} s of it without model or test"],
        ["Critical path", f"{_s(analysis.critical_path_seconds)} s",
         f"{_part(analysis.critical_path_seconds, wall)} of the wall, "
         f"{len(analysis.critical_path)} pieces"],
        ["Longest model", f"{_s(longest.total)} s" if longest else "-",
         f"{longest.name}, {_part(longest.total, wall)} of the wall" if longest else ""],
        ["Peak memory", f"{_mb(memory.peak_bytes)} MB", _verdict(analysis)],
        ["Concurrency", f"{analysis.concurrency:.2f}",
         "" if analysis.cores_busy is None else f"{analysis.cores_busy:.2f} cores busy"],
        ["Cache hit rate", f"{analysis.cache_hit_rate:.0%}", "of years and trajectories"],
    ]  # fmt: skip
    print_table(["Figure", "Value", ""], rows, left=("Figure", ""))


def _print_steps(analysis: Analysis) -> None:
    print_table(
        ["Step", "Seconds", "Of wall", "Peak, MB"],
        [
            [step, _s(seconds), _part(seconds, analysis.wall_seconds),
             _mb(analysis.memory.by_step.get(step))]
            for step, seconds in analysis.seconds_by_step.items()
        ],
        left=("Step",),
        title="Steps (they may overlap)",
    )  # fmt: skip
    print_table(
        ["Year", "Seconds"],
        [[year, _s(seconds)] for year, seconds in analysis.seconds_by_year.items()],
        title="Years",
    )


def _print_models(analysis: Analysis) -> None:
    print_table(
        ["Model", "Step", "Count", "Total, s", "Share", "Median", "p95", "Longest", "Critical, s",
         "CPU, s", "Rows", "Growth a year", "s per 1M rows"],
        [
            [
                one.name, one.step, one.count, _s(one.total), f"{one.share:.1%}",
                _s(one.median), _s(one.p95), _s(one.longest), _s(one.on_critical_path),
                "-" if one.cpu_seconds is None else _s(one.cpu_seconds),
                "-" if one.rows is None else f"{one.rows:,}",
                "-" if one.growth_by_year is None else f"{one.growth_by_year:+.0%}",
                "-" if one.seconds_per_million_rows is None
                else f"{one.seconds_per_million_rows:,.2f}",
            ]
            for one in analysis.models
        ],
        left=("Model", "Step"),
        title="Models, longest total first",
    )  # fmt: skip


def _print_memory(analysis: Analysis) -> None:
    memory = analysis.memory
    if memory.peak_bytes is None:
        emit("The record does not tell of memory.")
        return
    by_name = {model.name: model for model in analysis.models}
    highest = list(memory.by_model.items())[:_HIGHEST]
    print_table(
        ["Model", "Peak, MB", "Of budget", "Growth, MB", "Spilled, MB"],
        [
            [name, _mb(peak), _part(peak, BUDGET_BYTES), _mb(by_name[name].memory_growth),
             _mb(by_name[name].spilled_bytes)]
            for name, peak in highest
        ],
        left=("Model",),
        title=f"Memory of the process while a model was under way, the highest {len(highest)} "
        f"of {len(memory.by_model)}",
        caption=f"{_verdict(analysis)}. Under way at the peak: "
        f"{', '.join(memory.under_way) or 'nothing on record'}",
    )  # fmt: skip


def _print_dbt(record: Record, analysis: Analysis) -> None:
    if not analysis.dbt_seconds:
        return
    ours = sum(model.seconds for model in record.models)
    rows = [[f"dbt {name}", _s(seconds)] for name, seconds in analysis.dbt_seconds.items()]
    rows.append([f"{len(record.dbt_commands)} dbt commands",
                 _s(sum(command.seconds for command in record.dbt_commands))])  # fmt: skip
    rows.append(["models, as we time them", _s(ours)])
    print_table(["dbt's own times", "Seconds"], rows, left=("dbt's own times",), title="dbt")


def _print_timeline(record: Record) -> None:
    columns = shutil.get_terminal_size((120, 24)).columns
    label = max([len(span.thread) for span in (*record.models, *record.work)], default=4)
    rows = timeline(record, max(20, min(columns, 160) - label - 3))
    if not rows:
        return
    signs = {} if _has_block_signs(sys.stdout.encoding) else PLAIN_SIGNS
    emit(f"Timeline, {_s(record.seconds)} s. {LEGEND.translate(signs)}")
    for thread, bar in rows:
        emit(f"{thread:<{label}}  {bar.translate(signs)}")
    emit("")


def _has_block_signs(encoding: str) -> bool:
    try:
        LEGEND.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _print_notes(record: Record) -> None:
    if not record.notes:
        emit("No warnings, no faults.")
        return
    emit("Warnings and faults")
    for note in record.notes:
        told = ", ".join(f"{key} {value}" for key, value in note.details.items())
        emit(f"{note.at:9.3f} s  {note.kind}: {visible(told)}")


def _verdict(analysis: Analysis) -> str:
    memory = analysis.memory
    if memory.peak_bytes is None:
        return "not on record"
    within = "within" if memory.is_within_budget else "BEYOND"
    budget = BUDGET_BYTES / _GIGABYTE
    return f"{within} the budget of {budget:.0f} GB ({_part(memory.peak_bytes, BUDGET_BYTES)})"


def _s(seconds: float) -> str:
    return f"{seconds:.3f}"


def _mb(count: int | None) -> str:
    return "-" if count is None else f"{count / 1_000_000:,.0f}"


def _part(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _percent(before: float, after: float) -> str:
    return f"{after / before - 1:+.1%}" if before else "-"


def _by(change: Change) -> str:
    return "-" if change.ratio is None else f"{change.ratio - 1:+.1%}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
