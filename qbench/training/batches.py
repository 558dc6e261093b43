"""The stream of training batches: a function of seed and epoch alone, so that it can start at any epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qbench.artifacts import Preprocessing
from qbench.data import Dataset, Split
from qbench.zoo import Augmentation, TrainingRecipe

if TYPE_CHECKING:
    import tensorflow as tf


def batches(
    data: Dataset,
    train: Split,
    recipe: TrainingRecipe,
    preprocessing: Preprocessing,
    epochs: range,
    seed: int,
) -> tf.data.Dataset:
    """Shuffled, augmented, preprocessed batches; a new order and new draws in every epoch.

    Returns:
        Pairs of inputs [batch, *shape] float32 in the network's unit and labels [batch], epoch after epoch.
    """
    import tensorflow as tf

    x, y = tf.constant(train.x), tf.constant(train.y)
    unit = float(data.inputs(np.ones(1, train.x.dtype))[0])

    def prepare(index: tf.Tensor, draw: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        stored = _augment(tf.gather(x, index), recipe.augmentation, tf.stack([draw, seed]))
        real = tf.cast(stored, tf.float32) * (unit * preprocessing.scale) + preprocessing.offset
        return real, tf.gather(y, index)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        rows = tf.range(len(train), dtype=tf.int64)
        order = tf.random.experimental.stateless_shuffle(rows, seed=tf.stack([epoch, seed]))
        examples = tf.data.Dataset.from_tensor_slices((order, epoch * len(train) + rows))
        return examples.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).batch(recipe.batch_size)

    every = tf.data.Dataset.range(epochs.start, epochs.stop)
    return every.flat_map(one_epoch).prefetch(tf.data.AUTOTUNE)


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
