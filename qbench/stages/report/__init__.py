"""Stage report: its options, and what it does."""
