"""Filling a bundle's folder: conversions, integer files, and the measurement of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import (
    BundleContent,
    Draft,
    LowBit,
    Preprocessing,
    TaskInfo,
    TensorSpec,
    TrainedContent,
    sha256_of,
)
from qbench.data import Dataset
from qbench.errors import UserError
from qbench.exporters.carray import write_c
from qbench.exporters.keras_file import load_keras, save_keras
from qbench.exporters.lowbit_onnx import program_to_onnx
from qbench.exporters.lowbit_tflite import program_to_tflite
from qbench.exporters.onnx import to_float_onnx, to_int8_onnx
from qbench.exporters.preprocessing import (
    check_tried,
    drawn,
    known_preprocessing,
    stated_preprocessing,
    tried_preprocessing,
)
from qbench.exporters.tflite import to_float_tflite, to_int8_tflite
from qbench.formats.onnx_file import onnx_specs
from qbench.replaying.measuring import measure
from qbench.runtimes.specs import read_specs
from qbench.stages.adopting import ends_of, integer_specs
from qbench.stages.export.options import ExportOptions
from qbench.surrogate.keras import ends_in_sigmoid
from qbench.surrogate.scoring import check_finite
from qbench.tasks import task_of
from qbench.tasks.anomaly import FITTED_ON, errors
from qbench.tasks.recognition import Ends, recognize, settled
from qbench.tasks.regression import absolute_errors

if TYPE_CHECKING:
    import keras

    from qbench.lowbit.lowering import Lowered
    from qbench.lowbit.program import Program


@dataclass(frozen=True)
class Source:
    """The network to export: its file, and what the folder that `train` wrote says of it."""

    name: str
    file: Path
    sha256: str
    trained: TrainedContent | None = None


class Bundler:
    """Fills the folder of a bundle."""

    def __init__(self, draft: Draft, dataset: Dataset, options: ExportOptions) -> None:
        self.draft, self.dataset, self.options = draft, dataset, options
        self.seed, self.progress = options.seed, options.progress
        self.specs: dict[str, tuple[TensorSpec, TensorSpec]] = {}

    def build(self, source: Source, adopted: Path | None, ptq: LowBit | None) -> BundleContent:
        """Write every artefact and measure it."""
        with self.progress.task("exporting", 5) as advance:
            model = load_keras(source.file)
            self._check_fit(model, source)
            task = self._task(model)
            lowbit = ptq if source.trained is None else source.trained.lowbit or ptq
            vendor = None if adopted is None else self._adopt(adopted, task)
            preprocessing = self._preprocessing(model, source, vendor, task)
            task = settled(task, lambda: self._errors(model, preprocessing))
            samples, drawn = self._calibration(self.options.calibration)
            real = preprocessing.apply(self.dataset.inputs(samples))
            check_finite(model.predict(real, verbose=0), "float")
            quantized = model if ptq is None else self._quantize(model, ptq, preprocessing, real)
            lowered = _lower(quantized, lowbit)
            program = None if lowered is None else lowered.program
            # The float network of one that was trained at its widths is the same function as its integers.
            twin = model if lowered is None or ptq is not None else lowered.network
            float_onnx = self._write_float(twin, advance)
            if program is not None:
                self._write("int8.tflite", program_to_tflite(program))
                self._write("int8.onnx", program_to_onnx(program))
            elif lowbit is None:
                if adopted is None:
                    self._write("int8.tflite", self._to_integer(model, real))
                if float_onnx is not None and self.options.activations == "int8":
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
            artifacts=measure(self.draft.path, self.specs, self.dataset, preprocessing, task, self.progress),
            calibration=drawn,
            adopted=None if adopted is None else sha256_of(adopted),
            lowbit=lowbit,
            packed_bytes=None if program is None else self._packed_bytes(program),
            surrogate_only=lowbit is not None and program is None,
            task=task,
        )

    def _write_float(self, model: keras.Model, advance: Callable[[int], None]) -> bytes | None:
        """The network as it came, in three formats; returns its ONNX form, or None where it has none."""
        save_keras(model, self.draft.path / "float.keras")
        self.specs["float.keras"] = (
            TensorSpec(name="input", shape=tuple(model.inputs[0].shape[1:]), dtype="float32"),
            TensorSpec(name="output", shape=tuple(model.outputs[0].shape[1:]), dtype="float32"),
        )
        advance(1)
        self._write("float.tflite", to_float_tflite(model))
        advance(1)
        content = self._convert(model)
        if content is not None:
            self._write("float.onnx", content)
        advance(1)
        return content

    def _convert(self, model: keras.Model) -> bytes | None:
        try:
            return to_float_onnx(model)
        except UserError as error:
            self.progress.note(f"the bundle goes without ONNX files: {error.what} ({error.cause})")
            return None

    def _to_integer(self, model: keras.Model, real: NDArray[np.float32]) -> bytes:
        activations = self.options.activations
        if activations == "int16":
            self.progress.note("the bundle goes without int8.onnx, whose activations would have 8 bits")
        return to_int8_tflite(model, real, activations, per_tensor_dense=self.options.per_tensor_dense)

    def _quantize(
        self, model: keras.Model, ptq: LowBit, preprocessing: Preprocessing, real: NDArray[np.float32]
    ) -> keras.Model:
        """The network at low widths, fitted on samples in its own unit."""
        from qbench.lowbit.post_training import quantize
        from qbench.lowbit.rewriting import input_range

        return quantize(model, ptq, input_range(self.dataset.domain, preprocessing), real)

    def _packed_bytes(self, program: Program) -> int:
        """The size of int8.tflite less what its weights hold beyond their bits."""
        return (self.draft.path / "int8.tflite").stat().st_size - program.weight_bytes_saved

    def _check_fit(self, model: keras.Model, source: Source) -> None:
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

    def _task(self, model: keras.Model) -> TaskInfo:
        """What the outputs mean; of an anomaly detector, without its threshold where that is not stated."""
        entry, exit_ = (tuple(tensor.shape[1:]) for tensor in (model.inputs[0], model.outputs[0]))
        ends = Ends("the network", entry, exit_, ends_in_sigmoid(model), self.options.front_end)
        return recognize(ends, self.dataset.info, self.options.threshold)

    def _errors(
        self, model: keras.Model, preprocessing: Preprocessing
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The errors of calibration samples, and their labels."""
        split, rows = drawn(self.dataset, FITTED_ON, self.seed)
        real = preprocessing.apply(self.dataset.inputs(split.x[rows]))
        outputs = model.predict(real, verbose=0).reshape(len(real), -1)
        if split.values is not None:
            return absolute_errors(outputs, split.values[rows]), split.y[rows]
        return errors(outputs, real), split.y[rows]

    def _write(self, name: str, content: bytes) -> None:
        path = self.draft.path / name
        path.write_bytes(content)
        self.specs[name] = onnx_specs(content) if name.endswith(".onnx") else read_specs(path)

    def _adopt(self, vendor: Path, task: TaskInfo) -> TensorSpec:
        """Take a vendor's file as it is; returns its input."""
        specs = integer_specs(vendor)
        theirs = recognize(
            ends_of(vendor, specs, self.options.front_end), self.dataset.info, self.options.threshold
        )
        if theirs != task:
            raise UserError(
                f"{vendor} gives something else than the float network: "
                f"{'one' if theirs.sigmoid else 'no'} probability of a final sigmoid",
                hint="give the float network that the file was made of",
            )
        (self.draft.path / "int8.tflite").write_bytes(vendor.read_bytes())
        self.specs["int8.tflite"] = specs
        return specs[0]

    def _preprocessing(
        self, model: keras.Model, source: Source, vendor: TensorSpec | None, task: TaskInfo
    ) -> Preprocessing:
        """What the network makes of an element, from the surest source."""
        if self.options.input_range is not None:
            return stated_preprocessing(self.options.input_range, self.dataset)
        if source.trained is not None:
            return source.trained.preprocessing
        if self.dataset.domain.name == "image":
            check_tried(task)
            scores = task_of(task).scores
            return tried_preprocessing(
                lambda real: scores(model.predict(real, verbose=0), lambda: real),
                self.dataset,
                self.seed,
                self.progress,
            )
        return known_preprocessing(self.dataset, vendor, self.progress, self.options.front_end)

    def _calibration(self, count: int) -> tuple[NDArray[Any], dict[str, Any]]:
        """Seeded inputs that the integer ranges are fitted on, and where they come from."""
        name = "train" if self.dataset.train else "test"
        if name == "test":
            self.progress.note(f"{self.dataset.name} has no train split: calibrating on test inputs")
        split, rows = drawn(self.dataset, count, self.seed)
        digest = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
        return split.x[rows], {"split": name, "count": len(rows), "indices_sha256": digest}


def _lower(model: keras.Model, lowbit: LowBit | None) -> Lowered | None:
    """The integers of a low-bit network, and the network that equals them; None where there are none."""
    if lowbit is None or not lowbit.integer:
        return None
    from qbench.lowbit.lowering import lower

    return lower(model)
