"""Verdicts as the machines of CI read them, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qbench.errors import UserError
from qbench.gating.rules import Verdict
from qbench.reporting.cells import Table
from qbench.text import plain


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """One row a verdict, failures first."""
    rows = tuple(
        (
            "ok" if each.holds else "FAILED",
            each.rule,
            each.subject,
            each.inputs,
            each.figure,
            f"{'>=' if each.side == 'above' else '<='} {each.text(each.bound)}",
        )
        for each in sorted(verdicts, key=lambda each: each.holds)
    )
    columns = ("", "rule", "runtime", "inputs", "found [95 % interval]", "bound")
    return Table("The gate", columns, rows, keys=4)


def write_junit(verdicts: Sequence[Verdict], path: Path) -> None:
    """Write verdicts as JUnit XML: a test suite a rule, a test case a verdict.

    Args:
        verdicts: what the rules found.
        path: the file; its folder is made if it is not there.

    Raises:
        UserError: the file cannot be written.
    """
    from junitparser import Failure, JUnitXml, TestCase, TestSuite

    document = JUnitXml("qbench check")
    for rule in dict.fromkeys(each.rule for each in verdicts):
        suite = TestSuite(rule)
        for each in (found for found in verdicts if found.rule == rule):
            case = TestCase(f"{each.subject}, {each.inputs}", classname=f"qbench.{rule}")
            if each.holds:
                case.system_out = each.reason
            else:
                case.result = [Failure(each.reason, rule)]
            suite.add_testcase(case)
        document.add_testsuite(suite)
    beside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        document.write(str(beside), pretty=True)
        beside.replace(path)
    except OSError as error:
        raise UserError(
            f"cannot write {path}", cause=error.strerror, hint="choose another --junit"
        ) from error


def github_annotations(verdicts: Sequence[Verdict]) -> list[str]:
    """GitHub workflow commands, one `::error` for each verdict that does not hold."""
    return [
        f"::error title={_escape(f'qbench {each.rule}', also=':,')}::{_escape(each.reason)}"
        for each in verdicts
        if not each.holds
    ]


def _escape(text: str, also: str = "") -> str:
    """As GitHub's runner unescapes it: percent signs, ends of lines and, in properties, separators."""
    text = plain(text)
    for each in "%\r\n" + also:
        text = text.replace(each, f"%{ord(each):02X}")
    return text
