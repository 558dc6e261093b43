import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
GENERATED = runpy.run_path(str(DOCS / "generate.py"))["GENERATED"]


@pytest.mark.parametrize("name", GENERATED)
def test_generated_documents_are_current(name):
    assert (DOCS / name).read_text() == GENERATED[name](), "run `make docs`"
