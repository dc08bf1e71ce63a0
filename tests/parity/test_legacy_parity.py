"""`legacy` leaves the bits of every other runner, also when it is stopped and resumed."""

from __future__ import annotations

import golden
from record_page import undocumented


def test_legacy_stopped_after_its_first_year_and_resumed_has_the_golden_fingerprints(
    tmp_path, parity, stop_after
):
    project = golden.project("smallest", tmp_path)
    assert stop_after(project, "legacy", 2025, "2025-2027", "--runner", "legacy") == 130
    legacy = parity.simulate(project, "legacy", "2025-2027", "--runner", "legacy", "--resume")
    assert golden.marts_of(legacy) == golden.GOLDEN["smallest"]
    assert undocumented(legacy) == set()
