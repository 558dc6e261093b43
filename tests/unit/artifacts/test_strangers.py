"""Folders as a stranger may send them: each refused in words, before anything is read that is not theirs."""

import json
import shutil

import numpy as np
import pytest

from qbench.artifacts import load, sha256_of
from qbench.errors import UserError


@pytest.fixture
def folder(advset, tmp_path):
    """A copy of an advset."""
    shutil.copytree(advset.path, tmp_path / "advset")
    return tmp_path / "advset"


def edited(folder, change):
    """Change the header."""
    header = json.loads((folder / "manifest.json").read_text())
    change(header)
    (folder / "manifest.json").write_text(json.dumps(header))


def replaced(folder, name, array):
    """Put another array in a file's place, with its hash in the header."""
    np.save(folder / name, array)
    record = {"sha256": sha256_of(folder / name), "bytes": (folder / name).stat().st_size}
    edited(folder, lambda header: header["files"].update({name: record}))


def refused(folder, match):
    with pytest.raises(UserError, match=match) as caught:
        load(folder)
    return caught.value


@pytest.mark.parametrize(
    "name", ["../secret.npy", "/etc/passwd", "a/../../secret.npy", "..\\secret.npy", "x" * 300, "", "."]
)
def test_a_name_that_leads_out_of_the_folder(folder, name):
    (folder.parent / "secret.npy").write_bytes(b"x")
    record = {"sha256": "0" * 64, "bytes": 1}
    edited(folder, lambda header: header["files"].update({name: record}))
    refused(folder, "which is not in the folder")


def test_a_file_that_is_not_listed(folder):
    (folder / "more.npy").write_bytes(b"x")
    refused(folder, r"more\.npy is not listed")
    (folder / "more.npy").rename(folder / ".DS_Store")
    load(folder)


@pytest.mark.parametrize("version", [True, 1.0, "1", None, [1], {}])
def test_a_schema_version_of_another_type(folder, version):
    edited(folder, lambda header: header.update(schema_version=version))
    refused(folder, "schema version")


@pytest.mark.parametrize("kind", [None, [], {}, 1, "surprise"])
def test_a_kind_that_is_none(folder, kind):
    edited(folder, lambda header: header.update(kind=kind))
    refused(folder, "is damaged")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"kind": "advset"}', "\0"])
def test_a_header_that_is_none(folder, text):
    (folder / "manifest.json").write_text(text)
    refused(folder, r"manifest\.json is damaged")


def test_a_header_of_absurd_size_is_not_read(folder):
    with (folder / "manifest.json").open("r+b") as file:
        file.truncate(1 << 40)
    assert "67,108,864 at most" in refused(folder, r"manifest\.json is damaged").cause


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e999])
def test_numbers_that_are_not_finite(folder, number):
    edited(folder, lambda header: header["content"]["data"]["domain"].update(high=number))
    assert "content.data.domain.high" in refused(folder, "is damaged").cause


def test_an_array_of_absurd_size(folder):
    file = folder / "inputs.npy"
    content = file.read_bytes()
    huge = content[:128].replace(b"(100, 8, 8, 1)", b"(100000000000000, 8, 8, 1)")[:118].ljust(127) + b"\n"
    file.write_bytes(huge + content[128:])
    record = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    edited(folder, lambda header: header["files"].update({"inputs.npy": record}))
    refused(folder, r"inputs\.npy is no whole array")


def test_an_array_of_python_objects(folder):
    np.save(folder / "inputs.npy", np.array([{}], dtype=object), allow_pickle=True)
    record = {"sha256": sha256_of(folder / "inputs.npy"), "bytes": (folder / "inputs.npy").stat().st_size}
    edited(folder, lambda header: header["files"].update({"inputs.npy": record}))
    assert "Python objects" in refused(folder, r"inputs\.npy is no whole array").cause


@pytest.mark.parametrize(
    ("name", "array", "match"),
    [
        ("inputs.npy", np.zeros((100, 8, 8, 3), np.float32), "implies float32"),
        ("inputs.npy", np.zeros((100, 8, 8, 1), np.float64), "implies float32"),
        ("labels.npy", np.full(100, 10, np.int64), "where there are 10 classes"),
        ("labels.npy", np.full(100, -1, np.int64), "where there are 10 classes"),
        ("eps-0.npy", np.full((100, 8, 8, 1), np.nan, np.float32), "holds NaN"),
        ("logits-clean.npy", np.zeros((100, 11), np.float32), "implies float32"),
    ],
)
def test_arrays_that_do_not_fit_the_header(folder, name, array, match):
    replaced(folder, name, array)
    refused(folder, match)


def test_a_file_that_the_header_implies_is_missing(folder):
    (folder / "eps-1.npy").unlink()
    edited(folder, lambda header: header["files"].pop("eps-1.npy"))
    refused(folder, r"lacks eps-1\.npy")


def test_text_in_a_header_is_plain(folder):
    edited(folder, lambda header: header["content"].update(attack="a\x1b[31m\n::error::" + "x" * 5000))
    attack = load(folder).content.attack
    assert attack.startswith("a\ufffd[31m ::error::xxx")
    assert len(attack) == 1000


def test_a_model_in_place_of_a_folder_is_told_what_makes_one(bundle):
    found = refused(bundle.path / "float.keras", "is not a qbench folder")
    assert "qbench export" in found.hint


def test_another_kind_of_folder_is_told_what_makes_the_wanted_one(trained):
    with pytest.raises(UserError, match="holds a qbench trained; wanted here: bundle") as caught:
        load(trained.path, "bundle")
    assert "qbench export" in caught.value.hint


def test_a_name_that_no_file_system_takes(trained, tmp_path, command):
    done = command("export", trained.path, "--data", "digits", "--out", tmp_path / ("x" * 256))
    assert done.returncode == 2
    assert "too long" in done.stderr
    assert "Traceback" not in done.stderr
