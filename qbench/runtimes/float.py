"""The float network itself, for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from numpy.typing import NDArray

from qbench.artifacts import TensorSpec
from qbench.runtimes.batched import BatchedRuntime, Worker


class FloatRuntime(BatchedRuntime):
    """The Keras network in float32, on inputs in its own unit; TensorFlow brings its own threads."""

    name = "float"
    artifact: ClassVar[str] = "float.keras"
    packages: ClassVar[tuple[str, ...]] = ("tensorflow", "tensorflow-cpu")

    def _open(self) -> Sequence[Worker]:
        self.package()
        import keras
        import tensorflow as tf

        import qbench.surrogate.frozen  # noqa: F401 - registers the layer that a SavedModel became

        try:
            model = keras.models.load_model(self.path, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise self.unreadable("Keras", error) from error
        entry = TensorSpec(name="input", shape=tuple(model.input_shape[1:]), dtype="float32")
        self.check_tensor("input", entry)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((self.batch, *self.input.shape), tf.float32)]
        )
        def forward(x: tf.Tensor) -> tf.Tensor:
            return model(x, training=False)

        return [lambda x: cast("NDArray[Any]", forward(x).numpy())]

    @property
    def kernels(self) -> str:
        """Float arithmetic."""
        return "float32"
