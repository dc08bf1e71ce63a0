"""A short soak: what is killed is whole or resumable. `make soak` is the long form."""

from __future__ import annotations

import soak


def test_stops_of_every_kind_are_survived(tmp_path):
    tallies = soak.soak(soak.SHORT, seed=1, folder=tmp_path)
    assert [broken for tally in tallies for broken in tally.broken] == []
    total = soak.total(tallies)
    assert total.stops == sum(kind.stops for kind in soak.SHORT)
    assert total.survived == total.stops
