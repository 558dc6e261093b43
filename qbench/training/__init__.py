"""Training of networks, float and low-bit, plain and adversarial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import Hardening, Preprocessing
from qbench.data import Dataset, Split
from qbench.progress import Progress
from qbench.tasks import task_of
from qbench.tasks.anomaly import USUAL_QUANTILE, anomaly_task, errors
from qbench.training.batches import batches
from qbench.training.checkpoint import Checkpoint
from qbench.zoo import TrainingRecipe

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Fine-tuning starts at a tenth of the rate, as in Esser et al., 2020, section 3 (0.01 after 0.1).
_FINE_TUNING = 0.1
# Batches that the statistics of batch normalization are gathered from at the end.
_STATISTICS = 200


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is to be trained.

    Attributes:
        epochs: in place of the recipe's.
        seed: of order, augmentation and adversarial starts.
        fine_tune: whether the network is trained already.
        hardening: what to do against adversarial inputs.
        checkpoint: a file that keeps the state after every epoch; training goes on from it if it is there.
    """

    recipe: TrainingRecipe
    preprocessing: Preprocessing
    epochs: int
    seed: int
    checkpoint: Path
    fine_tune: bool = False
    hardening: Hardening | None = None


def make_deterministic(seed: int) -> None:
    """Seed initial weights and dropout, number layers from the start, and use kernels whose bits repeat."""
    import keras
    import tensorflow as tf

    keras.backend.clear_session()  # else a second network in one process has other names, so other bytes
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(model: keras.Model, data: Dataset, train: Split, plan: TrainingPlan, progress: Progress) -> float:
    """Train a network in place by its recipe: on the labels, or of an autoencoder to give its input back.

    After the last epoch the statistics of batch normalization are gathered anew.

    Bits repeat from run to run on one machine after `make_deterministic`, and an interrupted training that
    goes on from its checkpoint ends with the bits of one that was never interrupted.

    Returns:
        The accuracy on the training inputs of the last epoch: adversarial ones in adversarial training. Of an
        autoencoder, the share of them whose error is below the threshold that `accuracy` takes.
    """
    import keras

    from qbench.training.normalization import gather_statistics

    steps = -(-len(train) // plan.recipe.batch_size)
    trained = _compiled(model, data, plan, steps)
    checkpoint = Checkpoint(plan.checkpoint, model, trained.optimizer)
    done, accuracy = checkpoint.restore()

    metric = "mean_squared_error" if plan.recipe.reconstructs else "accuracy"

    def stream(epochs: range) -> tf.data.Dataset:
        found = batches(data, train, plan.recipe, plan.preprocessing, epochs, plan.seed)
        return found.map(lambda x, y: (x, x)) if plan.recipe.reconstructs else found  # noqa: ARG005

    with progress.task(f"training {model.name}", (plan.epochs - done) * steps) as advance:
        if done < plan.epochs:
            told = keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: advance(1),  # noqa: ARG005
                on_epoch_end=lambda epoch, logs: checkpoint.save(epoch + 1, float(logs[metric])),
            )
            history = trained.fit(
                stream(range(done, plan.epochs)),
                initial_epoch=done,
                epochs=plan.epochs,
                steps_per_epoch=steps,
                shuffle=False,
                callbacks=[told],
                verbose=0,
            )
            accuracy = float(history.history[metric][-1])
        one_more = stream(range(plan.epochs, plan.epochs + 1))
        seen = None if plan.hardening is None else trained.seen
        gather_statistics(model, one_more.take(_STATISTICS), seen)
    return USUAL_QUANTILE if plan.recipe.reconstructs else accuracy


def accuracy(model: keras.Model, data: Dataset, plan: TrainingPlan) -> float:
    """Share of the test inputs that a network classifies right.

    Of an autoencoder: whose error lies on the right side of the 95th percentile of normal training inputs'.
    """
    test = data.test
    inputs = plan.preprocessing.apply(data.inputs(test.x))
    outputs = model.predict(inputs, batch_size=256, verbose=0)
    if not plan.recipe.reconstructs or data.train is None:
        return float(np.mean(outputs.argmax(axis=1) == test.y))
    seen = plan.preprocessing.apply(data.inputs(data.train.x))
    found = errors(_flat(model.predict(seen, batch_size=256, verbose=0)), seen)
    task = anomaly_task(None, found, data.train.y, tuple(model.outputs[0].shape[1:]))
    scores = task_of(task).scores(_flat(outputs), lambda: inputs)
    return float(np.mean(scores.argmax(axis=1) == test.y))


def _flat(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    return outputs.reshape(len(outputs), -1)


def _compiled(model: keras.Model, data: Dataset, plan: TrainingPlan, steps: int) -> Any:
    """The network, or a hardened view of it, ready to fit."""
    import keras

    trained = model
    if plan.hardening is not None:
        from qbench.training.hardening import HardenedNetwork

        trained = HardenedNetwork(model, plan.hardening, data.domain, plan.preprocessing, plan.seed)
    rate = plan.recipe.learning_rate * (_FINE_TUNING if plan.fine_tune else 1)
    trained.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps * plan.epochs)),
        loss="mean_squared_error"
        if plan.recipe.reconstructs
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["mean_squared_error" if plan.recipe.reconstructs else "accuracy"],
    )
    return trained
