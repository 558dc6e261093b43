"""Stage export: its options, and what it does."""
