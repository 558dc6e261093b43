"""The state of a training, kept after every epoch."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


class Checkpoint:
    """A file with all that the next epoch depends on: weights, the states of dropout, and the optimizer.

    Keras's own weight files leave the states of dropout out.

    Args:
        path: of the `.npz` file.
        model: built.
        optimizer: not yet used.
    """

    def __init__(self, path: Path, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        optimizer.build(model.trainable_variables)
        self.path = path
        self._variables = [*model.variables, *optimizer.variables]

    def save(self, epochs: int, accuracy: float) -> None:
        """Replace the file by the state after so many epochs, and the accuracy of the last."""
        state = {f"variable-{i}": each.numpy() for i, each in enumerate(self._variables)}
        written = self.path.with_name(f".{self.path.name}")
        packed = io.BytesIO()  # on a full disk, an archive that is written in place complains when collected
        np.savez(packed, epochs=epochs, accuracy=accuracy, **state)
        written.write_bytes(packed.getvalue())
        written.replace(self.path)

    def restore(self) -> tuple[int, float]:
        """Take up the state of the file; epochs done, 0 if there is no file, and the last one's accuracy."""
        if not self.path.exists():
            return 0, 0.0
        with np.load(self.path) as state:
            for i, each in enumerate(self._variables):
                each.assign(state[f"variable-{i}"])
            return int(state["epochs"]), float(state["accuracy"])
