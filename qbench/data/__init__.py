"""Data sets: what they hold, and where they come from."""

from qbench.data.base import FEATURES, IMAGE, INT8_FEATURES, Dataset, Split
from qbench.data.sources import DATASETS, load_dataset

__all__ = ["DATASETS", "FEATURES", "IMAGE", "INT8_FEATURES", "Dataset", "Split", "load_dataset"]
