"""Mutated artefact folders, as a stranger may send them: headers, arrays, and what is made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from qbench.artifacts import load, sha256_of
from qbench.reporting.gallery import gallery
from qbench.reporting.tables import advset_tables, replay_tables
from qbench.stages.check import check
from qbench.stages.replay.run import replay
from qbench.stages.report.run import report
from tests.mutations.common import hold
from tests.mutations.trees import mutated

# What takes a second is done with one in so many.
_SELDOM = 25


def damaged(rng, content: bytes) -> bytes:
    """An array's file with other bytes in its header, a torn end, or more behind it."""
    data = bytearray(content)
    kind = rng.integers(4)
    if kind == 0:
        data[rng.integers(min(len(data), 10), min(len(data), 100))] = rng.integers(32, 127)
    elif kind == 1:
        del data[rng.integers(len(data)) :]
    elif kind == 2:
        header = bytes(data[:128]).replace(b"(", b"(%d, " % (1 << rng.integers(1, 60)), 1)[:128]
        data[:128] = header
    else:
        data += bytes(data[-8:])
    return bytes(data)


def maker(source: Path, place: Path):
    """Makes mutated copies of a folder; a changed array's hash is in the header, so that it is looked at."""
    header = json.loads((source / "manifest.json").read_text())

    def made(number: int) -> Path:
        rng = np.random.default_rng(number)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place)
        tree = header
        if rng.random() < 0.3:
            arrays = sorted(place.rglob("*.npy")) or sorted(place.glob("float.keras"))
            array = arrays[rng.integers(len(arrays))]
            array.write_bytes(damaged(rng, array.read_bytes()))
            tree = json.loads(json.dumps(header))
            record = {"sha256": sha256_of(array), "bytes": array.stat().st_size}
            tree["files"][array.relative_to(place).as_posix()] = record
        else:
            tree = mutated(rng, header)
        text = json.dumps(tree)
        if rng.random() < 0.05:
            text = text[: rng.integers(len(text))] if rng.random() < 0.5 else "[" * 100_000
        (place / "manifest.json").write_text(text)
        return place

    return made


def seldom(path: Path) -> bool:
    """For a few of the folders, by what is in them."""
    return int(sha256_of(path / "manifest.json"), 16) % _SELDOM == 0


def test_bundles(bundle, advset, tmp_path):
    def read(path):
        load(path, "bundle")
        if seldom(path):
            replay(path, advset.path, ["tflite-builtin"], tmp_path / "out", force=True)

    hold(read, maker(bundle.path, tmp_path / "bundle"))


def test_advsets(bundle, advset, tmp_path):
    def read(path):
        content = load(path, "advset").content
        for table in advset_tables(content):
            table.markdown()
        if seldom(path):
            replay(bundle.path, path, ["tflite-builtin"], tmp_path / "out", force=True)

    hold(read, maker(advset.path, tmp_path / "advset"))


def test_replays(advset, replayed, tmp_path):
    def read(path):
        found = load(path, "replay")
        for table in replay_tables(found.content):
            table.markdown()
        gallery(found, advset)
        check(path, min_robust_accuracy=0.5, at=found.content.eps[:1], max_disagreement=0.5)
        if seldom(path):
            report([path], tmp_path / "out", html=True, figures=["svg"], advsets=[advset.path], force=True)

    hold(read, maker(replayed.path, tmp_path / "replay"))


def test_trained_networks(trained, tmp_path):
    hold(lambda path: load(path, "trained"), maker(trained.path, tmp_path / "trained"))
