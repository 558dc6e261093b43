"""Stage export: a float network into a bundle of artefacts, each measured on held-out data."""

from __future__ import annotations

import hashlib
from pathlib import Path

from qbench.artifacts import Artifact, BundleContent, Draft, LowBit, Recipe, load, make, sha256_of
from qbench.data import Dataset, load_dataset
from qbench.errors import CheckFailed, UserError
from qbench.lowbit import schemes
from qbench.stages.base import stage
from qbench.stages.export.bundling import Bundler, Source
from qbench.stages.export.options import ExportOptions
from qbench.stages.lone import export_lone, is_lone


@stage(ExportOptions)
def export(
    model: str | Path, data: str | Dataset, out: str | Path, options: ExportOptions
) -> Artifact[BundleContent]:
    """Convert a float network into integer artefacts, or take an integer one, and measure it on test data.

    The folder holds float.keras, float.tflite, int8.tflite, float.onnx, int8.onnx, model_data.c and .h. All
    repeat byte for byte, but for int8.tflite and its C form where a network splits tensors (an unrolled GRU
    or LSTM): TensorFlow's converter then leaves one split or another in float32, as it happens. Of an
    integer file the folder holds that file alone, byte for byte, and the C form of a `.tflite`.

    Args:
        model: a `.keras` or `.h5` file, a SavedModel folder, or a folder that `train` wrote; or an integer
            `.tflite` or QDQ `.onnx`.
        data: a data set, or what `load_dataset` takes.
        out: folder to write.
        options: see below. With widths for quantization without training the network must be one that
            `qbench.lowbit.rewriting.rewrite` takes.

    Raises:
        UserError: a file cannot be read, a setting is absurd, the network gives NaN, or network, artefact and
            data do not fit each other.
        CheckFailed: an int8 artefact lost more than `max_drop`; the bundle is there to be looked at.
    """
    if is_lone(Path(model)):
        _check_lone(options)
        dataset = _dataset(data, options)
        return export_lone(Path(model), dataset, Path(out), options)
    ptq = schemes.post_training(options.ptq_weight_bits, options.ptq_act_bits, options.ptq_calibration)
    source = _find(Path(model))
    _check_widths(source, ptq, options.adopt, options.front_end)
    _check_activations(source, ptq, options)
    adopted = None if options.adopt is None else _existing(options.adopt)
    dataset = _dataset(data, options)
    recipe = Recipe(
        "bundle",
        settings={
            "network": source.name,
            "calibration": options.calibration,
            "input_range": None if options.input_range is None else list(options.input_range),
            "per_tensor_dense": options.per_tensor_dense,
            **({} if options.activations == "int8" else {"activations": options.activations}),
            **({} if ptq is None else {"ptq": ptq.model_dump(mode="json")}),
            **({} if options.threshold is None else {"threshold": options.threshold}),
            **({} if options.front_end is None else {"front_end": options.front_end}),
        },
        inputs={
            "model": source.sha256,
            "data": dataset.fingerprint,
            **({} if adopted is None else {"adopted": sha256_of(adopted)}),
        },
        seed=options.seed,
    )

    def write(draft: Draft) -> BundleContent:
        return Bundler(draft, dataset, options).build(source, adopted, ptq)

    made = make(out, recipe, write, force=options.force)
    _check_drop(made, options.max_drop)
    return made


def _dataset(data: str | Dataset, options: ExportOptions) -> Dataset:
    """The data, with the names of its classes that the user gave."""
    dataset = load_dataset(data, progress=options.progress) if isinstance(data, str) else data
    return dataset if options.classes is None else dataset.rename_classes(options.classes)


def _check_lone(options: ExportOptions) -> None:
    """Refuse options of a conversion where there is nothing to convert."""
    conversion = ("adopt", "per_tensor_dense", "ptq_weight_bits", "ptq_act_bits", "ptq_calibration")
    if any(getattr(options, name) for name in conversion) or options.activations != "int8":
        raise UserError(
            "an integer file is taken as it is: there is nothing to convert",
            hint="leave out --activations, --adopt, --per-tensor-dense, --ptq-..., or give the float network",
        )


def _check_widths(source: Source, ptq: LowBit | None, adopt: Path | None, front_end: str | None) -> None:
    """Refuse to put other integers in the place of a low-bit network's own, or of a vendor's file."""
    if source.trained is not None and source.trained.lowbit is not None:
        for given, option in ((adopt, "--adopt"), (ptq, "--ptq-weight-bits")):
            if given is not None:
                raise UserError(
                    f"{source.name} was trained at low bit widths: its integers are its own, and {option} "
                    "would replace them",
                    hint=f"leave {option} out",
                )
    if front_end is not None and ptq is not None:
        raise UserError(
            "quantization after training at low widths does not know the range behind a front end",
            hint="leave --ptq-weight-bits and --ptq-act-bits out, or give the features as data",
        )
    if adopt is not None and ptq is not None:
        raise UserError("an adopted file has its integers already", hint="leave --ptq-weight-bits out")


def _check_activations(source: Source, ptq: LowBit | None, options: ExportOptions) -> None:
    """Refuse 16-bit activations where the activations have a width already."""
    if options.activations == "int8":
        return
    stated = {
        "--ptq-act-bits or --ptq-weight-bits": ptq is not None,
        "--adopt": options.adopt is not None,
        f"{source.name}, trained at low bit widths,": source.trained is not None and source.trained.lowbit,
    }
    for what, given in stated.items():
        if given:
            raise UserError(
                f"--activations int16 and {what} exclude each other",
                cause="each says what width the activations have",
                hint="leave one of them out",
            )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"there is no file {path} to adopt", hint="give the path of a .tflite file")
    return path


def _find(path: Path) -> Source:
    """The network behind a path, with what a trained folder says of it."""
    if (path / "manifest.json").is_file():
        trained = load(path, "trained")
        content = trained.content
        return Source(content.network, path / "float.keras", trained.manifest.digest, content)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        digest = hashlib.sha256("".join(f"{p.relative_to(path)}{sha256_of(p)}" for p in files).encode())
        return Source(path.absolute().name, path, digest.hexdigest())
    if not path.is_file():
        raise UserError(f"there is no network at {path}", hint="check the path")
    return Source(path.stem, path, sha256_of(path))


def _check_drop(made: Artifact[BundleContent], max_drop: float) -> None:
    """Fail if an int8 artefact is much worse than the float network."""
    share = {
        name: info.correct / info.evaluated
        for name, info in made.content.artifacts.items()
        if info.correct is not None and info.evaluated
    }
    for name in ("int8.tflite", "int8.onnx"):
        if name not in share:
            continue
        drop = share["float.keras"] - share[name]
        if drop > max_drop:
            raise CheckFailed(
                f"{name} gets {share[name]:.2%} right, the float network {share['float.keras']:.2%}: "
                f"a drop of more than {max_drop:.2%}",
                cause="calibration inputs unlike the data, a wrong --input-range, or a network that does not "
                "quantize well",
                hint=f"look at {made.path}; try more --calibration inputs, or allow it with --max-drop",
            )
