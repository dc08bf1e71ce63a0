"""A thousand made-up workers and their parent: who waits for whom."""

from __future__ import annotations

import pytest
from benchmark_scripts import benchmark_script

blocks = benchmark_script("blocks")


@pytest.mark.parametrize(("working", "merging"), [(20.0, 0.1), (20.0, 1.0), (5.0, 1.0)])
def test_one_parent_is_fed_by_as_many_workers_as_a_block_takes_merges(working, merging):
    fed = working / merging
    few = blocks.crowd(max(1, int(fed / 4)), working, merging)
    assert few.workers_busy > 0.95
    assert few.parent_busy == pytest.approx(max(1, int(fed / 4)) / fed, rel=0.1)
    many = blocks.crowd(1_000, working, merging, blocks=40_000)
    assert many.parent_busy > 0.95
    assert many.blocks_a_second == pytest.approx(1 / merging, rel=0.06)
    assert many.workers_busy * 1_000 < 1.3 * fed
