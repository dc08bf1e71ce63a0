"""`planalign show`: a run at a glance."""

from dataclasses import asdict

from planalign.cli import console
from planalign.cli.options import Json, RunFolder
from planalign.cli.output import emit_json


def show(run: RunFolder, json: Json = False) -> None:
    """Print headcount and pay by scenario and year.

    Where a run has several replicates, the table gives their mean and, in
    brackets, the 10th and 90th percentiles.

    Keys of --json: run (path); rows, one per scenario, replicate and year with
    the columns of fct_financial_summary and terminations; spreads, one per
    scenario and year with replicates (how many) and measures (by column: mean,
    p10, p90); warnings (text); cached_years and saved_seconds (years taken from the
    cache). Amounts are dollars.
    """
    from planalign.cli.tables import print_summary  # noqa: PLC0415 - rich is slow to import
    from planalign.record.telemetry import saving  # noqa: PLC0415
    from planalign.results import open_run  # noqa: PLC0415 - and so is duckdb
    from planalign.results.summary import spreads, warnings  # noqa: PLC0415

    with open_run(run) as opened:
        rows = opened.summary()
        cached_years, saved_seconds = opened.from_cache()
    if json:
        emit_json(
            {
                "run": str(run),
                "rows": [{**asdict(row), "terminations": row.terminations} for row in rows],
                "spreads": [asdict(spread) for spread in spreads(rows)],
                "warnings": warnings(rows),
                "cached_years": cached_years,
                "saved_seconds": saved_seconds,
            }
        )
        return
    print_summary(rows)
    if cached_years:
        console.say(f"{cached_years} years from the cache {saving(saved_seconds)}.")
    for warning in warnings(rows):
        console.warn(warning)
