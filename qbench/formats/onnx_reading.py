"""An ONNX file, opened with all that lies beside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from qbench.errors import UserError

if TYPE_CHECKING:
    import onnx

# What protobuf, and with it ONNX, can hold in one message.
_LARGEST = (1 << 31) - 1
WHOLE = "check that the file is whole: a truncated copy or another format looks like this"


def read_onnx(path: Path) -> bytes:
    """The bytes of an ONNX model, with tensors that lie in files beside it put back into it.

    Raises:
        UserError: it cannot be read, is no ONNX model, or names a file outside its folder or one too short.
    """
    import onnx

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}", cause=error.strerror) from error
    model = _parse(content, str(path))
    outside = [
        tensor for tensor in _tensors(model.graph) if tensor.data_location == onnx.TensorProto.EXTERNAL
    ]
    for tensor in outside:
        tensor.raw_data = _external_data(path, tensor)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return bytes(model.SerializeToString(deterministic=True)) if outside else content


def parse_onnx(content: bytes, name: str) -> onnx.ModelProto:
    """A checked model.

    Args:
        content: the file's bytes, with all its tensors.
        name: what an error calls it.

    Raises:
        UserError: it is no ONNX model, or breaks the format's rules.
    """
    import onnx

    model = _parse(content, name)
    checked = _parse(content, name)
    for value in (*checked.graph.output, *checked.graph.value_info):
        # Runtimes do without the shapes of results, the checker does not.
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()
    try:
        onnx.checker.check_model(checked)
    except Exception as error:  # its errors share no base class
        raise _not_a_model(name, error) from error
    return model


def infer_shapes(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """The model with the shapes of all its tensors that follow from its input's.

    Raises:
        UserError: operators and shapes do not fit each other.
    """
    import onnx

    # What a file says of tensors inside is not needed; ONNX ends the process where it says nonsense.
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    try:
        return onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:  # its errors share no base class
        raise UserError(
            f"the operators of {name} do not fit each other",
            cause=" ".join(str(error).split())[:300],
            hint=WHOLE,
        ) from error


def _tensors(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """All tensors that the graph carries."""
    inside = [each.t for node in graph.node for each in node.attribute if each.HasField("t")]
    return [*graph.initializer, *inside]


def _external_data(path: Path, tensor: onnx.TensorProto) -> bytes:
    """A tensor's bytes from the file beside the model that it names."""
    stated = {each.key: each.value for each in tensor.external_data}
    location = stated.get("location", "")
    place = PurePosixPath(location)
    file = (path.parent / location).resolve()
    inside = file.is_relative_to(path.parent.resolve())
    if not location or place.is_absolute() or ".." in place.parts or "\\" in location or not inside:
        raise UserError(
            f"{path} names the file {location!r} for the tensor {tensor.name!r}",
            cause="a model's tensors must lie in its own folder",
            hint="save it again with its tensors inside, or in a file beside it",
        )
    try:
        offset, size = int(stated.get("offset", 0)), file.stat().st_size
        length = int(stated.get("length", size - offset))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} keeps the tensor {tensor.name!r} in {location}, which cannot be read",
            cause=str(error),
            hint="copy that file beside the model",
        ) from error
    if offset < 0 or length < 0 or offset + length > size or length > _LARGEST:
        raise UserError(
            f"{path} keeps the tensor {tensor.name!r} in {location}, which is too short",
            cause=f"it wants {length} bytes from {offset} on, and the file has {size}",
            hint=WHOLE,
        )
    with file.open("rb") as source:
        source.seek(offset)
        return bytes(source.read(length))


def _parse(content: bytes, name: str) -> onnx.ModelProto:
    import onnx

    try:
        model = onnx.load_from_string(content)
    except Exception as error:  # protobuf's and onnx's errors share no base class
        raise _not_a_model(name, error) from error
    if not model.HasField("graph"):
        raise _not_a_model(name, ValueError("it holds no graph"))
    return model


def _not_a_model(name: str, error: Exception) -> UserError:
    return UserError(
        f"{name} is not an ONNX model",
        cause=(str(error).splitlines() or [type(error).__name__])[0],
        hint=WHOLE,
    )
