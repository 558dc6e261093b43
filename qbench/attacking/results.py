"""What an attack has found so far, kept on the disk batch by batch, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import CountSummary, EpsResult, RecordFile, Sizes
from qbench.attacking.drawing import Drawn
from qbench.attacks import Adversarials, Attack
from qbench.progress import Progress

# Inputs that are measured together.
_CHUNK = 1024


class BudgetFiles:
    """The results of one budget: `eps-<i>.npy`, `logits-eps-<i>.npy` and `queries-eps-<i>.npy`."""

    def __init__(self, folder: Path, index: int, shape: tuple[int, ...], classes: int) -> None:
        name = f"eps-{index}.npy"
        self.inputs = RecordFile(folder / name, shape, "float32")
        self.logits = RecordFile(folder / f"logits-{name}", (shape[0], classes), "float32")
        self.queries = RecordFile(folder / f"queries-{name}", (shape[0],), "int64")

    @property
    def files(self) -> tuple[RecordFile, ...]:
        """All three."""
        return self.inputs, self.logits, self.queries

    def append(self, found: Adversarials) -> None:
        """Keep the next batch."""
        self.inputs.append(found.x)
        self.logits.append(found.logits)
        self.queries.append(found.queries)

    def summarize(self, eps: float, drawn: Drawn) -> EpsResult:
        """The figures of the finished budget."""
        y, label = drawn.victims.y, drawn.labels(self.logits.read())
        right = label == y
        sizes = self._sizes(drawn)
        if drawn.targets is None:
            success = (drawn.labels(drawn.logits) == y) & ~right
        else:
            success = (label == drawn.targets) & (y != drawn.targets)
        queries = self.queries.read()
        return EpsResult(
            eps=eps,
            file=self.inputs.path.name,
            correct=int(right.sum()),
            unchanged=int((sizes[:, 0] == 0).sum()),
            sizes=Sizes(**dict(zip(Sizes.model_fields, map(float, sizes[success].mean(axis=0)), strict=True)))
            if success.any()
            else None,
            queries=CountSummary(
                min=int(queries.min()), median=int(np.median(queries)), max=int(queries.max())
            )
            if queries.any()
            else None,
            reached=None if drawn.targets is None else int(success.sum()),
            snr_db=self._snr_db(drawn, sizes[:, 2], success),
        )

    @staticmethod
    def _snr_db(drawn: Drawn, l2: NDArray[np.float64], success: NDArray[np.bool_]) -> float | None:
        """The mean ratio of the power of sound and perturbation; silence does not count."""
        if drawn.domain is None or drawn.domain.name != "waveform":
            return None
        signal = np.linalg.norm(np.asarray(drawn.victims.x, np.float64), axis=1)
        counted = success & (l2 > 0) & (signal > 0)
        return float(np.mean(20 * np.log10(signal[counted] / l2[counted]))) if counted.any() else None

    def _sizes(self, drawn: Drawn) -> NDArray[np.float64]:
        """[n, 4]: L0, L1, L2 and Linf of every perturbation, as `Sizes` orders them."""
        x_adv, x = self.inputs.read(), drawn.victims.x
        rows = []
        for start in range(0, len(x), _CHUNK):
            part = slice(start, start + _CHUNK)
            delta = (x_adv[part].astype(np.float64) - x[part]).reshape(len(x[part]), -1)
            rows.append(np.stack([np.linalg.norm(delta, p, axis=1) for p in (0, 1, 2, np.inf)], axis=1))
        return np.concatenate(rows)


def attack_all(
    folder: Path, method: Attack, budgets: Sequence[float], drawn: Drawn, progress: Progress
) -> tuple[EpsResult, ...]:
    """Attack what an interrupted run left, batch by batch; one result a budget.

    Raises:
        QbenchError: of the oracle or the network; every finished batch is kept.
    """
    victims = drawn.attacked
    kept = [BudgetFiles(folder, i, victims.x.shape, drawn.logits.shape[1]) for i in range(len(budgets))]
    done = min(file.done for each in kept for file in each.files)
    if done < len(victims):
        done -= done % method.batch  # the same batches give the same bytes
    for each in kept:
        for file in each.files:
            file.keep(done)
    with progress.task(method.name, len(victims)) as advance:
        advance(done)
        for found in method.perturb(victims.rows(done, len(victims)), budgets, progress.note):
            for each, result in zip(kept, found, strict=True):
                each.append(result)
            advance(len(found[0].x))
    return tuple(each.summarize(eps, drawn) for each, eps in zip(kept, budgets, strict=True))
