"""`legacy` leaves the bits of every other runner, also when it is stopped and resumed."""

from __future__ import annotations

import golden
from record_page import undocumented

from planalign.results import open_run
from planalign.results.verify import verify

# A year, and one that builds on it: a minute or two each. The golden fingerprints are of one more.
YEARS = "2025-2026"


def test_legacy_stopped_after_its_first_year_and_resumed_is_as_direct(tmp_path, parity, stop_after):
    project = golden.project("smallest", tmp_path)
    assert stop_after(project, "legacy", 2025, YEARS, "--runner", "legacy") == 130
    legacy = parity.simulate(project, "legacy", YEARS, "--runner", "legacy", "--resume")
    direct = parity.simulate(project, "direct", YEARS)
    with open_run(legacy) as a, open_run(direct) as b:
        comparison = verify(a, b)
        assert comparison.identical, comparison.as_dict()
        assert len(a.summary()) == 2
    assert undocumented(legacy) == set()
