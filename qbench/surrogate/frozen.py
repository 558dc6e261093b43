"""A SavedModel as a layer, so that a network without Keras code still has a gradient and an export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from qbench.errors import UserError
from qbench.surrogate.allowed import check_nodes, check_operators, closure

_GRAPH = "graph.pb"


@keras.saving.register_keras_serializable("qbench")
class FrozenGraph(keras.layers.Layer):  # type: ignore[misc]
    """A frozen TensorFlow graph with one input and one output; a `.keras` file carries it as an asset.

    Args:
        feed, fetch: names of the input and output tensors.
        units: length of a row of scores.
    """

    def __init__(self, feed: str, fetch: str, units: int, **options: Any) -> None:
        super().__init__(**{**options, "trainable": False})
        self.feed, self.fetch, self.units = feed, fetch, units
        self.graph_def: tf.compat.v1.GraphDef | None = None
        self._function: Any = None

    def set_graph(self, graph_def: tf.compat.v1.GraphDef) -> None:
        """Give the layer its graph.

        Raises:
            UserError: the graph holds an operator that may do more than compute.
        """
        check_operators(graph_def, "the frozen graph")
        self.graph_def = graph_def
        wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph_def, name=""), [])
        graph = wrapped.graph
        self._function = wrapped.prune(graph.as_graph_element(self.feed), graph.as_graph_element(self.fetch))

    @property
    def sigmoid(self) -> bool:
        """Whether the graph ends in a sigmoid."""
        return bool(_producer(self._function.outputs[0]).type == "Sigmoid")

    def before_sigmoid(self) -> FrozenGraph:
        """The same graph up to the tensor that goes into its final sigmoid."""
        assert self.graph_def is not None  # noqa: S101 - set_graph comes first
        fetch = _producer(self._function.outputs[0]).inputs[0].name
        cut = FrozenGraph(self.feed, fetch, self.units, name=f"{self.name}_logits")
        cut.set_graph(self.graph_def)
        return cut

    def build(self, input_shape: Any) -> None:
        """There is nothing to build."""
        del input_shape
        self.built = True

    def call(self, x: Any) -> Any:
        """Scores [n, units] of inputs [n, *shape]."""
        return tf.ensure_shape(self._function(x), [None, self.units])

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """One row of scores an input."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "feed": self.feed, "fetch": self.fetch, "units": self.units}

    def save_assets(self, inner_path: str) -> None:
        """Store the graph in a `.keras` file."""
        assert self.graph_def is not None  # noqa: S101 - set_graph comes first
        (Path(inner_path) / _GRAPH).write_bytes(self.graph_def.SerializeToString(deterministic=True))

    def load_assets(self, inner_path: str) -> None:
        """Find the graph in a `.keras` file."""
        graph_def = tf.compat.v1.GraphDef()
        graph_def.ParseFromString((Path(inner_path) / _GRAPH).read_bytes())
        self.set_graph(graph_def)


def load_saved_model(path: Path) -> keras.Model:
    """The default signature of a SavedModel, frozen, as a Keras model; a final softmax is left out.

    Raises:
        UserError: there is no SavedModel, it holds an operator that may do more than compute, or its default
            signature is not a classifier's.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if not (path / "saved_model.pb").is_file():
        raise UserError(
            f"{path} is neither a SavedModel nor a folder that qbench wrote",
            hint="give a .keras or .h5 file, a SavedModel folder, or a folder that `qbench train` wrote",
        )
    _check_saved_model(path)
    try:
        loaded = tf.saved_model.load(str(path))  # keeps the variables alive
        frozen = convert_variables_to_constants_v2(loaded.signatures["serving_default"])
    except KeyError as error:
        raise UserError(
            f"{path} has no default signature",
            hint="save it with model.export(), or with signatures= in tf.saved_model.save",
        ) from error
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise UserError(
            f"{path} cannot be loaded",
            cause=(str(error).splitlines() or [type(error).__name__])[0],
            hint="check that the folder is whole",
        ) from error
    feeds, fetches = frozen.inputs, frozen.outputs
    _check_signature(path, feeds, fetches)
    fetch = _before_softmax(fetches[0])
    layer = FrozenGraph(feeds[0].name, fetch.name, int(fetches[0].shape[-1]), name="graph")
    layer.set_graph(frozen.graph.as_graph_def())
    inputs = keras.Input(feeds[0].shape[1:], name="input")
    return keras.Model(inputs, layer(inputs), name="saved_model")


def _check_saved_model(path: Path) -> None:
    """Refuse, before it is loaded, a SavedModel that would do more than compute.

    What runs is the default signature with all functions that it calls, and what sets up resources, such as
    lookup tables, of which a classifier has none. Functions for saving are there in every SavedModel, and are
    not run.

    Raises:
        UserError: an operator is not allowed, there are resources, or the folder is of TensorFlow 1.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel()
    try:
        saved.ParseFromString((path / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        raise UserError(
            f"{path} cannot be loaded", cause=str(error), hint="check that the folder is whole"
        ) from error
    for meta in saved.meta_graphs:
        if not meta.object_graph_def.nodes:
            raise UserError(
                f"{path} is a SavedModel of TensorFlow 1",
                cause="it is set up by running its graph, which could do anything",
                hint="load it in TensorFlow and save it again with tf.saved_model.save",
            )
        _check_objects(path, meta)


def _check_objects(path: Path, meta: Any) -> None:
    """Refuse resources, and operators that signatures reach."""
    functions = {each.signature.name: each for each in meta.graph_def.library.function}
    nodes = meta.object_graph_def.nodes
    for node in nodes:
        if node.WhichOneof("kind") in ("resource", "asset"):
            raise UserError(
                f"{path} holds a resource, such as a lookup table, which is set up by running code",
                hint="export the network alone, from its numeric inputs on",
            )
    root = {child.local_name: child.node_id for child in nodes[0].children}
    signatures = nodes[root["signatures"]].children if "signatures" in root else ()
    for child in signatures:
        for name in _concrete_functions(nodes[child.node_id]):
            for function in closure(name, functions):
                check_nodes(function.node_def, str(path))


def _concrete_functions(node: Any) -> list[str]:
    """The names in the library of what an object of a SavedModel runs."""
    if node.WhichOneof("kind") == "bare_concrete_function":
        return [node.bare_concrete_function.concrete_function_name]
    return list(node.function.concrete_functions)


def _check_signature(path: Path, feeds: list[tf.Tensor], fetches: list[tf.Tensor]) -> None:
    """Refuse a signature other than [n, *shape] to [n, classes]."""
    if len(feeds) != 1 or len(fetches) != 1:
        raise UserError(
            f"{path} has {len(feeds)} inputs and {len(fetches)} outputs; a classifier has one each"
        )
    entry, exit_ = feeds[0].shape, fetches[0].shape
    if not entry.rank or entry[0] is not None or exit_.rank != 2 or exit_[1] is None:
        raise UserError(
            f"{path} takes {entry} and gives {exit_}",
            cause="qbench needs a batch of any size, and one row of scores an input",
            hint="save it with a batch of None and all other sizes known",
        )


def _before_softmax(tensor: tf.Tensor) -> tf.Tensor:
    """The logits behind a final softmax, else the tensor itself."""
    producer = _producer(tensor)
    return producer.inputs[0] if producer.type == "Softmax" else tensor


def _producer(tensor: tf.Tensor) -> Any:
    """The operation that computes a tensor, whatever names it was given since."""
    producer = tensor.op
    while producer.type == "Identity":
        producer = producer.inputs[0].op
    return producer
