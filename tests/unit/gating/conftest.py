"""Replays whose every answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qbench.artifacts import Artifact, DataInfo, Recipe, ReplayContent, RuntimeInfo, begin
from qbench.data import IMAGE
from qbench.replaying.scores import Labels, Outputs, Rounding, disagreements, score
from qbench.text import file_name

EPS = (4 / 255, 8 / 255)


def outputs(name: str, clean: np.ndarray, by_eps: Sequence[np.ndarray]) -> Outputs:
    """A runtime that gives these labels, of two classes."""
    info = RuntimeInfo(
        name=name, artifact="int8.tflite", package="p", version="1", kernels="reference", threads=1
    )
    return Outputs(info, np.eye(2, dtype=np.int8)[clean], tuple(np.eye(2, dtype=np.int8)[x] for x in by_eps))


@pytest.fixture
def replay_of(tmp_path: Path) -> Callable[..., Artifact[ReplayContent]]:
    """Makes a replay folder of n inputs, all of label 1, from each runtime's (clean, 4/255, 8/255) mistakes.

    A count makes that many mistakes, on the first inputs; an array names the inputs.
    """
    made: list[Any] = []

    def make(
        n: int, seen: dict[str, tuple[Any, Any, Any]], *, fingerprint: str = "f", first: int = 0, kept=True
    ):
        truth = np.ones(n, np.int64)
        found = []
        for name, mistakes in seen.items():
            labels = [truth.copy() for _ in mistakes]
            for each, wrong in zip(labels, mistakes, strict=True):
                each[np.arange(wrong) if isinstance(wrong, int) else wrong] = 0
            found.append(outputs(name, labels[0], labels[1:]))
        none = tuple(np.zeros(n, bool) for _ in EPS)
        same = Labels(truth, (truth, truth))
        data = DataInfo(
            name="d", fingerprint=fingerprint, domain=IMAGE, classes=("a", "b"), input_shape=(2, 2, 1)
        )
        content = ReplayContent(
            network="n",
            data=data,
            attack="pgd",
            norm="linf",
            surrogate="float",
            grid="float",
            eps=EPS,
            count=n,
            scores=tuple(
                score(each, Rounding(none, none, none, (truth, truth)), truth, same, same, EPS)
                for each in found
            ),
            disagreements=disagreements(found, EPS),
        )
        made.append(content)
        recipe = Recipe("replay", settings={"number": len(made)}, inputs={})
        with begin(tmp_path / f"replay-{len(made)}", recipe) as draft:
            for each in found:
                folder = draft.path / file_name(each.runtime.name)
                folder.mkdir()
                np.save(folder / "clean.npy", each.clean)
                for i, vectors in enumerate(each.by_eps):
                    np.save(folder / f"eps-{i}.npy", vectors)
            if kept:
                np.save(draft.path / "labels.npy", truth)
                np.save(draft.path / "indices.npy", np.arange(first, first + n))
            return draft.commit(content)

    return make
