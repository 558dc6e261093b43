"""The data sets known by name, and finding one from what a user typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qbench.data.base import Dataset
from qbench.data.cifar10 import load_cifar10
from qbench.data.digits import load_digits
from qbench.data.images import load_images
from qbench.data.npz import load_npz
from qbench.data.svhn import is_svhn, load_svhn, load_svhn_by_name
from qbench.data.waves import is_waves, load_waves
from qbench.errors import UserError, unknown_name
from qbench.places import data_root
from qbench.progress import SILENT, Progress
from qbench.registry import Registry

# What a name may lack to be a file; the zip of either split stands for both.
_ENDINGS = ("", ".npz", ".zip", "-test.zip", "-train.zip")


@dataclass(frozen=True)
class DatasetEntry:
    """A data set that is known by name.

    Attributes:
        name: as typed after `--data`.
        description: one line for `qbench datasets`.
        load: makes it, telling its progress.
    """

    name: str
    description: str
    load: Callable[[Progress], Dataset]


# Another package adds its own, a `DatasetEntry`, as an entry point of the group `qbench.datasets`.
DATASETS: Registry[DatasetEntry] = Registry(
    "data set",
    "qbench.datasets",
    {
        entry.name: entry
        for entry in (
            DatasetEntry(
                "digits",
                "1,797 handwritten digits, 8x8 grey; embedded, nothing to download",
                lambda _: load_digits(),
            ),
            DatasetEntry(
                "cifar10",
                "60,000 images of ten classes, 32x32 RGB; downloaded once, 170 MB",
                load_cifar10,
            ),
            DatasetEntry(
                "svhn",
                "house numbers' digits, 32x32 RGB; the authors' .mat files in $QBENCH_DATA/svhn",
                lambda _: load_svhn_by_name(),
            ),
        )
    },
)


def load_dataset(spec: str, *, progress: Progress = SILENT) -> Dataset:
    """The data set that a user means.

    Args:
        spec: in this order: a name in `DATASETS`; a path to a `.npz`, to a folder or zip of class folders of
            images or sounds, or to a folder with SVHN's `.mat` files; such a path under `$QBENCH_DATA`. The
            endings `.npz`, `.zip`, `-test.zip` and `-train.zip` may be left out.
        progress: hears of downloads and decoding.

    Raises:
        UserError: there is no such data set, or it is damaged or not fit for use.
        EnvironmentLacks: it must be downloaded first, and that fails.
    """
    if spec in DATASETS:
        return DATASETS[spec].load(progress)
    path = next((path for path in _candidates(spec) if path.exists()), None) if spec else None
    if path is None:
        raise _not_found(spec)
    if path.is_dir() and is_svhn(path):
        return load_svhn(path)
    if (path.is_dir() or path.suffix == ".zip") and is_waves(path):
        return load_waves(path, progress)
    if path.is_dir():
        return load_images(path, progress)
    if path.suffix == ".npz":
        return load_npz(path)
    if path.suffix == ".zip":
        return load_images(path, progress)
    raise UserError(
        f"{path} is not a data set that qbench reads",
        hint="give a .npz, or class folders of images or sounds; `qbench datasets` lists the forms",
    )


def _candidates(spec: str) -> Iterator[Path]:
    """The places where a spec may lie, the likeliest first."""
    for root in (Path(), data_root()):
        if root is not None:
            full = root / Path(spec).expanduser()
            yield from (full.with_name(full.name + ending) for ending in _ENDINGS if full.name)


def _not_found(spec: str) -> UserError:
    root = data_root()
    if Path(spec).suffix or Path(spec).name != spec:
        looked = f", here or under {root}" if root else ""
        return UserError(
            f"there is no data set at {spec}{looked}",
            hint="check the path"
            if root
            else "check the path, or set QBENCH_DATA to the folder with your data",
        )
    return unknown_name("data set", spec, {*DATASETS, *_names_under(root)})


def _names_under(root: Path | None) -> Iterator[str]:
    """The names that `load_dataset` would find in the data folder."""
    for path in root.iterdir() if root and root.is_dir() else ():
        if path.is_dir() or path.suffix in (".npz", ".zip"):
            yield (
                path.name.removesuffix(".npz")
                .removesuffix(".zip")
                .removesuffix("-train")
                .removesuffix("-test")
            )
