"""Random operators that move codes: joining, padding, permuting, resizing, slicing, and shapes as data."""

from __future__ import annotations

import numpy as np

from . import parts
from .builder import ModelBuilder
from .parts import Draw, Made


def concatenation(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(0, len(shape)))
    scale, zero = parts.scale(rng), parts.zero(rng)
    shapes = [(*shape[:axis], int(rng.integers(1, 6)), *shape[axis + 1 :]) for _ in range(rng.integers(1, 5))]
    tensors = [m.tensor(s, scale=scale, zero_point=zero) for s in shapes]
    total = (*shape[:axis], sum(s[axis] for s in shapes), *shape[axis + 1 :])
    y = m.tensor(total, scale=scale, zero_point=zero)
    written = axis - len(shape) if rng.random() < 0.3 else axis
    m.operator("CONCATENATION", tensors, [y], "ConcatenationOptions", version=2, axis=written)
    return m.build(tensors, [y]), tuple(parts.codes(rng, s) for s in shapes)


def _padded(rng: Draw, name: str, options: str, *, with_value: bool) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)))
    paddings = rng.integers(0, 4, (len(shape), 2)).astype(np.int32 if rng.random() < 0.7 else np.int64)
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    operands = [x, m.constant(paddings)]
    if with_value:
        operands.append(m.constant(rng.integers(-128, 128, (1,)).astype(np.int8), scale, zero))
    result = tuple(int(d + p.sum()) for d, p in zip(shape, paddings, strict=True))
    y = m.tensor(result, scale=scale, zero_point=zero)
    m.operator(name, operands, [y], options, version=2)
    return m.build([x], [y]), (parts.codes(rng, shape),)


def pad(rng: Draw) -> Made:
    return _padded(rng, "PAD", "PadOptions", with_value=False)


def padv2(rng: Draw) -> Made:
    return _padded(rng, "PADV2", "PadV2Options", with_value=True)


def reshape(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)))
    size = int(np.prod(shape))
    first = int(rng.choice([d for d in range(1, size + 1) if size % d == 0]))
    result = (first, size // first)
    wanted = [(first, -1), (-1, size // first), result][int(rng.integers(0, 3))]
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor(result, scale=scale, zero_point=zero)
    target = m.constant(np.array(wanted, np.int32))
    m.operator("RESHAPE", [x, target], [y], "ReshapeOptions", newShape=np.array(wanted, np.int32))
    return m.build([x], [y]), (parts.codes(rng, shape),)


def expand_dims(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor(np.expand_dims(np.empty(shape), axis).shape, scale=scale, zero_point=zero)
    operand = m.constant(np.array(axis, np.int32))
    m.operator("EXPAND_DIMS", [x, operand], [y], "ExpandDimsOptions")
    return m.build([x], [y]), (parts.codes(rng, shape),)


def squeeze(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = tuple(d if rng.random() < 0.5 else 1 for d in parts.dims(rng, int(rng.integers(1, 6)), 9))
    ones = [i for i, d in enumerate(shape) if d == 1]
    named = [i for i in ones if rng.random() < 0.5] if rng.random() < 0.7 else []
    dropped = set(named or ones)
    written = [i - len(shape) if rng.random() < 0.3 else i for i in named]
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor([d for i, d in enumerate(shape) if i not in dropped], scale=scale, zero_point=zero)
    m.operator("SQUEEZE", [x], [y], "SqueezeOptions", squeezeDims=np.array(written, np.int32))
    return m.build([x], [y]), (parts.codes(rng, shape),)


def transpose(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 6)), 5)
    order = rng.permutation(len(shape)).astype(np.int32)
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor([shape[i] for i in order], scale=scale, zero_point=zero)
    m.operator("TRANSPOSE", [x, m.constant(order)], [y], "TransposeOptions", version=2)
    return m.build([x], [y]), (parts.codes(rng, shape),)


def _resized(rng: Draw, name: str, options: str) -> Made:
    m = ModelBuilder()
    shape, size = parts.dims(rng, 4, 9), rng.integers(1, 20, 2).astype(np.int32)
    align, half = [(False, False), (True, False), (False, True)][int(rng.integers(0, 3))]
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor((shape[0], *size, shape[3]), scale=scale, zero_point=zero)
    m.operator(
        name, [x, m.constant(size)], [y], options, version=3, alignCorners=align, halfPixelCenters=half
    )
    return m.build([x], [y]), (parts.codes(rng, shape),)


def resize_bilinear(rng: Draw) -> Made:
    return _resized(rng, "RESIZE_BILINEAR", "ResizeBilinearOptions")


def resize_nearest_neighbor(rng: Draw) -> Made:
    return _resized(rng, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")


def tile(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)), 5)
    times = rng.integers(1, 4, len(shape)).astype(np.int32)
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor([int(d * t) for d, t in zip(shape, times, strict=True)], scale=scale, zero_point=zero)
    m.operator("TILE", [x, m.constant(times)], [y], "TileOptions")
    return m.build([x], [y]), (parts.codes(rng, shape),)


def strided_slice(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(1, 5)), 9)
    while True:
        masks = [int(rng.integers(0, 1 << len(shape))) if rng.random() < 0.5 else 0 for _ in range(3)]
        begin = rng.integers(-9, 9, len(shape)).astype(np.int32)
        end = rng.integers(-10, 11, len(shape)).astype(np.int32)
        stride = rng.choice([1, 1, 1, 2, 3, -1, -2], len(shape)).astype(np.int32)
        index: list[slice | int] = []
        fits = True
        for i, dim in enumerate(shape):
            if masks[2] >> i & 1:
                fits = fits and -dim <= begin[i] < dim and stride[i] == 1
                index.append(int(begin[i]))
            else:
                low = None if masks[0] >> i & 1 else int(begin[i])
                high = None if masks[1] >> i & 1 else int(end[i])
                index.append(slice(low, high, int(stride[i])))
        if fits and np.empty(shape)[tuple(index)].size:
            break
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    y = m.tensor(np.empty(shape)[tuple(index)].shape, scale=scale, zero_point=zero)
    operands = [x, *(m.constant(a) for a in (begin, end, stride))]
    names = ("beginMask", "endMask", "shrinkAxisMask")
    m.operator(
        "STRIDED_SLICE",
        operands,
        [y],
        "StridedSliceOptions",
        version=2,
        **dict(zip(names, masks, strict=True)),
    )
    return m.build([x], [y]), (parts.codes(rng, shape),)


def pack(rng: Draw) -> Made:
    m = ModelBuilder()
    shape = parts.dims(rng, int(rng.integers(0, 4)))
    count, axis = int(rng.integers(1, 5)), int(rng.integers(0, len(shape) + 1))
    scale, zero = parts.scale(rng), parts.zero(rng)
    tensors = [m.tensor(shape, scale=scale, zero_point=zero) for _ in range(count)]
    y = m.tensor((*shape[:axis], count, *shape[axis:]), scale=scale, zero_point=zero)
    m.operator("PACK", tensors, [y], "PackOptions", version=2, valuesCount=count, axis=axis)
    return m.build(tensors, [y]), tuple(parts.codes(rng, shape) for _ in range(count))


def shape_plumbing(rng: Draw) -> Made:
    """SHAPE, STRIDED_SLICE and PACK of integers, feeding a RESHAPE, as converters leave them."""
    m = ModelBuilder()
    shape = parts.dims(rng, 4)
    scale, zero = parts.scale(rng), parts.zero(rng)
    x = m.tensor(shape, scale=scale, zero_point=zero)
    sizes, first, target = m.tensor((4,), "int32"), m.tensor((), "int32"), m.tensor((2,), "int32")
    m.operator("SHAPE", [x], [sizes], "ShapeOptions", outType=2)
    ends = [m.constant(np.array([v], np.int32)) for v in (0, 1, 1)]
    m.operator("STRIDED_SLICE", [sizes, *ends], [first], "StridedSliceOptions", shrinkAxisMask=1)
    rest = m.constant(np.array(int(np.prod(shape[1:])), np.int32))
    m.operator("PACK", [first, rest], [target], "PackOptions", valuesCount=2, axis=0)
    y = m.tensor((shape[0], int(np.prod(shape[1:]))), scale=scale, zero_point=zero)
    m.operator("RESHAPE", [x, target], [y], "ReshapeOptions")
    return m.build([x], [y, target]), (parts.codes(rng, shape),)
