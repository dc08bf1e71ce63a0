"""What a run records of itself: written while it goes on, read by whoever looks at it."""
