"""The command line's replay on an emulated board."""

import shutil

import pytest

from qbench.boards.emulator import QEMU

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


def test_an_unknown_board_suggests_the_nearest(command, bundle, advset, tmp_path):
    done = command(
        *("replay", bundle.path, advset.path, "--device", "qemu:stm32f04", "--out", tmp_path / "replay")
    )
    assert done.returncode == 2
    assert "did you mean 'stm32f405'" in done.stderr
