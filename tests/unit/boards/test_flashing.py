"""Paths in OpenOCD's commands: one word of Tcl each, as a Tcl interpreter reads them."""

import shutil
import subprocess

import pytest

from qbench.boards import BOARDS
from qbench.boards.flashing import flash_commands, tcl_word
from qbench.errors import UserError

PATHS = [
    "/home/me/plain-image_1.elf",
    "/home/me/with blanks/image.elf",
    "/tmp/[exit 7]/image.elf",
    "/tmp/a;exit 7/image.elf",
    "/tmp/$env(HOME)/{x}.elf",
    "/tmp/back\\slash\"quote'.elf",
    "/tmp/\u00fcml\u00e4ut #1 ~.elf",
]


@pytest.mark.skipif(shutil.which("jimsh") is None, reason="needs jimsh, the Tcl of OpenOCD")
@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_one_word_as_it_is(tmp_path, path):
    script = tmp_path / "script.tcl"
    script.write_text(
        f"proc program {{image args}} {{ puts $image }}\nprogram {tcl_word(path)} verify reset exit\n"
    )
    done = subprocess.run(["jimsh", str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{path}\n"


def test_a_line_break_is_refused():
    with pytest.raises(UserError, match="line break"):
        tcl_word("/tmp/a\nexit")


def test_the_command_quotes_its_image(tmp_path):
    (command,) = flash_commands(BOARDS["stm32f405"], tmp_path / "a;b [c].elf", "openocd")
    assert command[-1] == f"program {tcl_word(str(tmp_path / 'a;b [c].elf'))} verify reset exit"
