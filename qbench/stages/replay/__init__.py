"""Stage replay: its options, and what it does."""
