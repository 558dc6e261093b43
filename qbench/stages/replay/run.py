"""Stage replay: a bundle and an advset through runtimes into a folder of output vectors and scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import (
    AdvsetContent,
    Artifact,
    BundleContent,
    Draft,
    Recipe,
    ReplayContent,
    RuntimeScores,
    load,
    make,
)
from qbench.errors import EnvironmentLacks, UserError
from qbench.inputs import InputGrid, InputPath, dequantize_tensor
from qbench.link import hex_trace
from qbench.places import cores
from qbench.progress import Advance, Progress
from qbench.quant import Quantization
from qbench.replaying.details import with_detection, with_errors, with_top
from qbench.replaying.devices import device_results
from qbench.replaying.journal import Journal
from qbench.replaying.scores import Labels, Outputs, Rounding, disagreements, score
from qbench.runtimes import REFERENCE, Runtime, open_runtime, runtime_class, runtimes_for
from qbench.runtimes.device import DeviceRuntime, open_devices
from qbench.stages.base import stage
from qbench.stages.fitting import check_fit
from qbench.stages.lone import reopen_bundle
from qbench.stages.replay.inputs import Inputs
from qbench.stages.replay.options import ReplayOptions
from qbench.surrogate.registry import open_surrogate
from qbench.surrogate.scoring import Scorer
from qbench.tasks import task_of
from qbench.text import file_name

# Inputs that are rounded and computed together. Of most runtimes, an interruption can lose that many.
_CHUNK = 256


@stage(ReplayOptions)
def replay(
    bundle: str | Path, advset: str | Path, runtimes: Sequence[str], out: str | Path, options: ReplayOptions
) -> Artifact[ReplayContent]:
    """Run the clean and adversarial inputs of an advset on the artefacts of a bundle.

    The folder holds `<runtime>/clean.npy` and, for budget i, `<runtime>/eps-<i>.npy`: every output vector,
    [count, *output] in the artefact's output dtype, and with `-scores` behind the name what the task makes of
    them, [count, classes] float32, where they are no scores themselves; a device's counts are beside them, as
    `clean-counts.npy` and `eps-<i>-counts.npy`. The advset's `labels.npy` and `indices.npy` lie above them:
    replays of the same inputs can be compared input by input. An interrupted replay goes on where it stopped.

    Args:
        bundle: folder that `export` wrote; or an integer file that was attacked with the advset's data.
        advset: folder that `attack` wrote, against this bundle or another of the same data.
        runtimes: names in `qbench.runtimes.RUNTIMES`; every one that is here, has its artefact in the bundle
            and can run it, if these and the devices are empty. `tflite-ref` always runs with devices, which
            are held against it.
        out: folder to write.
        options: see below. A device's runtime is called `device:<board>`, and its folder `device-<board>`;
            `-packed` is appended if it holds the model's packed twin.

    Raises:
        UserError: a runtime is unknown or named twice, advset and bundle do not fit each other, or a device
            runs another model.
        EnvironmentLacks: a runtime's package is missing, or cannot run the artefact; a device is not there,
            fails or vanishes.
    """
    attacked: Artifact[AdvsetContent] = load(Path(advset), "advset")
    source = reopen_bundle(Path(bundle), attacked.content.data.fingerprint)
    check_fit(source.content.data, attacked.content.data, "the advset")
    names = _choose(runtimes, options.devices, source.content)
    trace = hex_trace(options.trace) if options.trace else None
    with open_devices(options.devices, source.path, source.content, options.baud, trace) as found:
        versions = {name: runtime_class(name).basis() for name in names}
        versions |= {each.name: _firmware(each) for each in found}
        recipe = Recipe(
            "replay",
            settings={
                "runtimes": {**versions},
                **({} if options.top is None else {"top": options.top}),
            },
            inputs={"bundle": source.manifest.digest, "advset": attacked.manifest.digest},
        )

        def write(draft: Draft) -> ReplayContent:
            job = _Job(draft, source, Inputs.read(attacked), options.progress)
            everything = not (runtimes or options.devices)
            ran = (job.run(name, options.threads or cores(), needed=not everything) for name in names)
            results = [each for each in ran if each is not None]
            results += [job.run_opened(each) for each in found]
            if not results:
                raise EnvironmentLacks("no runtime here can run the bundle", hint="the notes say why")
            for name in ("labels.npy", "indices.npy"):
                shutil.copyfile(attacked.path / name, draft.path / name)
            return job.content(attacked.content, results, options.top)

        return make(out, recipe, write, force=options.force)


def _firmware(device: DeviceRuntime) -> str:
    """What a device's results depend on: not the port that it happens to be at."""
    return f"{device.info.package} {device.info.version}, {device.kernels}, {device.counter}"


def _choose(names: Sequence[str], devices: Sequence[str], bundle: BundleContent) -> list[str]:
    """The runtimes to use, each once; those that are here and fit if none is named, nor a device."""
    if len(set(names)) < len(names):
        raise UserError("a runtime is named twice", hint="name each once")
    if devices and REFERENCE not in names:
        return [*names, REFERENCE]
    return list(names) or runtimes_for(bundle)


@dataclass(frozen=True)
class _Result:
    """What came out of one runtime.

    Attributes:
        device: the runtime, if it is one.
        counts: [inferences], what each cost; empty if the runtime does not count.
    """

    outputs: Outputs
    rounding: Rounding
    device: DeviceRuntime | None
    counts: NDArray[np.uint64]


class _Job:
    """Runs runtimes one after the other on the same inputs."""

    def __init__(
        self, draft: Draft, bundle: Artifact[BundleContent], inputs: Inputs, progress: Progress
    ) -> None:
        self.draft, self.bundle, self.inputs, self.progress = draft, bundle, inputs, progress
        content = bundle.content
        # The dequantized network stands in for a float one that nobody has.
        judge = "float" if "float.keras" in content.artifacts else "lifted:float"
        self._score_float = Scorer(
            open_surrogate(judge, bundle.path, content.preprocessing, content.data.domain, content.task)
        )
        self._float = Labels(
            self._float_labels(inputs.clean, slice(None)),
            tuple(self._float_labels(x, slice(None)) for x in inputs.adversarial),
        )
        self._roundings: dict[Quantization | None, Rounding] = {}

    def run(self, name: str, threads: int, *, needed: bool) -> _Result | None:
        """All outputs of a runtime of this machine, computed or found in the journal.

        None of one that cannot run the file and is not `needed`; a note says why.
        """
        try:
            with closing(
                open_runtime(name, self.bundle.path, self.bundle.content, threads=threads)
            ) as runtime:
                return self.run_opened(runtime)
        except (UserError, EnvironmentLacks) as error:
            if needed:
                raise
            why = error.what + (f" ({error.cause})" if error.cause else "")
            self.progress.note(f"{name} is left out: {why}")
            shutil.rmtree(self.draft.path / file_name(name), ignore_errors=True)
            return None

    def run_opened(self, runtime: Runtime) -> _Result:
        """All outputs of an opened runtime, computed or found in the journal."""
        budgets = range(len(self.inputs.eps))
        passes = (1 + len(budgets)) * len(self.inputs.truth)
        with self.progress.task(f"replaying on {runtime.name}", passes) as advance:
            clean = self._answers(runtime, "clean", None, advance)
            by_eps = [self._answers(runtime, f"eps-{i}", i, advance) for i in budgets]
        if runtime.grid not in self._roundings:
            self._roundings[runtime.grid] = self._rounding(self._path(runtime).grid)
        return _Result(
            self._outputs(runtime, clean, by_eps),
            self._roundings[runtime.grid],
            runtime if isinstance(runtime, DeviceRuntime) else None,
            np.concatenate([each.counts for each in (clean, *by_eps)]),
        )

    def _outputs(self, runtime: Runtime, clean: Journal, by_eps: Sequence[Journal]) -> Outputs:
        """What a runtime answered, and the scores that the task makes of it, which are written too."""
        flat = [each.vectors.reshape(len(self.inputs.truth), -1) for each in (clean, *by_eps)]
        task = self.bundle.content.task
        if task.plain:
            return Outputs(runtime.info, flat[0], tuple(flat[1:]))
        scores = []
        for i, vectors in enumerate(flat):
            parts = []
            for start in range(0, len(vectors), _CHUNK):
                rows = slice(start, start + _CHUNK)
                fed = self._feed(runtime, rows, i - 1 if i else None)
                outputs = dequantize_tensor(np.asarray(vectors[rows]), runtime.output)
                real = dequantize_tensor(fed, runtime.input)
                given = task_of(task).scores(outputs, lambda real=real: real)  # type: ignore[misc]
                parts.append(self._rows(given, rows))
            scores.append(np.concatenate(parts))
            one = f"eps-{i - 1}" if i else "clean"
            np.save(self.draft.path / file_name(runtime.name) / f"{one}-scores.npy", scores[-1])
        return Outputs(runtime.info, flat[0], tuple(flat[1:]), tuple(scores))

    def _figures(self, result: _Result, top: int | None) -> RuntimeScores:
        """All figures of one runtime."""
        inputs, outputs = self.inputs, result.outputs
        found = score(
            outputs,
            result.rounding,
            inputs.truth,
            inputs.surrogate,
            self._float,
            inputs.eps,
            inputs.targets,
        )
        if self.bundle.content.task.kind == "anomaly":
            found = with_detection(found, outputs, inputs.truth, inputs.targets)
        if self.bundle.content.task.kind == "regression":
            found = with_errors(found, outputs)
        return found if top is None else with_top(found, outputs, inputs.truth, top)

    def content(self, advset: AdvsetContent, results: Sequence[_Result], top: int | None) -> ReplayContent:
        """The header of the finished replay."""
        eps = self.inputs.eps
        by_name = {each.outputs.runtime.name: each.outputs for each in results}
        return ReplayContent(
            network=self.bundle.content.full_name,
            data=advset.data,
            attack=advset.attack,
            norm=advset.norm,
            surrogate=advset.surrogate,
            grid=advset.grid,
            eps=eps,
            count=advset.count,
            scores=tuple(self._figures(each, top) for each in results),
            task=self.bundle.content.task,
            top=top,
            disagreements=disagreements([each.outputs for each in results], eps),
            devices=tuple(
                device_results(each.device, each.outputs, each.counts, by_name[REFERENCE], eps)
                for each in results
                if each.device
            ),
        )

    def _float_labels(self, x: NDArray[np.float32], rows: slice) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = self._rows(self._score_float(x), rows).argmax(axis=1)
        return labels

    def _rows(self, scores: NDArray[Any], rows: slice) -> NDArray[Any]:
        """Rows of scores [n, classes] of the inputs at some positions."""
        values = self.inputs.values
        return task_of(self.bundle.content.task).rows(scores, None if values is None else values[rows])

    def _path(self, runtime: Runtime) -> InputPath:
        return InputPath.to(runtime.input, runtime.grid, self.bundle.content.preprocessing)

    def _answers(self, runtime: Runtime, name: str, budget: int | None, advance: Advance) -> Journal:
        """Answers to the clean inputs or those of a budget, piece by piece into the journal."""
        journal = Journal(self.draft.path, runtime, name, len(self.inputs.truth), chunk=_CHUNK)
        advance(journal.done)
        if not journal.complete:
            for piece in runtime.compute(self._batches(runtime, budget, journal.done)):
                journal.append(piece)
                advance(len(piece.outputs))
        return journal

    def _batches(self, runtime: Runtime, budget: int | None, done: int) -> Iterator[NDArray[Any]]:
        """The inputs after the first `done`, rounded in the same chunks whatever that is."""
        for start in range(done - done % _CHUNK, len(self.inputs.truth), _CHUNK):
            yield self._feed(runtime, slice(start, start + _CHUNK), budget)[max(done - start, 0) :]

    def _feed(self, runtime: Runtime, rows: slice, budget: int | None) -> NDArray[Any]:
        """Inputs as the runtime takes them: codes, values on its inner grid, or plain values."""
        x = np.asarray(self.inputs.clean[rows])
        path = self._path(runtime)
        if budget is None:
            return path.feed(x)
        x_adv = np.asarray(self.inputs.adversarial[budget][rows])
        return path.feed_near(x_adv, x, self.inputs.eps[budget], self.inputs.advset.norm)

    def _rounding(self, grid: InputGrid | None) -> Rounding:
        """What a grid does to every budget's inputs, and how the float network labels them then."""
        chunks = range(0, len(self.inputs.truth), _CHUNK)
        budgets = range(len(self.inputs.eps))
        by_eps = [zip(*(self._round(grid, i, start) for start in chunks), strict=True) for i in budgets]
        whole = [[np.concatenate(parts) for parts in each] for each in by_eps]
        return Rounding(*(tuple(each) for each in zip(*whole, strict=True)))

    def _round(self, grid: InputGrid | None, budget: int, start: int) -> tuple[NDArray[Any], ...]:
        """Of one chunk: what the attack changed, what rounding erased and clamped, the float labels then."""
        rows = slice(start, start + _CHUNK)
        x, x_adv = np.asarray(self.inputs.clean[rows]), np.asarray(self.inputs.adversarial[budget][rows])
        changed = (x_adv != x).any(axis=tuple(range(1, x.ndim)))
        if grid is None:
            nothing = np.zeros(len(x), bool)
            return changed, nothing, nothing, self._float.by_eps[budget][rows]
        found = grid.rounded(x_adv, x, self.inputs.eps[budget], self.inputs.advset.norm)
        return changed, found.erased, found.clamped, self._float_labels(found.values, rows)
