"""Fixtures for the whole suite."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import Phase, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is loaded
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores: one thread each, as in their children
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{library}_THREADS", "1")

import qbench
from qbench.artifacts import Artifact
from qbench.cli.main import main

# For `make mutants`: the same examples every time, and none made smaller once a mutant is found.
settings.register_profile(
    "mutants", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate), database=None
)


@pytest.fixture(scope="session", autouse=True)
def _isolated_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep decoded images and built firmware out of the user's own cache, unless the run names one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # by all workers
    os.environ.setdefault("QBENCH_CACHE", str(shared / "cache"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with real data sets; tests that need it skip without it."""
    root = os.environ.get("QBENCH_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("QBENCH_DATA names no folder with data sets")
    return Path(root)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Artifact[Any]:
    """digits-cnn after a few epochs: good enough to attack."""
    return qbench.train("digits-cnn", "digits", tmp_path_factory.mktemp("walk") / "trained", epochs=12)


@pytest.fixture(scope="session")
def bundle(trained: Artifact[Any]) -> Artifact[Any]:
    """The bundle of that network."""
    return qbench.export(trained.path, "digits", trained.path.parent / "bundle")


@pytest.fixture(scope="session")
def advset(bundle: Artifact[Any]) -> Artifact[Any]:
    """A short PGD on 100 of its inputs."""
    out = bundle.path.parent / "advset"
    return qbench.attack(
        bundle.path, "digits", out, attack="pgd", eps=[4 / 255, 16 / 255], steps=5, count=100, checks=False
    )


@pytest.fixture(scope="session")
def replayed(bundle: Artifact[Any], advset: Artifact[Any]) -> Artifact[Any]:
    """That advset on XNNPACK and the reference kernels."""
    out = bundle.path.parent / "replay"
    return qbench.replay(bundle.path, advset.path, ["tflite", "tflite-ref", "onnx", "float"], out)


class Command:
    """The command line, in this process, which has TensorFlow already; another takes seconds to import it."""

    def __call__(self, *args: Any) -> subprocess.CompletedProcess[str]:
        """Run `qbench ARGS` to its end."""
        argv, out, err = ["qbench", *map(str, args)], io.StringIO(), io.StringIO()
        with (
            mock.patch.object(sys, "argv", argv),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as done,
        ):
            main()
        return subprocess.CompletedProcess(argv, done.value.code, out.getvalue(), err.getvalue())

    def apart(self, *args: Any) -> subprocess.CompletedProcess[str]:
        """Run it in a process of its own: for what a whole process prints and leaves."""
        return subprocess.run(self.argv(*args), capture_output=True, text=True, check=False)

    def json(self, *args: Any) -> dict[str, Any]:
        """Run it with `--json`, which must succeed, and parse what it prints."""
        done = self(*args, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @staticmethod
    def argv(*args: Any) -> list[str]:
        """The command's words."""
        return [sys.executable, "-m", "qbench", *map(str, args)]


@pytest.fixture(scope="session")
def command() -> Command:
    """Runs the command line."""
    return Command()


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
