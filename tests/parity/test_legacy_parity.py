"""`legacy` leaves the same bits, also when it is stopped and resumed."""

from __future__ import annotations

from planalign.results import open_run
from planalign.results.verify import verify


def test_legacy_stopped_after_its_second_year_and_resumed_equals_direct(
    tmp_path, parity, stop_after
):
    project = parity.project(tmp_path, 200, scenarios=("plan",))
    direct = parity.simulate(project, "direct", "2025-2027")
    assert stop_after(project, "legacy", 2026, "2025-2027", "--runner", "legacy") == 130
    legacy = parity.simulate(project, "legacy", "2025-2027", "--runner", "legacy", "--resume")
    with open_run(direct) as a, open_run(legacy) as b:
        comparison = verify(a, b)
        assert comparison.identical, comparison.as_dict()
        assert len(a.summary()) == 3
