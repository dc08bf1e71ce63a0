"""A thousand made-up workers and their parent: who waits for whom."""

from __future__ import annotations

import pytest
from benchmark_scripts import benchmark_script
from made import model, record, work

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


def test_a_block_lasts_from_its_first_work_to_the_handing_over_of_its_rows():
    lane = "worker 1 model_0"
    given = record(
        9,
        models=(
            model("a", 1, 2, lane, block=1), model("b", 2, 4, lane, block=1),
            model("a", 5, 6, "worker 2 model_0", block=2), model("a", 0, 9, "model_0", block=3),
        ),
        work=(work("handing over the rows", 4, 5), work("merging a block of 2", 6, 8)),
    )  # fmt: skip
    assert blocks.measured(given) == ([4, 2], [2])
