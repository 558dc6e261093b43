"""The link: both sides, over good lines and bad."""
