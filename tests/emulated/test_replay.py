"""The command line's replay on an emulated board."""

import shutil

import keras
import pytest
import tensorflow as tf

import qbench
from qbench.boards.emulator import QEMU
from tests.golden.coarse import coarse
from tests.unit.runtimes.conftest import tflite_bytes

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(not shutil.which(QEMU), reason="QEMU for Arm is not installed"),
    pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no cross compiler for Arm"),
]


def test_every_output_element_on_the_emulated_board_is_the_reference_kernels(
    command, bundle, advset, tmp_path
):
    found = command.json(
        *("replay", bundle.path, advset.path, "--device", "qemu:stm32f405", "--out", tmp_path / "replay")
    )
    (device,) = found["content"]["devices"]
    assert device["board"] == "stm32f405"
    assert device["counter"] == "instructions"
    assert device["counts"]["min"] > 100_000
    assert (device["equal"]["count"], device["equal"]["total"]) == (300, 300)


def test_an_emulated_board_takes_the_packed_twin(trained, advset, tmp_path):
    model = keras.models.load_model(trained.path / "float.keras", compile=False)
    vendor = tmp_path / "vendor.tflite"
    vendor.write_bytes(coarse(tflite_bytes(model, tf.int8), bits=1))
    bundle = qbench.export(trained.path, "digits", tmp_path / "bundle", adopt=vendor, max_drop=1)
    made = qbench.replay(bundle.path, advset.path, [], tmp_path / "out", devices=["qemu:stm32f405:packed"])
    (device,) = made.content.devices
    assert device.runtime == "device:stm32f405-packed"
    assert device.model_bytes < len(vendor.read_bytes())
    assert (device.equal.count, device.equal.total) == (300, 300)


def test_an_emulated_board_takes_16_bit_activations(trained, tmp_path):
    bundle = qbench.export(trained.path, "digits", tmp_path / "bundle", activations="int16")
    advset = qbench.attack(
        bundle.path, "digits", tmp_path / "adv", attack="pgd", eps=[0.05], surrogate="lifted:ste", count=30
    )
    made = qbench.replay(bundle.path, advset.path, ["host"], tmp_path / "out", devices=["qemu:stm32f405"])
    (device,) = made.content.devices
    assert (device.equal.count, device.equal.total) == (60, 60)


def test_an_unknown_board_suggests_the_nearest(command, bundle, advset, tmp_path):
    done = command(
        *("replay", bundle.path, advset.path, "--device", "qemu:stm32f04", "--out", tmp_path / "replay")
    )
    assert done.returncode == 2
    assert "did you mean 'stm32f405'" in done.stderr
