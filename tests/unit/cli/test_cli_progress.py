"""What went wrong and is mended has a line of its own on stderr."""

from __future__ import annotations

from planalign.cli.progress import following


def test_faults_that_are_mended_are_told(capsys):
    with following() as tell:
        tell(
            "retried",
            what="model int_a",
            model="int_a",
            attempt=1,
            wait_seconds=0.2,
            error="IO Error: {x}",
        )
        tell("group_failed", models=["int_a", "int_b"], error="IO Error: x")
        tell("breaker_tripped", reason="memory", action="goes on", threads=1)
        tell("warning", message="memory; the run goes on.")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "model int_a: attempt 1 failed (IO Error: {x}); the next in 0.2 s",
        "A group of models failed (IO Error: x); the rest of it runs one by one.",
        "Warning: memory; the run goes on.",
    ]
