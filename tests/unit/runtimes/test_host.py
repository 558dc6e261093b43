"""The firmware's runtime on this machine."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from qbench.errors import EnvironmentLacks, UserError
from qbench.places import firmware_digest, firmware_sources
from qbench.runtimes import hostlib
from qbench.runtimes.specs import read_specs
from tests.unit.runtimes.conftest import open_file, samples

INPUTS = 70


def codes(path, count=INPUTS):
    """Random inputs of a file, of its own type."""
    spec = read_specs(path)[0]
    x = samples(count)
    return x if spec.quantization is None else spec.quantization.quantize(x)


@pytest.mark.parametrize("ends", ["int8", "float32"])
def test_it_answers_as_tflite_micro(folder, ends):
    pytest.importorskip("tflite_micro")
    path = folder / f"{ends}.tflite"
    x = codes(path)
    np.testing.assert_array_equal(open_file("host", path).invoke(x), open_file("tflm", path).invoke(x))


@pytest.mark.parametrize("ends", ["int8", "uint8", "float32"])
def test_it_answers_as_tflites_reference(folder, ends):
    path = folder / f"{ends}.tflite"
    x = codes(path)
    np.testing.assert_array_equal(open_file("host", path).invoke(x), open_file("tflite-ref", path).invoke(x))


def test_threads_never_change_a_result(folder):
    path = folder / "int8.tflite"
    x = codes(path, 33)
    one, three = open_file("host", path), open_file("host", path, threads=3)
    np.testing.assert_array_equal(one.invoke(x), three.invoke(x))
    assert (one.info.threads, three.info.threads) == (1, 3)
    one.close()
    three.close()


def test_it_names_itself_by_its_sources(folder):
    info = open_file("host", folder / "int8.tflite").info
    assert (info.name, info.package, info.kernels) == ("host", "qbench-firmware", "portable")
    assert firmware_digest().startswith(info.version)


def test_the_build_says_which_kernels_it_has(tmp_path):
    sources = tmp_path / "firmware"
    shutil.copytree(firmware_sources(), sources, ignore=shutil.ignore_patterns("build"))
    mine = sources / "kernels" / "mine"
    mine.mkdir()
    portable = (sources / "kernels" / "portable" / "kernel_set.c").read_text()
    (mine / "kernel_set.c").write_text(portable.replace('"portable"', '"mine"'))
    build = ["make", "-s", "-C", str(sources / "host"), f"BUILD={tmp_path}", "OPTIMIZE=-O1"]
    subprocess.run([*build, "KERNELS=mine"], check=True)
    library = ctypes.CDLL(str(tmp_path / "libqbench_host.so"))
    library.qb_host_kernels.restype = ctypes.c_char_p
    assert library.qb_host_kernels() == b"mine"


def test_a_set_that_is_not_there_is_refused(tmp_path):
    build = ["make", "-s", "-C", str(firmware_sources() / "host"), f"BUILD={tmp_path}", "KERNELS=absent"]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert "KERNELS is one of: portable" in done.stderr


def test_float_ends_round_on_the_inner_grid(folder):
    inner = open_file("tflite-ref", folder / "float32.tflite").grid
    assert inner is not None
    assert open_file("host", folder / "float32.tflite").grid == inner


def test_a_damaged_file_and_another_shape_are_refused(folder, tmp_path):
    specs = read_specs(folder / "int8.tflite")
    damaged = tmp_path / "int8.tflite"
    damaged.write_bytes((folder / "int8.tflite").read_bytes()[:2000])
    with pytest.raises(UserError, match="damaged"):
        open_file("host", damaged, specs)
    with pytest.raises(UserError, match="cannot read"):
        open_file("host", tmp_path / "none.tflite", specs)
    other = specs[0].model_copy(update={"shape": (28, 28, 1)})
    with pytest.raises(UserError, match=r"has an input of shape \(8, 8, 1\)"):
        open_file("host", folder / "int8.tflite", [other, specs[1]])


def test_without_a_compiler_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentLacks, match="needs make and cc") as caught:
        hostlib.require_tools()
    assert "build-essential" in caught.value.hint
