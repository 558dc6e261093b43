"""Replaying: inputs onto a runtime's grid, and the scores of what came out."""
