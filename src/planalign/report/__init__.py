"""A run as one page of HTML that needs no network: what it did, and what it found."""
