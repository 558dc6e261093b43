"""Stage export: a float network into a bundle of artefacts, each measured on held-out data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import (
    Artifact,
    BundleContent,
    Draft,
    LowBit,
    Preprocessing,
    Recipe,
    TensorSpec,
    TrainedContent,
    begin,
    load,
    sha256_of,
)
from qbench.data import Dataset, load_dataset
from qbench.errors import CheckFailed, UserError
from qbench.exporters.carray import write_c
from qbench.exporters.keras_file import load_keras, save_keras
from qbench.exporters.lowbit_onnx import program_to_onnx
from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.exporters.onnx import to_float_onnx, to_int8_onnx
from qbench.exporters.preprocessing import (
    drawn,
    known_preprocessing,
    stated_preprocessing,
    tried_preprocessing,
)
from qbench.exporters.tflite import to_float_tflite, to_int8_tflite
from qbench.formats.onnx_file import onnx_specs
from qbench.lowbit import schemes
from qbench.progress import SILENT, Progress
from qbench.replaying.measuring import measure
from qbench.runtimes.specs import read_specs
from qbench.stages.adopting import check_shapes, integer_specs
from qbench.stages.lone import export_lone, is_lone
from qbench.surrogate.scoring import check_finite

if TYPE_CHECKING:
    import keras

    from qbench.lowbit.program import Program


@dataclass(frozen=True)
class _Source:
    """The network to export: its file, and what the folder that `train` wrote says of it."""

    name: str
    file: Path
    sha256: str
    trained: TrainedContent | None = None


def export(
    model: str | Path,
    data: str | Dataset,
    out: str | Path,
    *,
    adopt: str | Path | None = None,
    calibration: int = 200,
    input_range: tuple[float, float] | None = None,
    max_drop: float = 0.05,
    per_tensor_dense: bool = False,
    ptq_weight_bits: int | None = None,
    ptq_act_bits: int | None = None,
    ptq_calibration: str | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
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
        adopt: an int8 `.tflite` to take, byte for byte, in place of converting.
        calibration: how many inputs the integer ranges are fitted on; from the train split if there is one.
        input_range: what the network expects of the low and high end of an image's domain.
        max_drop: largest loss of accuracy of an int8 artefact against the float network.
        per_tensor_dense: one scale a fully connected layer, for runtimes that reject one an output channel.
        ptq_weight_bits: width of the int8 artefacts' weights, 2 to 8, in place of TensorFlow's converter; the
            network must be one that `qbench.lowbit.rewriting.rewrite` takes. 8 if only the next is given.
        ptq_act_bits: width of what stands behind a ReLU, likewise; all else stays at 8 bits.
        ptq_calibration: how their scales are fitted, "minmax", "percentile" or "mse"; the last if None.
        seed: of the draw of calibration inputs.
        force: replace what `out` holds.
        progress: hears of every artefact.

    Raises:
        UserError: a file cannot be read, a setting is absurd, the network gives NaN, or network, artefact and
            data do not fit each other.
        CheckFailed: an int8 artefact lost more than `max_drop`; the bundle is there to be looked at.
    """
    _check_settings(calibration, input_range)
    if is_lone(Path(model)):
        _check_lone(adopt, per_tensor_dense, ptq_weight_bits, ptq_act_bits, ptq_calibration)
        dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
        return export_lone(
            Path(model),
            dataset,
            Path(out),
            input_range=input_range,
            seed=seed,
            force=force,
            progress=progress,
        )
    ptq = schemes.post_training(ptq_weight_bits, ptq_act_bits, ptq_calibration)
    source = _find(Path(model))
    _check_widths(source, ptq, adopt)
    adopted = None if adopt is None else _existing(Path(adopt))
    dataset = load_dataset(data, progress=progress) if isinstance(data, str) else data
    recipe = Recipe(
        "bundle",
        settings={
            "network": source.name,
            "calibration": calibration,
            "input_range": None if input_range is None else list(input_range),
            "per_tensor_dense": per_tensor_dense,
            **({} if ptq is None else {"ptq": ptq.model_dump(mode="json")}),
        },
        inputs={
            "model": source.sha256,
            "data": dataset.fingerprint,
            **({} if adopted is None else {"adopted": sha256_of(adopted)}),
        },
        seed=seed,
    )
    made = begin(Path(out), recipe, force=force)
    if not isinstance(made, Artifact):
        with made as draft:
            bundler = _Bundler(draft, dataset, seed, progress)
            content = bundler.build(source, adopted, calibration, input_range, per_tensor_dense, ptq)
            made = draft.commit(content)
    _check_drop(made, max_drop)
    return made


def _check_settings(calibration: int, input_range: tuple[float, float] | None) -> None:
    """Refuse settings that no network can be exported with."""
    if calibration < 1:
        raise UserError(f"{calibration} calibration inputs fit no range", hint="give 1 or more")
    if input_range is not None and not -np.inf < input_range[0] < input_range[1] < np.inf:
        raise UserError(
            f"the input range {input_range} is empty or unbounded",
            hint="give its low end, then its high end: 0,255",
        )


def _check_lone(*conversion: object) -> None:
    """Refuse settings of a conversion where there is nothing to convert."""
    if any(conversion):
        raise UserError(
            "an integer file is taken as it is: there is nothing to convert",
            hint="leave --adopt, --per-tensor-dense and --ptq-... out, or give the float network",
        )


def _check_widths(source: _Source, ptq: LowBit | None, adopt: str | Path | None) -> None:
    """Refuse to put other integers in the place of a low-bit network's own, or of a vendor's file."""
    if source.trained is not None and source.trained.lowbit is not None:
        for given, option in ((adopt, "--adopt"), (ptq, "--ptq-weight-bits")):
            if given is not None:
                raise UserError(
                    f"{source.name} was trained at low bit widths: its integers are its own, and {option} "
                    "would replace them",
                    hint=f"leave {option} out",
                )
    if adopt is not None and ptq is not None:
        raise UserError("an adopted file has its integers already", hint="leave --ptq-weight-bits out")


def _program(model: keras.Model, lowbit: LowBit | None) -> Program | None:
    """The integers of a low-bit network, which `model` is then equal to; None where there are none."""
    if lowbit is None or not lowbit.integer:
        return None
    from qbench.lowbit.lowering import lower

    return lower(model)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"there is no file {path} to adopt", hint="give the path of a .tflite file")
    return path


def _find(path: Path) -> _Source:
    """The network behind a path, with what a trained folder says of it."""
    if (path / "manifest.json").is_file():
        trained = load(path, "trained")
        content = trained.content
        return _Source(content.network, path / "float.keras", trained.manifest.digest, content)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        digest = hashlib.sha256("".join(f"{p.relative_to(path)}{sha256_of(p)}" for p in files).encode())
        return _Source(path.absolute().name, path, digest.hexdigest())
    if not path.is_file():
        raise UserError(f"there is no network at {path}", hint="check the path")
    return _Source(path.stem, path, sha256_of(path))


class _Bundler:
    """Fills the folder of a bundle."""

    def __init__(self, draft: Draft, dataset: Dataset, seed: int, progress: Progress) -> None:
        self.draft, self.dataset, self.seed, self.progress = draft, dataset, seed, progress
        self.specs: dict[str, tuple[TensorSpec, TensorSpec]] = {}

    def build(
        self,
        source: _Source,
        adopted: Path | None,
        calibration: int,
        input_range: tuple[float, float] | None,
        per_tensor_dense: bool,
        ptq: LowBit | None,
    ) -> BundleContent:
        """Write every artefact and measure it."""
        with self.progress.task("exporting", 5) as advance:
            model = load_keras(source.file)
            self._check_fit(model, source)
            lowbit = ptq if source.trained is None else source.trained.lowbit or ptq
            vendor = None if adopted is None else self._adopt(adopted)
            preprocessing = self._preprocessing(model, source, vendor, input_range)
            samples, drawn = self._calibration(calibration)
            real = preprocessing.apply(self.dataset.inputs(samples))
            check_finite(model.predict(real, verbose=0), "float")
            quantized = model if ptq is None else self._quantized(model, ptq, preprocessing, real)
            program = _program(quantized, lowbit)
            float_onnx = self._write_float(model, advance)
            if program is not None:
                self._write("int8.tflite", program_to_tflite(program))
                self._write("int8.onnx", program_to_onnx(program))
            elif lowbit is None:
                if adopted is None:
                    content = to_int8_tflite(model, real, per_tensor_dense=per_tensor_dense)
                    self._write("int8.tflite", content)
                if float_onnx is not None:
                    self._write("int8.onnx", to_int8_onnx(float_onnx, real))
            advance(1)
            if "int8.tflite" in self.specs:
                write_c(self.draft.path, *self.specs["int8.tflite"])
            advance(1)
        if lowbit is not None and program is None:
            self.progress.note(
                f"{source.name} is surrogate-only: its real weights or activations run on no integer runtime"
            )
        return BundleContent(
            network=source.name,
            data=self.dataset.info,
            preprocessing=preprocessing,
            artifacts=measure(self.draft.path, self.specs, self.dataset, preprocessing, self.progress),
            calibration=drawn,
            adopted=None if adopted is None else sha256_of(adopted),
            lowbit=lowbit,
            packed_bytes=None if program is None else self._packed_bytes(program),
            surrogate_only=lowbit is not None and program is None,
        )

    def _write_float(self, model: keras.Model, advance: Callable[[int], None]) -> bytes | None:
        """The network as it came, in three formats; returns its ONNX form, or None where it has none."""
        save_keras(model, self.draft.path / "float.keras")
        self.specs["float.keras"] = (
            TensorSpec(name="input", shape=self.dataset.info.input_shape, dtype="float32"),
            TensorSpec(name="output", shape=(len(self.dataset.classes),), dtype="float32"),
        )
        advance(1)
        self._write("float.tflite", to_float_tflite(model))
        advance(1)
        content = self._converted(model)
        if content is not None:
            self._write("float.onnx", content)
        advance(1)
        return content

    def _converted(self, model: keras.Model) -> bytes | None:
        try:
            return to_float_onnx(model)
        except UserError as error:
            self.progress.note(f"the bundle goes without ONNX files: {error.what} ({error.cause})")
            return None

    def _quantized(
        self, model: keras.Model, ptq: LowBit, preprocessing: Preprocessing, real: NDArray[np.float32]
    ) -> keras.Model:
        """The network at low widths, fitted on samples in its own unit."""
        from qbench.lowbit.post_training import quantize
        from qbench.lowbit.rewriting import input_range

        return quantize(model, ptq, input_range(self.dataset.domain, preprocessing), real)

    def _packed_bytes(self, program: Program) -> int:
        """The size of int8.tflite less what its weights hold beyond their bits."""
        return (self.draft.path / "int8.tflite").stat().st_size - program.weight_bytes_saved

    def _check_fit(self, model: keras.Model, source: _Source) -> None:
        """Refuse a network that does not take this data."""
        from qbench.lowbit.layers import is_low_bit

        if source.trained is None and is_low_bit(model):
            raise UserError(
                f"{source.name} is a low-bit network, and its file does not say which",
                hint="give the folder that `qbench train` wrote",
            )
        ours = self.dataset.domain.name
        if source.trained is not None and source.trained.data.domain.name != ours:
            raise UserError(
                f"{source.name} was trained on {source.trained.data.name}, whose domain is "
                f"{source.trained.data.domain.name}; {self.dataset.name} holds {ours}",
                hint="give the data set that it was trained on",
            )
        shape, classes = tuple(model.inputs[0].shape[1:]), int(model.outputs[0].shape[-1])
        check_shapes("the network", shape, classes, self.dataset)

    def _write(self, name: str, content: bytes) -> None:
        path = self.draft.path / name
        path.write_bytes(content)
        self.specs[name] = onnx_specs(content) if name.endswith(".onnx") else read_specs(path)

    def _adopt(self, vendor: Path) -> TensorSpec:
        """Take a vendor's file as it is; returns its input."""
        specs = integer_specs(vendor, self.dataset)
        (self.draft.path / "int8.tflite").write_bytes(vendor.read_bytes())
        self.specs["int8.tflite"] = specs
        return specs[0]

    def _preprocessing(
        self,
        model: keras.Model,
        source: _Source,
        vendor: TensorSpec | None,
        input_range: tuple[float, float] | None,
    ) -> Preprocessing:
        """What the network makes of an element, from the surest source."""
        if input_range is not None:
            return stated_preprocessing(input_range, self.dataset)
        if source.trained is not None:
            return source.trained.preprocessing
        if self.dataset.domain.name == "image":
            return tried_preprocessing(
                lambda real: model.predict(real, verbose=0), self.dataset, self.seed, self.progress
            )
        return known_preprocessing(self.dataset, vendor, self.progress)

    def _calibration(self, count: int) -> tuple[NDArray[Any], dict[str, Any]]:
        """Seeded inputs that the integer ranges are fitted on, and where they come from."""
        name = "train" if self.dataset.train else "test"
        if name == "test":
            self.progress.note(f"{self.dataset.name} has no train split: calibrating on test inputs")
        split, rows = drawn(self.dataset, count, self.seed)
        digest = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
        return split.x[rows], {"split": name, "count": len(rows), "indices_sha256": digest}


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
