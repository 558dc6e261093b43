"""The report as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence

from qbench.reporting.cells import Table
from qbench.reporting.gallery import Gallery
from qbench.reporting.plots import Plot
from qbench.reporting.sections import Block, Details, Heading, Points, Section

_TEMPLATES: dict[type, str] = {
    str: "paragraph.html",
    Heading: "heading.html",
    Points: "points.html",
    Details: "details.html",
    Plot: "plot.html",
    Table: "table.html",
    Gallery: "gallery.html",
}


def page(title: str, sections: Sequence[Section]) -> str:
    """Render the page, its sections in the order given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("qbench.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["template"] = _template
    return environment.get_template("page.html").render(title=title, sections=sections)


def _template(block: Block) -> str:
    """The name of the template that shows a block."""
    return _TEMPLATES[type(block)]
