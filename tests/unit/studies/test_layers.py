"""What the analysis of the value shift reads in a network of sign activations."""

import numpy as np
import pytest

from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.lowbit.lowering import lower
from qbench.runtimes import runtime_class
from qbench.runtimes.specs import read_specs
from qbench.studies.shift.layers import LayerProbe
from tests.unit.lowbit.networks import settled


@pytest.mark.parametrize("method", ["bnn", "dorefa"])
def test_sign_layers_are_read_as_the_integer_runtime_computes_them(tmp_path, method):
    model, x = settled("digits-cnn", 1, 1, method)
    path = tmp_path / "int8.tflite"
    path.write_bytes(program_to_tflite(lower(model).program))
    entry, output = read_specs(path)
    fed = entry.quantization.quantize(x)
    probe = LayerProbe(path)
    values = probe.values(fed)

    signs = [layer for layer in probe.layers if set(np.unique(values[layer.output])) == {-1, 1}]
    assert len(signs) >= 2
    for layer in signs:
        real = probe.real(layer, values)
        assert (
            np.abs(real).max() > 1
        )  # seen before the clamp that leaves the sign, so a shift can vanish in it
        np.testing.assert_array_equal(np.sign(real), values[layer.output])

    runtime = runtime_class("host")(path, entry, output)
    codes = runtime.invoke(fed).astype(np.float32) - output.quantization.zero_point
    runtime.close()
    np.testing.assert_array_equal(values[probe.layers[-1].output], codes)
