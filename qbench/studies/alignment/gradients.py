"""Input gradients of a network, in compiled batches of one size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.attacks.losses import soft_margin
from qbench.surrogate.base import Surrogate

Array = NDArray[np.float32]
Gradient = Callable[[Array, NDArray[np.int64]], Array]


def gradient_of(surrogate: Surrogate, batch: int) -> Gradient:
    """From inputs [n, *shape] and labels [n], n at most `batch`, to gradients along the cross-entropy's."""
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator]
    def compiled(x: Any, y: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            loss = soft_margin(surrogate.logits(x), y)
        return tape.gradient(loss, x)

    def gradient(x: Array, y: NDArray[np.int64]) -> Array:
        rows = np.arange(batch) % len(x)
        found: Array = compiled(tf.constant(x[rows]), tf.constant(y[rows])).numpy()
        return found[: len(x)]

    return gradient


def cosines(a: Array, b: Array) -> NDArray[np.float64]:
    """The cosine between gradients, [n]; NaN where one of the two is zero."""
    a, b = _flat(a), _flat(b)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = np.einsum("ni,ni->n", a, b)
    # Products of rounded lengths may come out a hair above one.
    found = np.divide(products, lengths, out=np.full(len(a), np.nan), where=lengths > 0)
    return np.clip(found, -1.0, 1.0)


def sign_agreements(a: Array, b: Array) -> NDArray[np.float64]:
    """Share of elements with the same sign, over those where neither is zero, [n]; NaN where all are."""
    products = np.sign(_flat(a)) * np.sign(_flat(b))
    counted = (products != 0).sum(axis=1)
    same = (products > 0).sum(axis=1)
    return np.divide(same, counted, out=np.full(len(products), np.nan), where=counted > 0)


def _flat(x: Array) -> NDArray[Any]:
    """[n, elements]; each row over its largest size, since squares of tiny gradients vanish."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    largest = np.abs(flat).max(axis=1, keepdims=True)
    return np.divide(flat, largest, out=np.zeros_like(flat), where=largest > 0)
