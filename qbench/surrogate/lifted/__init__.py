"""The integer network of a `.tflite` file as a differentiable TensorFlow graph, with no float original."""

from qbench.surrogate.lifted.gradients import GRADIENTS, GradientRule
from qbench.surrogate.lifted.surrogate import LiftedSurrogate, final_sigmoid

__all__ = ["GRADIENTS", "GradientRule", "LiftedSurrogate", "final_sigmoid"]
