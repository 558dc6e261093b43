"""What the runtime says of models that it cannot run."""

from __future__ import annotations

import re

import numpy as np
import pytest

from qbench.errors import UserError
from qbench.places import firmware_sources
from qbench.runtimes.hostlib import HostModel
from tests.random_models.builder import OPERATORS, ModelBuilder
from tests.random_models.cases import GENERATORS, draw


def _refusal(model: bytes) -> UserError:
    with pytest.raises(UserError) as caught:
        HostModel(model)
    return caught.value


def _chain(second: str, options: str | None = None, version: int = 1) -> bytes:
    """RELU, then an operator."""
    m = ModelBuilder()
    x, y, z = (m.tensor((1, 4), scale=0.1) for _ in range(3))
    m.operator("RELU", [x], [y])
    m.operator(second, [y], [z], options, version=version)
    return m.build([x], [z])


def test_an_unsupported_operator_is_named_with_its_index() -> None:
    built = set(re.findall(r"&qb_(\w+),", (firmware_sources() / "operators/registry.c").read_text()))
    assert {"conv_2d", "add", "relu6"} <= built
    absent = sorted(name for name in OPERATORS if name.lower() not in built and name != "CUSTOM")
    assert len(absent) > 1
    for name in (absent[0], absent[-1]):
        assert (
            _refusal(_chain(name)).what
            == f"operator 1 ({name} version 1) cannot run on the firmware's runtime"
        )


def test_an_unsupported_version_is_named() -> None:
    error = _refusal(_chain("RELU6", version=99))
    assert "operator 1 (RELU6 version 99)" in error.what
    assert error.cause == "this version of the operator is not supported"


def test_an_operator_that_fails_to_prepare_is_named_with_its_own_version() -> None:
    m = ModelBuilder()
    x, y, z = m.tensor((1, 4), scale=0.1), m.tensor((1, 4), scale=0.3), m.tensor((1, 4), scale=0.3)
    m.operator("LOGISTIC", [x], [y], version=2)
    m.operator("RELU", [y], [z], version=1)
    assert "operator 0 (LOGISTIC version 2)" in _refusal(m.build([x], [z])).what


def test_options_of_another_operator_are_refused() -> None:
    error = _refusal(_chain("LEAKY_RELU", "AddOptions"))
    assert error.cause == "the operator's options are of another operator"


@pytest.mark.parametrize("operator", GENERATORS)
def test_a_truncated_file_is_refused_or_runs(operator: str) -> None:
    case = draw(operator, 0)
    whole = HostModel(case.model).run(*case.inputs)
    refused = 0
    for length in range(0, len(case.model), 7):
        try:
            model = HostModel(case.model[:length])
        except UserError as error:
            refused += "damaged" in error.what or "cannot run" in error.what
            continue
        assert [a.shape for a in model.run(*case.inputs)] == [a.shape for a in whole]
    assert refused >= len(case.model) // 7 * 0.8


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"TFL3" * 4, b"PK\3\4" + bytes(100)])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    assert _refusal(content).cause == "not a TFLite file, or cut short"


def test_a_loop_in_the_graph_is_refused() -> None:
    m = ModelBuilder()
    x, y, z = (m.tensor((1, 4), scale=0.1) for _ in range(3))
    m.operator("ADD", [x, z], [y], "AddOptions", version=2)
    m.operator("RELU", [y], [z])
    assert _refusal(m.build([x], [z])).cause == "a tensor is read before it is written"


def test_a_tensor_of_wrong_size_is_refused() -> None:
    m = ModelBuilder()
    x, y = m.tensor((1, 4), scale=0.1), m.tensor((1, 5), scale=0.1)
    m.operator("RELU", [x], [y])
    assert "same shape" in str(_refusal(m.build([x], [y])).cause)


def test_a_constant_shorter_than_its_shape_is_refused() -> None:
    m = ModelBuilder()
    x, y = m.tensor((1, 4), scale=0.1), m.tensor((1, 4), scale=0.1)
    b = m.constant(np.zeros(4, np.int8), 0.1)
    m._graph.tensors[b].shape = np.array([1, 4000], np.int32)
    m.operator("ADD", [x, b], [y], "AddOptions", version=2)
    assert _refusal(m.build([x], [y])).cause == "a constant is shorter than its shape says"
