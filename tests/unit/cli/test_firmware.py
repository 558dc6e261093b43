"""`qbench firmware` on the digits network."""

import shlex
import shutil
import struct

import keras
import pytest
import tensorflow as tf

import qbench
from qbench.boards import BOARDS
from qbench.boards.flashing import tcl_word
from qbench.boards.packed_weights import pack_weights
from qbench.errors import UserError
from qbench.runtimes.packing import build_packed
from tests.random_models.coarse import coarse
from tests.unit.runtimes.conftest import tflite_bytes

pytestmark = pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no cross compiler for Arm")


@pytest.mark.parametrize("board", BOARDS)
def test_build_tells_what_the_firmware_takes_and_leaves(command, board):
    found = command.json("firmware", "build", "--board", board)
    memory = BOARDS[board].memory
    assert 30_000 < found["flash"] < memory["FLASH"].bytes
    assert found["model_room"] == memory["MODEL"].bytes - 16
    assert found["ram"] + found["arena_room"] == pytest.approx(memory["RAM"].bytes - 8192, abs=32)


def test_pack_places_the_model_at_its_address(command, bundle, tmp_path):
    image = tmp_path / "image.elf"
    found = command.json("firmware", "pack", bundle.path, "--board", "stm32f405", "--out", image)
    model = (bundle.path / "int8.tflite").read_bytes()
    assert found["model"] == len(model)
    assert struct.pack("<I12x", len(model)) + model in image.read_bytes()
    assert found["arena"] + found["frame"] < found["firmware"]["arena_room"]


def test_pack_weights_tells_the_flash_saved(command, trained, tmp_path):
    vendor, image = tmp_path / "vendor.tflite", tmp_path / "image.elf"
    model = keras.models.load_model(trained.path / "float.keras", compile=False)
    vendor.write_bytes(coarse(tflite_bytes(model, tf.int8), bits=2))
    bundle = qbench.export(trained.path, "digits", tmp_path / "bundle", adopt=vendor, max_drop=1)
    words = ("firmware", "pack", bundle.path, "--board", "stm32f405", "--out", image, "--pack-weights")
    found = command.json(*words)
    twin = pack_weights(vendor.read_bytes())
    assert (found["unpacked_model"], found["model"]) == (len(vendor.read_bytes()), len(twin.content))
    assert (
        sum(each["bytes"] for each in found["packed"]) < sum(each["values"] for each in found["packed"]) / 3
    )
    assert struct.pack("<I12x", len(twin.content)) + twin.content in image.read_bytes()
    assert f"takes {len(twin.content):,} bytes of flash instead of {found['unpacked_model']:,}" in (
        command(*words).stdout
    )


def test_pack_weights_says_that_there_is_nothing_to_pack(command, bundle, tmp_path):
    image = tmp_path / "image.elf"
    done = command("firmware", "pack", bundle.path, "--board", "stm32f405", "--out", image, "--pack-weights")
    assert "nothing to pack: every weight tensor has more than 16 levels" in done.stdout
    assert (bundle.path / "int8.tflite").read_bytes() in image.read_bytes()


def test_pack_refuses_an_arena_that_does_not_fit_ram(tmp_path):
    with pytest.raises(UserError, match=r"needs [\d,]+ bytes of RAM .* stm32f405 has 105,\d+"):
        build_packed(_wide_network(), BOARDS["stm32f405"], tmp_path / "image.elf")
    assert not (tmp_path / "image.elf").exists()
    assert build_packed(_wide_network(), BOARDS["mps2-an386"], tmp_path / "image.elf").image.exists()


def _wide_network() -> bytes:
    """A pooling of 256 by 256 values: 64 KiB go in, and 64 KiB come out."""
    image = keras.Input((256, 256, 1))
    pooled = keras.layers.MaxPooling2D(3, strides=1, padding="same")(image)
    return tflite_bytes(keras.Model(image, pooled), batch=1)


def test_flash_prints_the_command_of_each_tool(command, tmp_path):
    image = tmp_path / "image.elf"
    image.write_bytes(b"")
    words = ("firmware", "flash", image, "--board", "stm32f405", "--print")
    assert shlex.quote(f"program {tcl_word(str(image))} verify reset exit") in command(*words).stdout
    assert "st-flash --reset write" in command(*words, "--tool", "st-flash").stdout


def test_flash_without_the_tool_or_the_board_says_what_to_do(command, tmp_path):
    image = tmp_path / "image.elf"
    image.write_bytes(b"")
    emulated = command("firmware", "flash", image, "--board", "mps2-an386")
    assert emulated.returncode == 2
    assert "--device qemu:mps2-an386" in emulated.stderr
    if not shutil.which("openocd"):
        done = command("firmware", "flash", image, "--board", "stm32f405")
        assert done.returncode == 3
        assert "apt install openocd" in done.stderr
