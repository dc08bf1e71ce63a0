"""What `advise --try` finds of a planted fault: a costly view that eight models read.

    python benchmarks/advice.py [ROWS] [EMPLOYEES]

The view has so many rows to add up, each time that it is read. As a table it is computed
once a year instead of eight times. Prints each pair's verdict as the command does, and exits
with 1 where making it a table is not what helps most.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from planalign.census import generate_census
from planalign.config import parse
from planalign.marts.packaged import PACKAGED
from planalign.profile.advice import advise, with_trial
from planalign.record.reading import read_record
from planalign.study import Request, run_study

VIEW = """\
select trajectory_id, i % 100 as part, sum(hash(i * 7 + trajectory_id) % 1000) as total
from {{{{ ref('int_trajectories') }}}}, range({rows}) as t(i)
group by all
{{{{ config(materialized='view') }}}}
"""
READER = """\
select trajectory_id, max(total) as most
from {{{{ ref('int_series') }}}}
where part <> {number}
group by all
"""


def main(rows: int = 3_000_000, employees: int = 1_000) -> int:
    """Print what was tried, and what it saves."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = shutil.copytree(PACKAGED, folder / "dbt") / "models" / "events"
        (events / "int_series.sql").write_text(VIEW.format(rows=rows))
        for number in range(8):
            (events / f"int_reader_{number}.sql").write_text(READER.format(number=number))
        generate_census(employees, 42, folder / "census.parquet")
        data = {
            "census": "census.parquet",
            "dbt_project": "dbt",
            "simulation": {"start_year": 2025, "end_year": 2025},
        }
        run = folder / "run"
        run_study(Request(parse(data, folder), run, with_query_plans=True))
        record = read_record(run)
        memory = psutil.virtual_memory().total
        advice = with_trial(advise(run, record), record, {}, print, memory_bytes=memory, years=1)
        outcomes = advice.trial.outcomes if advice.trial else ()
        for outcome in outcomes:
            print(outcome.proposal.suggestion, outcome.verdict, outcome.judgement, sep=": ")
        best = str(outcomes[0].proposal.suggestion) if outcomes else ""
        is_found = best == "make int_series a table" and outcomes[0].verdict == "helps"
    return 0 if is_found else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
