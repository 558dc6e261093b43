"""The distribution's name, what it depends on, and how every text tells a user to install it."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import qbench
from qbench.artifacts.environment import environment
from qbench.places import DISTRIBUTION, pip_install

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = dict(
    line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if "==" in line
)


def required(python: str) -> list[Requirement]:
    """What qbench and its extras require on x86-64 Linux under one Python."""
    lines = [*PROJECT["dependencies"], *(each for extra in EXTRAS.values() for each in extra)]
    machine = {"python_version": python, "sys_platform": "linux", "platform_machine": "x86_64"}
    found = map(Requirement, lines)
    return [each for each in found if each.marker is None or each.marker.evaluate(machine)]


def of(name: str, python: str) -> Requirement:
    """The one requirement of that name."""
    (found,) = (each for each in required(python) if each.name == name)
    return found


def test_the_distribution_has_a_name_of_its_own():
    assert PROJECT["name"] == DISTRIBUTION == "qbench-tinyml"
    assert PROJECT["scripts"] == {"qbench": "qbench.cli.main:main"}


def test_hints_name_extras_that_exist():
    assert pip_install() == "pip install qbench-tinyml"
    texts = "\n".join(path.read_text() for path in (REPOSITORY / "qbench").rglob("*.py"))
    named = set(re.findall(r'pip_install\("(\w+)"\)', texts))
    assert named == {"tflm", "cluster"}
    assert named <= set(EXTRAS)


# "pip install qbench" installs another product, and so does any extra of it.
WRONG = re.compile(r"pip3? install\b[^\n]*(?<![\w/-])qbench(?![\w-])|(?<![\w-])qbench\[\w|\bqbench==")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("$ pip install qbench", True),
        ("pip install -U 'qbench[tflm]'", True),
        ("needs qbench[cluster]", True),
        ("qbench==0.1.0", True),
        ("pip install qbench-tinyml", False),
        ("pip install 'qbench-tinyml[tflm]'", False),
        ("pip install -c constraints.txt '.[tflm]'", False),
    ],
)
def test_the_pattern_tells_wrong_from_right(text, wrong):
    assert bool(WRONG.search(text)) is wrong


def test_no_text_installs_the_other_product():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    here = Path(__file__).relative_to(REPOSITORY).as_posix()
    wrong = []
    for name in set(listed.stdout.decode().split("\0")) - {"", here}:
        path = REPOSITORY / name
        if path.is_file() and path.suffix in {".md", ".py", ".toml", ".yaml", ".yml", ".html", ".txt", ""}:
            wrong += [f"{name}: {found[0]}" for found in WRONG.finditer(path.read_text(errors="replace"))]
    assert wrong == []


def test_the_constraints_pin_what_is_required_and_fit_it():
    pins = {canonicalize_name(name): Version(version.strip()) for name, version in PINS.items()}
    for each in required("3.11"):
        assert pins[canonicalize_name(each.name)] in each.specifier, each


def test_bounds_keep_pip_from_releases_that_tensorflow_2_18_refuses():
    # protobuf 6 is the first that TensorFlow 2.18 refuses; ONNX 1.23 needs it.
    assert Version("6.30.0") not in of("protobuf", "3.11").specifier
    assert Version("5.29.6") in of("protobuf", "3.11").specifier
    assert Version("1.23.0") not in of("onnx", "3.11").specifier
    for name in ("onnx", "onnxruntime", "protobuf"):
        assert any(each.operator == "<" for each in of(name, "3.12").specifier), name


def test_bounds_on_protobuf_lie_inside_those_of_the_tensorflow_here():
    tensorflow = of("tensorflow-cpu", "3.11")
    try:
        version, lines = metadata.version("tensorflow-cpu"), metadata.requires("tensorflow-cpu") or []
    except metadata.PackageNotFoundError:
        pytest.skip("another build of TensorFlow")
    if Version(version) not in tensorflow.specifier:
        pytest.skip("another TensorFlow")
    (theirs,) = (each for each in map(Requirement, lines) if each.name == "protobuf")
    ours = of("protobuf", "3.11").specifier
    tried = [
        Version(f"{major}.{minor}.{patch}")
        for major in range(3, 9)
        for minor in range(40)
        for patch in (0, 8)
    ]
    assert any(each in ours for each in tried)
    assert not [each for each in tried if each in ours and each not in theirs.specifier]


def test_an_artefact_records_this_qbench_and_no_other_distribution():
    assert environment().packages["qbench"] == qbench.__version__
