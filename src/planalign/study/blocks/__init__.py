"""Blocks of trajectories side by side: handed out, computed elsewhere, merged into the one run."""
