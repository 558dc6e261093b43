"""Stage attack: its options, and what it does."""
