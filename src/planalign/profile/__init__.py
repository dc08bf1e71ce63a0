"""What a run did and what it took, read from its record: `events.jsonl`."""
