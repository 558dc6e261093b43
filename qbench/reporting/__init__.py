"""What replays say, as tables for people and JSON for machines."""
