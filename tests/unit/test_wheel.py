"""What an installed wheel brings: all of qbench works without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an empty environment into which the wheel was installed; it borrows the dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(REPOSITORY)], check=True, capture_output=True)
    (wheel,) = folder.glob("qbench_tinyml-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True
    )
    # A .pth file inside a folder that a .pth names is not read: the checkout does not come in with it.
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, *words: object, cwd: Path) -> str:
    """What the installed Python prints, led to no checkout by its environment."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, *map(str, words)],
        cwd=cwd,
        env={**environment, "QBENCH_CACHE": str(cwd / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_what_runs(installed, tmp_path):
    place = run(installed, "-c", "import qbench; print(qbench.__file__)", cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(installed.parents[1])


def test_networks_and_the_host_runtime_come_with_it(installed, tmp_path):
    assert "digits-cnn" in run(installed, "-m", "qbench", "models", cwd=tmp_path)
    assert '"host"' in run(installed, "-m", "qbench", "runtimes", "--json", cwd=tmp_path)


def test_the_pages_templates_come_with_it(installed, replayed, tmp_path):
    words = ("-m", "qbench", "report", replayed.path, "--html", "--out", tmp_path / "report")
    assert "report written" in run(installed, *words, cwd=tmp_path)
    assert "</html>" in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no cross compiler for Arm")
def test_firmware_is_built_and_packed_from_it(installed, bundle, tmp_path):
    image = tmp_path / "image.elf"
    words = ("-m", "qbench", "firmware", "pack", bundle.path, "--board", "stm32f405", "--out", image)
    assert "image written" in run(installed, *words, cwd=tmp_path)
    assert image.stat().st_size > 100_000
