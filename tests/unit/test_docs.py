import runpy
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

DOCS = Path(__file__).parents[2] / "docs"
GENERATED = runpy.run_path(str(DOCS / "generate.py"))["GENERATED"]


@pytest.mark.parametrize("name", GENERATED)
def test_generated_documents_are_current(name):
    assert (DOCS / name).read_text() == GENERATED[name](), "run `make docs`"


REPOSITORY = DOCS.parent
LAYERS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0][
    "layers"
]


def modules() -> set[str]:
    """The packages and modules right below qbench."""
    found = {path.stem for path in (REPOSITORY / "qbench").glob("*.py")}
    found |= {path.parent.name for path in (REPOSITORY / "qbench").glob("*/__init__.py")}
    return found - {"__init__", "__main__"}


def test_contributing_lists_every_package_once_in_the_order_of_imports():
    block = (REPOSITORY / "CONTRIBUTING.md").read_text().split("```text\n")[1].split("```")[0]
    places = [line.split(maxsplit=1)[0] for line in block.splitlines()]
    listed = [Path(place).stem for place in places if place.startswith("qbench/")]
    assert sorted(listed) == sorted(modules())
    depth = {name.strip().split(".")[1]: i for i, layer in enumerate(LAYERS) for name in layer.split("|")}
    assert [depth[name] for name in listed] == sorted(depth[name] for name in listed)
    assert all((REPOSITORY / place).exists() for place in places if "NAME" not in place)
    folders = {path.name for path in (REPOSITORY / "firmware").iterdir() if path.is_dir()} - {"build"}
    assert {f"firmware/{name}/" for name in folders} <= set(places)


def test_every_package_has_its_layer():
    assert {name.strip().split(".")[1] for layer in LAYERS for name in layer.split("|")} == modules()
