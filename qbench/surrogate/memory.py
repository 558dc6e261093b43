"""Going on with smaller batches where memory does not suffice."""

from __future__ import annotations

from qbench.errors import EnvironmentLacks


def out_of_memory() -> tuple[type[BaseException], ...]:
    """The errors that say so, for an except clause."""
    import tensorflow as tf

    return MemoryError, tf.errors.ResourceExhaustedError


def halve(batch: int, error: BaseException) -> int:
    """Half a batch.

    Raises:
        EnvironmentLacks: it is a single input already.
    """
    if batch == 1:
        raise EnvironmentLacks(
            "there is not enough memory for a single input",
            cause=(str(error).splitlines() or [type(error).__name__])[0],
            hint="close other programs, or use a machine with more memory",
        ) from error
    return batch // 2
