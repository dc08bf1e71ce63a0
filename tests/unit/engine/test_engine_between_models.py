"""Memory that runs short in a statement between two models: with less at once it goes on."""

from __future__ import annotations

import duckdb
import pytest
from faulty import Fault, Faults, Heard

from planalign.census import generate_census
from planalign.results import open_run
from planalign.results.fingerprint import fingerprint
from planalign.study import Request, configuration, run_study


@pytest.mark.parametrize(
    ("statement", "spared"),
    [
        ("delete from run_years", 1),
        ("insert into run_years", 1),
        ("from fct_financial_summary where simulation_year", 0),
    ],
)
def test_a_statement_between_models_is_no_end_of_the_run(tmp_path, statement, spared):
    census = tmp_path / "census.parquet"
    generate_census(30, 1, census)
    years = {"start_year": 2025, "end_year": 2027, "replicates": 2}
    config = configuration({"census": str(census), "simulation": years})
    short = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block")
    faults, heard = Faults([Fault(statement, short, spared=spared)]), Heard()
    run_study(Request(config, tmp_path / "short"), heard, machine=faults.machine())
    run_study(Request(config, tmp_path / "undisturbed"))
    assert len(faults.raised) == 1
    [tripped] = heard.of("breaker_tripped")
    assert tripped["action"] == "goes on with one model at a time"
    with open_run(tmp_path / "short") as one, open_run(tmp_path / "undisturbed") as other:
        assert fingerprint(one) == fingerprint(other)
