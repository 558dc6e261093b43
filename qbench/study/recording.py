"""What every analysis shares: a recipe, a folder with its tables and its picture, and finding it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import JsonValue

from qbench.artifacts import Artifact, Recipe, StudyContent, begin
from qbench.reporting.study_plots import save_figure, study_drawing
from qbench.reporting.study_tables import study_tables


def recorded(
    out: str | Path,
    analysis: str,
    digests: Sequence[str],
    names: Sequence[str],
    work: Callable[[], StudyContent],
    *,
    settings: dict[str, JsonValue] | None = None,
    seed: int = 0,
    force: bool = False,
) -> Artifact[StudyContent]:
    """Do an analysis once, and keep it in a folder with `study.md` and, where one helps, `study.svg`.

    Args:
        out: folder to write.
        analysis: its name.
        digests: of the artefacts that go in, in their order.
        names: of the networks, which may come from folders' names.
        work: does it.
        settings: of the analysis.
        seed: of its random draws.
        force: replace what `out` holds.
    """
    chosen: dict[str, JsonValue] = {"analysis": analysis, "networks": list(names), **(settings or {})}
    inputs = {f"input-{i}": digest for i, digest in enumerate(digests)}
    started = begin(Path(out), Recipe("study", chosen, inputs, seed), force=force)
    if isinstance(started, Artifact):
        return started
    with started as draft:
        content = work()
        text = "\n".join(table.markdown() for table in study_tables(content))
        draw = study_drawing(content)
        if draw is not None:
            save_figure(draw(), draft.path / "study.svg")
            text = f"![{analysis}](study.svg)\n\n{text}"
        (draft.path / "study.md").write_text(f"# Study: {analysis}\n\n{text}")
        return draft.commit(content)
