"""The runtimes that single-operator models are run on: each gives its outputs, or why it refuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.errors import UserError
from qbench.runtimes.hostlib import HostModel

from .cases import Case

Outputs = list[NDArray[Any]]


class Refused(Exception):
    """The runtime does not run this model."""


def run_interpreter(case: Case, interpreter: Any) -> Outputs:
    """Outputs [samples, *shape] of an interpreter with TFLite's interface."""
    try:
        interpreter.allocate_tensors()
        results = []
        for sample in zip(*case.inputs, strict=True):
            for detail, value in zip(interpreter.get_input_details(), sample, strict=True):
                interpreter.set_tensor(detail["index"], value)
            interpreter.invoke()
            results.append([interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()])
    except (RuntimeError, ValueError) as error:
        raise Refused(str(error)) from error
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def _litert(case: Case, resolver: str) -> Outputs:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kind = getattr(OpResolverType, resolver)
    try:
        interpreter = Interpreter(model_content=case.model, experimental_op_resolver_type=kind, num_threads=1)
    except ValueError as error:
        raise Refused(str(error)) from error
    return run_interpreter(case, interpreter)


def litert_ref(case: Case) -> Outputs:
    """LiteRT's reference kernels."""
    return _litert(case, "BUILTIN_REF")


def tflite_builtin(case: Case) -> Outputs:
    """LiteRT's optimized kernels without XNNPACK."""
    return _litert(case, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def tflite(case: Case) -> Outputs:
    """LiteRT with XNNPACK."""
    return _litert(case, "AUTO")


def tensorflow_ref(case: Case) -> Outputs:
    """TensorFlow's reference kernels."""
    import tensorflow as tf

    kind = tf.lite.experimental.OpResolverType.BUILTIN_REF
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it advertises LiteRT
            interpreter = tf.lite.Interpreter(model_content=case.model, experimental_op_resolver_type=kind)
    except ValueError as error:
        raise Refused(str(error)) from error
    return run_interpreter(case, interpreter)


def tflm(case: Case) -> Outputs:
    """TFLite Micro."""
    from tflite_micro.python.tflite_micro import runtime

    try:
        interpreter = runtime.Interpreter.from_bytes(case.model, arena_size=1 << 20)
        results = []
        for sample in zip(*case.inputs, strict=True):
            for index, value in enumerate(sample):
                interpreter.set_input(value, index)
            interpreter.invoke()
            count = len(results[0]) if results else _outputs_of(case)
            results.append([interpreter.get_output(i) for i in range(count)])
    except (RuntimeError, ValueError) as error:
        raise Refused(str(error)) from error
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def _outputs_of(case: Case) -> int:
    model = HostModel(case.model)
    count = len(model.outputs)
    model.close()
    return count


def host(case: Case) -> Outputs:
    """The firmware's runtime, built for this machine."""
    try:
        model = HostModel(case.model)
    except UserError as error:
        raise Refused(f"{error.what}: {error.cause}") from error
    results = model.run(*case.inputs)
    model.close()
    return results


ORACLES: dict[str, Callable[[Case], Outputs]] = {
    "tflite-ref": tensorflow_ref,
    "litert-ref": litert_ref,
    "tflm": tflm,
    "tflite-builtin": tflite_builtin,
    "tflite": tflite,
    "host": host,
}
