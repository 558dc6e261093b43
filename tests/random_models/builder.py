"""The writer of small models; exported networks are written with it too."""

from qbench.exporters.flatbuffer import OPERATORS, ModelBuilder

__all__ = ["OPERATORS", "ModelBuilder"]
