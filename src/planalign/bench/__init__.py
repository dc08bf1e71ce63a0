"""The benchmark suite: whole commands, timed against each other in one run."""
