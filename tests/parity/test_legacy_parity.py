"""`legacy` leaves the bits of every other runner, also when it is stopped and resumed."""

from __future__ import annotations

import golden
from record_page import undocumented


def test_legacy_stopped_after_its_first_year_and_resumed_has_the_golden_fingerprints(
    tmp_path, parity, stop_after, warm_dbt
):
    project = golden.project("smallest", tmp_path)
    command = ["2025-2027", "--runner", "legacy"]
    assert stop_after(project, "legacy", 2025, *command, **warm_dbt) == 130
    legacy = parity.simulate(project, "legacy", *command, "--resume", **warm_dbt)
    assert golden.marts_of(legacy) == golden.GOLDEN["smallest"]
    assert undocumented(legacy) == set()
