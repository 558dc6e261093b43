"""An analysis as one function from folders to a study folder, which is found again when it is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, ParamSpec

from pydantic import Field, JsonValue

from qbench.artifacts import Artifact, Draft, Recipe, make
from qbench.options import RunOptions, Seed, Typed, checked, described, signature_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qbench.reporting.cells import Table
    from qbench.studies.content import AnalysisResult, StudyContent

P = ParamSpec("P")
Draw = Callable[["Figure", "StudyContent", Any], None]


class StudyOptions(RunOptions):
    """What every analysis takes beside its own options."""

    missing: Annotated[
        tuple[str, ...],
        Field(exclude=True, description="What should have been among the inputs and could not be made."),
        Typed(never=True),
    ] = ()


class SeededStudyOptions(StudyOptions):
    """Of an analysis that draws random numbers."""

    seed: Seed = 0


@dataclass(frozen=True)
class Cost:
    """What an analysis may take, good to a factor of a few.

    Attributes:
        network, advset: seconds a network, and an advset on a network.
        memory: bytes.
    """

    network: float = 1.0
    advset: float = 0.0
    memory: int = 2 << 30


@dataclass(frozen=True)
class Prepared:
    """An analysis whose inputs were read and checked.

    Attributes:
        digests: of the artefacts that go in, in their order.
        names: of the networks, which may come from folders' names.
        settings: that its result depends on, with what was not given filled in.
        work: does it.
    """

    digests: Sequence[str]
    names: Sequence[str]
    settings: dict[str, JsonValue]
    work: Callable[[], StudyContent]


class Analysis(Generic[P]):
    """A function `(inputs, out, **options) -> Artifact[StudyContent]`, and what is known of it.

    Args:
        package: where its modules lie; its last part is the analysis' name.
        title: over its section of a report.
        summary: what it shows, in a sentence.
        options: its record of options.
        content: the record of what it finds.
        drawn: whether it has a picture.
        of_studies: whether it looks at other studies, in place of bundles, advsets and replays.
        cost: what it may take.
    """

    def __init__(
        self,
        package: str,
        *,
        title: str,
        summary: str,
        options: Callable[P, StudyOptions],
        content: type[AnalysisResult],
        drawn: bool = True,
        of_studies: bool = False,
        cost: Cost | None = None,
    ) -> None:
        self.name = package.rpartition(".")[2]
        self.options: type[StudyOptions] = options  # type: ignore[assignment]
        self.title, self.summary, self.content = title, summary, content
        self.of_studies, self.cost = of_studies, cost or Cost()
        self._package, self._drawn = package, drawn
        self.__doc__ = f"{summary}\n\nOptions:\n{described(self.options)}"

    @property
    def __signature__(self) -> Signature:
        """For editors and `help`."""
        return signature_of(self.options, "inputs", "out")

    def __call__(
        self, inputs: Sequence[str | Path], out: str | Path, *args: P.args, **options: P.kwargs
    ) -> Artifact[StudyContent]:
        """Do the analysis once, and keep it in a folder with `study.md` and, where one helps, `study.svg`.

        Args:
            inputs: folders, in any order.
            out: folder to write.
            args: none.
            options: of the analysis, by name.

        Raises:
            UserError: an option means nothing, or the inputs do not belong together.
            EnvironmentLacks: a runtime is not here.
        """
        chosen = checked(self.options, dict(*args, **options))
        prepared: Prepared = self._module("run").prepare(inputs, chosen)
        settings: dict[str, JsonValue] = {
            "analysis": self.name,
            "networks": list(prepared.names),
            **prepared.settings,
        }
        if chosen.missing:
            settings["missing"] = list(chosen.missing)
        sources = {f"input-{i}": digest for i, digest in enumerate(prepared.digests)}
        recipe = Recipe("study", settings, sources, getattr(chosen, "seed", 0))

        def write(draft: Draft) -> StudyContent:
            content = prepared.work().model_copy(update={"missing": chosen.missing})
            self._write(draft, content)
            return content

        return make(out, recipe, write, force=chosen.force)

    def tables(self, content: StudyContent) -> tuple[Table, ...]:
        """What it found, as tables."""
        found: tuple[Table, ...] = self._module("tables").tables(content.result, content.data)
        return found

    def sentences(self, content: StudyContent) -> tuple[str, ...]:
        """Summary in words; empty for most analyses."""
        say = getattr(self._module("tables"), "sentences", None)
        return tuple(say(content.result)) if say else ()

    @property
    def draw(self) -> Draw | None:
        """Draws its picture on a figure, from the content and the result; None where a table says it all."""
        found: Draw | None = self._module("plot").draw if self._drawn else None
        return found

    def _module(self, name: str) -> Any:
        return import_module(f"{self._package}.{name}")

    def _write(self, draft: Draft, content: StudyContent) -> None:
        """The tables and the picture, beside the header."""
        from qbench.reporting.cells import missing_text
        from qbench.studies.plots import save_figure, study_drawing

        text = "\n".join(table.markdown() for table in self.tables(content))
        draw = study_drawing(content)
        if draw is not None:
            save_figure(draw(), draft.path / "study.svg")
            text = f"![{self.name}](study.svg)\n\n{text}"
        if content.missing:
            text = f"{missing_text(content.missing)}\n\n{text}"
        (draft.path / "study.md").write_text(f"# Study: {self.name}\n\n{text}")
