"""An integer file without its float network, as a bundle of one artefact."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import (
    Artifact,
    BundleContent,
    Draft,
    Preprocessing,
    Recipe,
    TaskInfo,
    TensorSpec,
    load,
    make,
)
from qbench.artifacts.versions import versions_of
from qbench.data import Dataset
from qbench.errors import UserError
from qbench.exporters.carray import write_c
from qbench.exporters.preprocessing import (
    check_tried,
    drawn,
    known_preprocessing,
    stated_preprocessing,
    tried_preprocessing,
)
from qbench.formats.onnx_reading import read_onnx
from qbench.inputs import InputPath, dequantize_tensor
from qbench.places import cache_dir
from qbench.progress import SILENT, Progress
from qbench.replaying.measuring import measure, measure_outputs, scorer_for
from qbench.stages.adopting import ends_of, integer_specs
from qbench.stages.export.options import ExportOptions
from qbench.tasks.anomaly import FITTED_ON, errors
from qbench.tasks.recognition import recognize, settled
from qbench.tasks.regression import absolute_errors
from qbench.text import file_name

# By ending, what a bundle calls the file.
_ARTIFACTS = {".tflite": "int8.tflite", ".onnx": "int8.onnx"}


def is_lone(path: Path) -> bool:
    """Whether a path stands for an integer file in place of a folder or a float network."""
    return path.suffix in _ARTIFACTS and not path.is_dir()


def export_lone(file: Path, dataset: Dataset, out: Path, options: ExportOptions) -> Artifact[BundleContent]:
    """Take an integer `.tflite` or QDQ `.onnx` as it is, measured on the test split.

    Args:
        file: of the integer network.
        dataset: that it was made for.
        out: folder to write; it holds the file as `int8.tflite`, with its C form, or as `int8.onnx`.
        options: of them the input range, which is tried if it is not given, and the seed of the samples for
            that.

    Raises:
        UserError: the file is damaged, computes in float32, is no classifier, or does not fit the data.
    """
    digest = _digest(file)
    specs = integer_specs(file)
    task = recognize(ends_of(file, specs, options.front_end), dataset.info, options.threshold)
    stated = options.input_range
    recipe = Recipe(
        "bundle",
        settings={
            "network": file.stem,
            "input_range": None if stated is None else list(stated),
            **({} if options.threshold is None else {"threshold": options.threshold}),
            **({} if options.front_end is None else {"front_end": options.front_end}),
        },
        inputs={"adopted": digest, "data": dataset.fingerprint},
        seed=options.seed,
    )

    def write(draft: Draft) -> BundleContent:
        name = _ARTIFACTS[file.suffix]
        (draft.path / name).write_bytes(_content(file))
        if name == "int8.tflite":
            write_c(draft.path, *specs)
        preprocessing = _preprocessing(draft.path / name, specs, dataset, task, options)
        settled_task = settled(
            task, lambda: _errors(draft.path / name, specs, dataset, preprocessing, options.seed)
        )
        return BundleContent(
            network=file.stem,
            data=dataset.info,
            preprocessing=preprocessing,
            artifacts=measure(
                draft.path, {name: specs}, dataset, preprocessing, settled_task, options.progress
            ),
            calibration={},
            adopted=digest,
            task=settled_task,
        )

    return make(out, recipe, write, force=options.force)


def open_bundle(path: Path, dataset: Dataset, progress: Progress = SILENT) -> Artifact[BundleContent]:
    """The bundle at a path; of an integer file, the one made of it, which is kept in the cache.

    Raises:
        UserError: it is no bundle, or the file makes none with this data.
    """
    if not is_lone(path):
        return load(path, "bundle")
    options = ExportOptions(progress=progress)
    return export_lone(path, dataset, _cache_folder(path, dataset.fingerprint), options)


def reopen_bundle(path: Path, fingerprint: str) -> Artifact[BundleContent]:
    """The bundle at a path; of an integer file, the one that `open_bundle` made of it before.

    Args:
        path: a bundle, or an integer file.
        fingerprint: of the data.

    Raises:
        UserError: it is no bundle, or none was made of the file with this data.
    """
    if not is_lone(path):
        return load(path, "bundle")
    kept = _cache_folder(path, fingerprint)
    if not kept.is_dir():
        raise UserError(
            f"the preprocessing of {path} is unknown",
            cause="no attack on this very file was made here with their data",
            hint=f"qbench export {path} --data NAME --out BUNDLE, and replay BUNDLE",
        )
    return load(kept, "bundle")


def _cache_folder(file: Path, fingerprint: str) -> Path:
    versions = hashlib.sha256(repr(versions_of("bundle")).encode()).hexdigest()
    name = f"{file_name(file.stem)}-{_digest(file)[:16]}-{fingerprint[:16]}-{versions[:8]}"
    return cache_dir() / "bundles" / name


def _digest(file: Path) -> str:
    if not file.is_file():
        raise UserError(f"there is no network at {file}", hint="check the path")
    return hashlib.sha256(_content(file)).hexdigest()


def _content(file: Path) -> bytes:
    """The file's bytes; of an ONNX model with what lies in files beside it."""
    return read_onnx(file) if file.suffix == ".onnx" else file.read_bytes()


def _preprocessing(
    file: Path,
    specs: tuple[TensorSpec, TensorSpec],
    dataset: Dataset,
    task: TaskInfo,
    options: ExportOptions,
) -> Preprocessing:
    """What the network makes of an element, from the surest source."""
    if options.input_range is not None:
        return stated_preprocessing(options.input_range, dataset)
    if dataset.domain.name == "image":
        check_tried(task)
        judge = scorer_for(specs, task, None)
        with measure_outputs(file, specs) as outputs:
            return tried_preprocessing(
                lambda real: judge(outputs(real), real, np.arange(len(real))),
                dataset,
                options.seed,
                options.progress,
                specs[0],
            )
    return known_preprocessing(dataset, specs[0], options.progress, options.front_end)


def _errors(
    file: Path,
    specs: tuple[TensorSpec, TensorSpec],
    dataset: Dataset,
    preprocessing: Preprocessing,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The errors of calibration samples, and their labels."""
    split, rows = drawn(dataset, FITTED_ON, seed)
    real = preprocessing.apply(dataset.inputs(split.x[rows]))
    with measure_outputs(file, specs) as outputs:
        found = dequantize_tensor(outputs(real).reshape(len(real), -1), specs[1])
    if split.values is not None:
        return absolute_errors(found, split.values[rows]), split.y[rows]
    path = InputPath.to(specs[0], specs[0].quantization, Preprocessing())
    return errors(found, dequantize_tensor(path.feed(real), specs[0])), split.y[rows]
