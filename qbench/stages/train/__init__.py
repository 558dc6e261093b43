"""Stage train: its options, and what it does."""
