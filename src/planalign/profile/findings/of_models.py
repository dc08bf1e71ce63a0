"""Findings from the seconds of models and the graph; they need no plans."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from planalign.profile.findings.finding import Finding, seconds, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planalign.profile.analysis import Analysis
    from planalign.record.record import ModelRun, Record

# A model this slow is looked at whatever it does.
SLOW_SECONDS = 30.0
# An outlier: its log of seconds per row is that many robust deviations above its peers.
OUTLIER_DEVIATIONS = 4.0
# Peers that are much alike would make an outlier of every other: half of e at least.
LEAST_DEVIATION = 0.5
# Or it takes so many times as long as any other, and as its peers per row.
DOMINATES, DOMINATES_PER_ROW = 4.0, 3.0
# What is soon done is no bottleneck, however long for its rows.
OUTLIER_SECONDS, OUTLIER_SHARE = 1.0, 0.1
# Below so many rows the seconds are those to plan and to start, not those of rows.
FIXED_COST_ROWS = 50_000
# A deviation of fewer says little.
FEWEST_PEERS = 8
# Times as slow per row as in an earlier run; two runs of the same differ by a half on a
# machine that others use.
SLOWER_THAN_EARLIER = 2.0
# Readers of a view that together take less are not worth a table.
READER_SECONDS, READER_SHARE = 0.5, 0.05
# CPU seconds per second, of a model alone for that long, with room on other cores.
SINGLE_SECONDS, SINGLE_CPU = 5.0, (0.7, 1.2)
BUSY_MACHINE = 0.8
# Times as many threads as cores; a few more do no harm.
THREADS_PER_CORE = 2
# A part of building that nothing ran in, of so many models each this short.
DISPATCH_SHARE, SMALL_SECONDS, MANY_MODELS = 0.4, 0.05, 10


def slow_models(record: Record, analysis: Analysis) -> Iterator[Finding]:
    """Find models over `SLOW_SECONDS`, and those far slower per row than their peers."""
    rates = _seconds_per_row(record)
    logs = {name: math.log(rate) for name, rate in rates.items()}
    middle = median(logs.values()) if logs else 0.0
    spread = median(abs(value - middle) for value in logs.values()) if logs else 0.0
    deviation = max(LEAST_DEVIATION, 1.4826 * spread)
    own = _own_seconds(record)
    totals = sorted(map(sum, own.values()), reverse=True)
    everything, second = sum(totals), totals[1] if len(totals) > 1 else 0.0
    for name, spent in own.items():
        total = sum(spent)
        if name not in logs and max(spent) < SLOW_SECONDS:
            continue  # of setup: once
        above = logs.get(name, middle) - middle
        found, factor = above / deviation, math.exp(above)
        dominates = total >= DOMINATES * second and factor >= DOMINATES_PER_ROW
        is_outlier = (
            (found >= OUTLIER_DEVIATIONS or dominates)
            and len(logs) >= FEWEST_PEERS
            and median(spent) >= OUTLIER_SECONDS
            and total >= OUTLIER_SHARE * everything
        )
        if not is_outlier and max(spent) < SLOW_SECONDS:
            continue
        longest = _longest(record, name)
        evidence = [("longest", seconds(max(spent))), ("in all", seconds(total)),
                    ("of all models' seconds", f"{total / everything:.0%}")]  # fmt: skip
        gain = total
        if is_outlier:
            gain = max(total * (1 - 1 / factor), total - second, 0.0)
            evidence += [("seconds per row, against the median model", f"{factor:,.1f} times"),
                         ("robust deviations above it", f"{found:.1f}"),
                         ("the next longest in all", seconds(second))]  # fmt: skip
        why = "far slower than its peers" if is_outlier else f"over {SLOW_SECONDS:.0f} s"
        yield Finding(
            "slow_model", f"{name} is slow: {why}", name, longest.year,
            tuple(evidence),
            "Look at its plan: --profile plans names the operator. Do with fewer rows or columns "
            "before joins, sorts and windows, and leave out what no reader needs.",
            "Up to the seconds that it takes beyond a model of its size.",
            gain, severity_of(gain, analysis.wall_seconds),
        )  # fmt: skip


def slower_than_earlier(
    record: Record, analysis: Analysis, earlier: Record | None
) -> Iterator[Finding]:
    """Find models that are slower per row than in an earlier run."""
    if earlier is None:
        return
    before, now = _seconds_per_row(earlier), _seconds_per_row(record)
    for name, spent in _own_seconds(record).items():
        if name not in before or name not in now:
            continue
        factor = now[name] / before[name]
        gain = sum(spent) * (1 - 1 / factor)
        if factor < SLOWER_THAN_EARLIER or gain < OUTLIER_SECONDS:
            continue
        yield Finding(
            "slower_than_earlier",
            f"{name} is {factor:.1f} times as slow per row as in the earlier run",
            name, _longest(record, name).year,
            (("median", seconds(median(spent))),
             ("per row, against earlier", f"{factor:.1f} times"), ("in all", seconds(sum(spent)))),
            "Compare the model's SQL, the versions and the machine of both runs.",
            "What it takes more than in the earlier run.",
            gain, severity_of(gain, analysis.wall_seconds),
        )  # fmt: skip


def views_read_often(record: Record, analysis: Analysis) -> Iterator[Finding]:
    """Find views that several models read: each of them computes it again."""
    total = {name: sum(spent) for name, spent in _own_seconds(record).items()}
    for name, node in record.graph.items():
        readers = tables_reading(record, name)
        spent = sorted(total.get(reader, 0.0) for reader in readers)
        if node.materialization != "view" or len(readers) < 2:
            continue
        if sum(spent) < max(READER_SECONDS, READER_SHARE * sum(total.values())):
            continue
        # No reader takes less than the view in it does; one goes on computing it.
        gain = spent[0] * (len(readers) - 1)
        yield Finding(
            "view_read_often", f"{name} is a view that {len(readers)} models compute anew",
            name, None,
            (("readers", ", ".join(sorted(readers))),
             ("seconds of the readers", seconds(sum(spent))),
             ("of the fastest of them", seconds(spent[0]))),
            f"Make {name} a table: materialized='table' in its config.",
            f"At most {seconds(gain)}: what it takes, once less than it has readers.",
            gain, severity_of(gain, analysis.wall_seconds),
        )  # fmt: skip


def tables_reading(record: Record, name: str) -> set[str]:
    """Return the models that read one, through views too, and build rows of it."""
    found: set[str] = set()
    for node in record.graph.values():
        if name in node.reads:
            is_view = node.materialization == "view"
            found |= tables_reading(record, node.name) if is_view else {node.name}
    return found


def single_threaded(record: Record, analysis: Analysis) -> Iterator[Finding]:
    """Find long models that kept one core busy while the others had nothing to do."""
    if (record.threads or 1) < 2:
        return
    spans = (*record.models, *record.tests)
    for model in analysis.models:
        run = _longest(record, model.name)
        alone = sum(s.start < run.end and run.start < s.end for s in spans) == 1
        if run.cpu_seconds is None or run.seconds < SINGLE_SECONDS or not alone:
            continue
        rate = run.cpu_seconds / run.seconds
        busy = [
            sum(sample.busy_by_core) / len(sample.busy_by_core)
            for sample in record.samples
            if run.start <= sample.at <= run.end and sample.busy_by_core
        ]
        if not SINGLE_CPU[0] <= rate <= SINGLE_CPU[1] or not busy:
            continue
        if sum(busy) / len(busy) > BUSY_MACHINE:
            continue
        gain = model.total * (1 - 1 / (record.threads or 1))
        yield Finding(
            "single_threaded", f"{model.name} works on one thread of {record.threads}",
            model.name, run.year,
            (("seconds", seconds(run.seconds)), ("CPU seconds", seconds(run.cpu_seconds)),
             ("threads allowed", str(record.threads)),
             ("cores busy meanwhile", f"{sum(busy) / len(busy):.0%}")),
            "A window without a partition, an ordered aggregate, a recursive query or too few "
            "rows for a second row group run on one thread: partition it, or split the model.",
            f"At most {seconds(gain)}, were all threads busy.",
            gain, severity_of(gain, analysis.wall_seconds),
        )  # fmt: skip


def over_parallel(record: Record, analysis: Analysis) -> Iterator[Finding]:
    """Find more threads than cores, and models much shorter than what lies between them.

    `batch` and `legacy` are left out: what dbt does between models is theirs.
    """
    if record.runner != "direct" or not record.models:
        return
    threads = record.threads or 1
    cores = record.cores or threads  # formats before told none
    middle = median(run.seconds for run in record.models)
    idle = building = 0.0
    for runs in _by_year(record).values():
        if len(runs) >= MANY_MODELS:
            busy = _covered(runs)
            whole = max(r.end for r in runs) - min(r.start for r in runs)
            idle, building = idle + whole - busy, building + whole
    # The first run of a statement parses it too.
    is_dispatch = building > 0 and idle / building >= DISPATCH_SHARE and middle < SMALL_SECONDS
    is_crowded = threads > THREADS_PER_CORE * cores
    if not is_crowded and not is_dispatch:
        return
    gain = idle if is_dispatch else 0.0
    yield Finding(
        "over_parallel",
        f"{threads} threads for {cores} cores" if is_crowded
        else "The models are shorter than what lies between them",
        None, None,
        (("threads", str(threads)), ("cores", str(cores)), ("median model", seconds(middle)),
         ("time between models", seconds(idle)), ("time of building", seconds(building))),
        "Set resources.threads to auto, or models_at_once to 1 for steps of small models; put "
        "small models that are read once into their reader.",
        "What the models wait for each other, at most.",
        gain, severity_of(gain, analysis.wall_seconds),
    )  # fmt: skip


def _seconds_per_row(record: Record) -> dict[str, float]:
    """Return, of each model that builds rows in a year, its median seconds per row.

    Rows are those that it builds or that it reads, whichever are more.
    """
    built: dict[tuple[str, int | None], int] = {}
    for run in record.models:
        key = run.name, run.year
        built[key] = built.get(key, 0) + (run.rows or 0)
    found: dict[str, list[float]] = {}
    for run in record.models:
        if run.year is None or _is_view(record, run.name):
            continue
        rows = max(_rows_touched(record, built, run.name, run.year), FIXED_COST_ROWS)
        found.setdefault(run.name, []).append(max(_seconds_of(run), 1e-6) / rows)
    return {name: median(rates) for name, rates in found.items()}


def _own_seconds(record: Record) -> dict[str, list[float]]:
    """Return what each model took every time, without what dbt does around it."""
    found: dict[str, list[float]] = {}
    for run in record.models:
        found.setdefault(run.name, []).append(_seconds_of(run))
    return found


def _seconds_of(run: ModelRun) -> float:
    return run.seconds if run.dbt_execute_seconds is None else run.dbt_execute_seconds


def _rows_touched(
    record: Record, built: Mapping[tuple[str, int | None], int], name: str, year: int | None
) -> int:
    node = record.graph.get(name)
    own = built.get((name, year), 0)
    reads = node.reads if node is not None else ()
    return max([own, *(_rows_read(record, built, one, year) for one in reads)])


def _rows_read(
    record: Record, built: Mapping[tuple[str, int | None], int], name: str, year: int | None
) -> int:
    """Return the rows of a model; of a view, those of what it reads."""
    if _is_view(record, name):
        return _rows_touched(record, built, name, year)
    return built.get((name, year), built.get((name, None), 0))


def _is_view(record: Record, name: str) -> bool:
    node = record.graph.get(name)
    return node is not None and node.materialization == "view"


def _longest(record: Record, name: str) -> ModelRun:
    return max((run for run in record.models if run.name == name), key=lambda run: run.seconds)


def _by_year(record: Record) -> dict[tuple[int, int | None], list[ModelRun]]:
    found: dict[tuple[int, int | None], list[ModelRun]] = {}
    for run in record.models:
        if run.year is not None:
            found.setdefault((run.year, run.block), []).append(run)
    return found


def _covered(runs: Sequence[ModelRun]) -> float:
    """Return the seconds in which at least one was under way."""
    total, until = 0.0, -math.inf
    for run in sorted(runs, key=lambda one: one.start):
        total += max(0.0, run.end - max(run.start, until))
        until = max(until, run.end)
    return total
