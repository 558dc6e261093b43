"""The report as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qbench.reporting.gallery import Gallery
from qbench.reporting.plots import Plot
from qbench.reporting.sections import Block, Section
from qbench.reporting.tables import Table

_TEMPLATES: dict[type, str] = {
    str: "paragraph.html",
    Plot: "plot.html",
    Table: "table.html",
    Gallery: "gallery.html",
}


@dataclass(frozen=True)
class Verdict:
    """What the page says first of one replay."""

    title: str
    sentences: tuple[str, ...]


def page(title: str, verdicts: Sequence[Verdict], sections: Sequence[Section]) -> str:
    """Render the page.

    Args:
        title: of the report.
        verdicts: the summary, one a replay.
        sections: in the order of the page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("qbench.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["template"] = _template
    return environment.get_template("page.html").render(title=title, verdicts=verdicts, sections=sections)


def _template(block: Block) -> str:
    """The name of the template that shows a block."""
    return _TEMPLATES[type(block)]
