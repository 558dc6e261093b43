"""Data sets: what they hold, and where they come from."""

from qbench.data.base import IMAGE, INT8_FEATURES, Dataset, Split, features
from qbench.data.sources import DATASETS, load_dataset

__all__ = ["DATASETS", "IMAGE", "INT8_FEATURES", "Dataset", "Split", "features", "load_dataset"]
