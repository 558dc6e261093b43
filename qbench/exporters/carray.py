"""A TFLite file as C source: an aligned array, and what a firmware must know of its tensors."""

from __future__ import annotations

from pathlib import Path

from qbench.artifacts import TensorSpec

# TFLite reads tensors in place, and SIMD loads want them on 16 bytes.
_ALIGNMENT = 16
_BYTES_A_LINE = 16


def write_c(folder: Path, input_spec: TensorSpec, output_spec: TensorSpec) -> None:
    """Write `model_data.h` and `model_data.c` beside the `int8.tflite` of a folder."""
    content = (folder / "int8.tflite").read_bytes()
    (folder / "model_data.h").write_text(model_data_h(len(content), input_spec, output_spec))
    (folder / "model_data.c").write_text(model_data_c(content))


def model_data_h(length: int, input_spec: TensorSpec, output_spec: TensorSpec) -> str:
    """The header `model_data.h`, C99."""
    lines = [
        "/* Written by qbench export. */",
        "#ifndef QBENCH_MODEL_DATA_H",
        "#define QBENCH_MODEL_DATA_H",
        "",
        "#include <stdint.h>",
        "",
        f"#define QB_MODEL_LENGTH {length}u",
        *_tensor_macros("QB_MODEL_INPUT", input_spec),
        *_tensor_macros("QB_MODEL_OUTPUT", output_spec),
        "",
        "extern const uint8_t qb_model_data[QB_MODEL_LENGTH];",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def model_data_c(content: bytes) -> str:
    """The source `model_data.c`, C99: the array `qb_model_data`, aligned under GCC, Clang and IAR."""
    rows = (content[i : i + _BYTES_A_LINE] for i in range(0, len(content), _BYTES_A_LINE))
    lines = [
        "/* Written by qbench export. */",
        '#include "model_data.h"',
        "",
        "#if defined(__ICCARM__)",
        f"#pragma data_alignment = {_ALIGNMENT}",
        "#define QB_ALIGNED",
        "#else",
        f"#define QB_ALIGNED __attribute__((aligned({_ALIGNMENT})))",
        "#endif",
        "",
        "const uint8_t qb_model_data[QB_MODEL_LENGTH] QB_ALIGNED = {",
        *("    " + ", ".join(f"0x{byte:02x}" for byte in row) + "," for row in rows),
        "};",
    ]
    return "\n".join(lines) + "\n"


def _tensor_macros(prefix: str, spec: TensorSpec) -> list[str]:
    """Shape, size and, for integers, quantization of a tensor, without the batch dimension."""
    elements = 1
    for size in spec.shape:
        elements *= size
    lines = [
        f"#define {prefix}_SHAPE {{{', '.join(map(str, spec.shape))}}}",
        f"#define {prefix}_RANK {len(spec.shape)}",
        f"#define {prefix}_ELEMENTS {elements}u",
    ]
    if spec.quantization is not None:
        lines.append(f"#define {prefix}_SCALE {spec.quantization.scale:.9e}f")
        lines.append(f"#define {prefix}_ZERO_POINT ({spec.quantization.zero_point})")
    return lines
