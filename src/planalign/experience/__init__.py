"""What the censuses of past years say: exposures, events, assumptions, and their test."""
