"""What qbench asks of a network's two ends, whatever file it comes from."""

from __future__ import annotations

from qbench.errors import UserError


def one_score(name: str) -> UserError:
    """The error for a network with one output: its only class would be right for every input."""
    return UserError(
        f"{name} gives one score an input",
        cause="a binary classifier with a sigmoid, or a regression; qbench compares scores, one a class",
        hint="give the network two scores, one a class: Dense(2) in place of Dense(1, 'sigmoid')",
    )
