"""Training of float networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.data import Dataset, Split
from qbench.progress import Progress
from qbench.zoo import Augmentation, Network, TrainingRecipe

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def fit(
    network: Network, data: Dataset, train: Split, *, epochs: int, seed: int, progress: Progress
) -> tuple[keras.Model, float]:
    """Train a network of models/ by its recipe.

    Bits repeat from run to run on one machine: seeded, with TensorFlow's deterministic kernels.

    Returns:
        The trained model, which takes values preprocessed as the recipe says, and its last training accuracy.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    recipe = network.recipe
    model = network.build(tuple(data.test.x.shape[1:]), len(data.classes))
    batches = _batches(data, train, recipe, seed)
    steps = -(-len(train) // recipe.batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps * epochs)
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    with progress.task(f"training {network.name}", epochs * steps) as advance:
        told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: advance(1))  # noqa: ARG005
        history = model.fit(batches, epochs=epochs, shuffle=False, callbacks=[told], verbose=0)
    return model, float(history.history["accuracy"][-1])


def accuracy(model: keras.Model, inputs: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Share of inputs [n, *shape], in the network's own unit, whose highest score is at the label [n]."""
    scores = model.predict(inputs, batch_size=256, verbose=0)
    return float(np.mean(scores.argmax(axis=1) == labels))


def _batches(data: Dataset, train: Split, recipe: TrainingRecipe, seed: int) -> tf.data.Dataset:
    """Shuffled, augmented, preprocessed batches; a new order and new draws in every epoch."""
    import tensorflow as tf

    preprocessing = data.preprocessing or recipe.preprocessing(data.domain)
    unit = float(data.inputs(np.ones(1, train.x.dtype))[0])

    def prepare(example: tuple[Any, Any], draw: Any) -> tuple[Any, Any]:
        stored, label = example
        x = _augment(stored, recipe.augmentation, tf.stack([draw, seed]))
        return tf.cast(x, tf.float32) * (unit * preprocessing.scale) + preprocessing.offset, label

    examples = tf.data.Dataset.from_tensor_slices((train.x, train.y))
    examples = examples.shuffle(len(train), seed=seed, reshuffle_each_iteration=True)
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)
    return (
        tf.data.Dataset.zip(examples, draws)
        .map(prepare, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(recipe.batch_size)
        .prefetch(tf.data.AUTOTUNE)
    )


def _augment(x: Any, augmentation: Augmentation, seed: Any) -> Any:
    """One random shift, the edge filled with the lowest value, and one random flip of an image."""
    import tensorflow as tf

    shift = augmentation.shift
    if shift:
        padded = tf.pad(x, [[shift, shift], [shift, shift], [0, 0]])
        x = tf.image.stateless_random_crop(padded, tf.shape(x), seed=seed)
    if augmentation.flip:
        x = tf.image.stateless_random_flip_left_right(x, seed=seed + 1)
    return x
