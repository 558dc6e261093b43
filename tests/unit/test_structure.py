"""The size of modules, functions and signatures, as CONTRIBUTING promises."""

import ast
from pathlib import Path

import pytest

import qbench

MODULES = sorted(Path(qbench.__file__).parent.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION, MOST_PARAMETERS = 350, 60, 8


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_modules_functions_and_signatures_are_short(module):
    text = module.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            assert len([each for each in given if each.arg not in ("self", "cls")]) <= MOST_PARAMETERS, (
                node.name
            )


TESTS = sorted(each for each in Path(__file__).parent.iterdir() if any(each.glob("test_*.py")))


@pytest.mark.parametrize("folder", [each.name for each in TESTS])
def test_tests_are_laid_out_as_the_package_is(folder):
    assert folder == "firmware" or (Path(qbench.__file__).parent / folder).is_dir()
