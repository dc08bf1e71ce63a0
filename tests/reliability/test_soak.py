"""A short soak: what is killed is whole or resumable. `make soak` is the long form."""

from __future__ import annotations

import soak


def test_ten_kills_are_survived(tmp_path):
    tallies = soak.soak(soak.SHORT, seed=1, folder=tmp_path)
    assert [tally.broken for tally in tallies] == [[], []]
    total = soak.total(tallies)
    assert total.stops >= 10
    assert total.survived == total.stops
