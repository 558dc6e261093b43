"""Whether data fits what a folder was made with."""

from __future__ import annotations

from collections.abc import Sequence

from qbench.artifacts import DataInfo, Domain
from qbench.errors import UserError


def check_fit(bundle: DataInfo, given: DataInfo, what: str) -> None:
    """Refuse inputs that mean something else to a bundle's network.

    Args:
        bundle: the data that the bundle was made with.
        given: the data that it is to be used with.
        what: what that is called: "the data", "the advset".

    Raises:
        UserError: domain, shape or classes differ, and how.
    """
    if given.input_shape != bundle.input_shape:
        theirs, ours = _shape(given.input_shape), _shape(bundle.input_shape)
        differs = f"its inputs are {theirs}, the bundle's {ours}"
    elif given.domain != bundle.domain:
        differs = f"its inputs are {_values(given.domain)}, the bundle's {_values(bundle.domain)}"
    elif given.classes != bundle.classes:
        differs = _classes(given.classes, bundle.classes)
    else:
        return
    raise UserError(
        f"{what} does not fit the bundle: {differs}",
        cause=f"the bundle was made with {bundle.name}, {what} with {given.name}",
        hint=_hint(given, bundle),
    )


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _values(domain: Domain) -> str:
    """The values of a domain, in words."""
    if domain.name == "image":
        return f"pixels from {domain.low:g} to {domain.high:g}"
    if domain.name == "waveform":
        return "16-bit samples of sound"
    if domain.name == "int8-features":
        return "int8 codes"
    return f"float32 values from {domain.low:g} to {domain.high:g}"


def _classes(theirs: Sequence[str], ours: Sequence[str]) -> str:
    """Their number, or the first one that is another."""
    if len(theirs) != len(ours):
        return f"it has {len(theirs)} classes, the bundle {len(ours)}"
    label = next(i for i, pair in enumerate(zip(theirs, ours, strict=True)) if pair[0] != pair[1])
    return f"its class {label} is {theirs[label]!r}, the bundle's {ours[label]!r}"


def _hint(given: DataInfo, bundle: DataInfo) -> str:
    if given.domain.name == "features" and bundle.domain.name == "image":
        return "store pixels as uint8, or as floats that are multiples of 1/255"
    if len(given.classes) == len(bundle.classes) + 1:
        return "number the labels from 0, not from 1"
    return "take the data that the bundle was made with, or export the network with this data"
