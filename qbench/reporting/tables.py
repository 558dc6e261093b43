"""Results as tables: one description, shown on a terminal or written as Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qbench.artifacts import (
    AdvsetContent,
    BundleContent,
    CountSummary,
    DataInfo,
    Disagreement,
    Domain,
    EpsResult,
    LinkUse,
    LowBit,
    Proportion,
    ReplayContent,
)
from qbench.attacks.norms import widest
from qbench.quant import Norm
from qbench.text import markdown

NOTHING = "–"  # noqa: RUF001 - an en dash is the usual mark of an empty cell
_UNBOUNDED = "unbounded"


@dataclass(frozen=True)
class Table:
    """A titled table of strings; the first `keys` columns name the row, the others hold figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: int = 1

    def markdown(self) -> str:
        """A GitHub-flavoured Markdown table under a heading of level 3."""
        rule = ["---" if i < self.keys else "---:" for i in range(len(self.columns))]
        columns, *rows = (tuple(map(markdown, line)) for line in (self.columns, *self.rows))
        lines = [columns, tuple(rule), *rows]
        title = f"### {markdown(self.title)}"
        return "\n".join([title, "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def missing_text(missing: Sequence[str]) -> str:
    """That a report or an analysis had to do without something."""
    return f"Incomplete: made without {', '.join(missing)}, which could not be made."


def eps_text(eps: float, domain: Domain) -> str:
    """A budget's number as people type it: `8/255` for pixels, a plain number elsewhere."""
    if domain.name == "image" and eps < domain.high:  # a longer distance is no change of a pixel
        levels = Fraction(eps * 255).limit_denominator(64)
        if abs(float(levels) - eps * 255) < 1e-6:
            return f"{float(levels):g}/255"
    return f"{eps:g}"


def budget_text(eps: float, data: DataInfo, norm: Norm) -> str:
    """A budget in a table or a picture: its number, or "unbounded" if any input of the domain is in reach."""
    width = data.domain.high - data.domain.low
    if eps >= widest(width, math.prod(data.input_shape), norm):
        return _UNBOUNDED
    return eps_text(eps, data.domain)


def budget_phrase(eps: float, data: DataInfo, norm: Norm) -> str:
    """The same behind an "at" or "from"."""
    text = budget_text(eps, data, norm)
    return "an unbounded budget" if text == _UNBOUNDED else text


def percent(share: Proportion, *, interval: bool = True) -> str:
    """A share in percent, with its interval in brackets."""
    if share.value is None or share.low is None or share.high is None:
        return NOTHING
    text = f"{100 * share.value:.1f}"
    return f"{text} [{100 * share.low:.1f}, {100 * share.high:.1f}]" if interval else text


def bundle_tables(content: BundleContent) -> list[Table]:
    """Accuracy and size of every artefact, and the widths of a low-bit network."""
    tables = [_artifacts(content)]
    return tables if content.lowbit is None else [*tables, _widths(content, content.lowbit)]


def _artifacts(content: BundleContent) -> Table:
    rows = []
    for name, info in content.artifacts.items():
        score = NOTHING
        if info.correct is not None and info.evaluated:
            score = f"{100 * info.correct / info.evaluated:.2f}"
        rows.append((name, f"{info.bytes:,}", score, info.input.dtype, info.output.dtype))
    return Table("Artefacts", ("file", "bytes", "accuracy %", "input", "output"), tuple(rows))


def _widths(content: BundleContent, lowbit: LowBit) -> Table:
    """What the weights take as stored, and would take at their own width."""
    stored = content.artifacts.get("int8.tflite")
    row = (
        lowbit.name,
        lowbit.method,
        _bytes(None if stored is None else stored.bytes),
        _bytes(content.packed_bytes),
    )
    return Table("Low bit widths", ("widths", "method", "int8.tflite", "with packed weights"), (row,))


def advset_tables(content: AdvsetContent) -> list[Table]:
    """What the attack did to the network it attacked, and what the checks say of that."""
    total = content.count
    figures = [_attacked(content, each) for each in content.results]
    columns = {name: None for each in figures for name in each}
    clean = {"robust accuracy %": f"{100 * content.clean_correct / total:.1f}"}
    rows = [
        (eps, *(each.get(name, NOTHING) for name in columns))
        for eps, each in zip(("clean", *_budgets(content)), (clean, *figures), strict=True)
    ]
    title = f"{content.attack} ({content.norm}) against {content.surrogate}, {total:,} inputs"
    tables = [Table(title, ("eps", *columns), tuple(rows))]
    if content.findings:
        tables.append(_findings(content))
    return tables


def _attacked(content: AdvsetContent, result: EpsResult) -> dict[str, str]:
    """The figures of a budget by their columns; what there is none of is left out."""
    found = {"robust accuracy %": f"{100 * result.correct / content.count:.1f}"}
    if result.reached is not None and content.aimed:
        found["target reached %"] = f"{100 * result.reached / content.aimed:.1f}"
    sizes = result.sizes
    found["mean L2 of successes"] = f"{sizes.l2:.4g}" if sizes else NOTHING
    found["mean Linf"] = f"{sizes.linf:.4g}" if sizes else NOTHING
    found["unchanged inputs"] = f"{result.unchanged}"
    if result.queries:
        found |= {"median queries": f"{result.queries.median:,}", "most": f"{result.queries.max:,}"}
    return found


def _budgets(content: AdvsetContent) -> tuple[str, ...]:
    return tuple(budget_text(each.eps, content.data, content.norm) for each in content.results)


def _findings(content: AdvsetContent) -> Table:
    rows = tuple(
        (
            found.check,
            NOTHING if found.eps is None else budget_text(found.eps, content.data, content.norm),
            f"{found.count} of {found.total}",
        )
        for found in content.findings or ()
    )
    title = "Checks: signs that the attack understates what an attacker can do (docs/attacks.md)"
    return Table(title, ("check", "eps", "inputs"), rows, keys=2)


def replay_tables(content: ReplayContent) -> tuple[Table, ...]:
    """Robustness, rounding and disagreement of every runtime; of devices, their cost and correctness."""
    tables = [_robustness(content), _rounding(content)]
    if content.disagreements:
        tables.append(_disagreement(content))
    if content.devices:
        tables += [_devices(content), _resources(content)]
    if any(each.differences for each in content.devices):
        tables.append(_differences(content))
    return tuple(tables)


def _robustness(content: ReplayContent) -> Table:
    rows = [
        (
            each.runtime.name,
            budget_text(at.eps, content.data, content.norm),
            percent(each.clean_accuracy),
            percent(at.robust_accuracy),
            percent(at.attack_success),
            percent(at.transfer),
            *([percent(at.target_success)] if at.target_success else []),
        )
        for each in content.scores
        for at in each.by_eps
    ]
    columns = ["runtime", "eps", "clean accuracy %", "robust accuracy %", "attack success %", "transfer %"]
    if any(at.target_success for each in content.scores for at in each.by_eps):
        columns.append("target reached %")
    title = f"{content.attack} ({content.norm}), {content.count:,} inputs of {content.data.name}"
    return Table(f"{title}, with Wilson 95 % intervals", (*columns,), tuple(rows), keys=2)


def robustness_matrix(content: ReplayContent) -> Table:
    """Accuracy of every runtime: one row each, one column a budget."""
    rows = tuple(
        (
            each.runtime.name,
            percent(each.clean_accuracy),
            *(percent(at.robust_accuracy) for at in each.by_eps),
        )
        for each in content.scores
    )
    columns = ("runtime", "clean", *(budget_text(eps, content.data, content.norm) for eps in content.eps))
    return Table("Accuracy in %, clean and at each budget, with Wilson 95 % intervals", columns, rows)


def _rounding(content: ReplayContent) -> Table:
    rows = [
        (
            each.runtime.name,
            budget_text(at.eps, content.data, content.norm),
            percent(at.float_success_before, interval=False),
            percent(at.float_success_after, interval=False),
            f"{at.erased.count:,} of {at.erased.total:,}",
            f"{at.clamped.count:,} of {at.clamped.total:,}",
        )
        for each in content.scores
        for at in each.by_eps
    ]
    columns = ("runtime", "eps", "float success before %", "after %", "erased", "moved back into the ball")
    return Table("What rounding to the input grid leaves of the attack", columns, tuple(rows), keys=2)


def _disagreement(content: ReplayContent) -> Table:
    """One row a pair, one column a set of inputs: other labels / other vectors."""
    pairs: dict[tuple[str, str], list[Disagreement]] = {}
    for each in content.disagreements:
        pairs.setdefault((each.first, each.second), []).append(each)
    rows = tuple(
        (first, second, *map(_labels_and_vectors, found), _largest(found))
        for (first, second), found in pairs.items()
    )
    inputs = ("clean", *(budget_text(eps, content.data, content.norm) for eps in content.eps))
    title = "Where runtimes disagree: inputs with another label / with another output vector"
    return Table(title, ("runtime", "and runtime", *inputs, "largest difference"), rows, keys=2)


def _labels_and_vectors(pair: Disagreement) -> str:
    return f"{pair.labels.count:,} / {f'{pair.vectors.count:,}' if pair.vectors else NOTHING}"


def _largest(pairs: list[Disagreement]) -> str:
    """The largest difference of any output element, in codes."""
    known = [pair.largest for pair in pairs if pair.largest is not None]
    return str(max(known)) if known else NOTHING


def _devices(content: ReplayContent) -> Table:
    rows = tuple(
        (
            each.runtime,
            f"{each.equal.count:,} of {each.equal.total:,}",
            each.counter,
            *_cost(each.counts),
        )
        for each in content.devices
    )
    columns = ("device", "equal to tflite-ref", "one inference in", "min", "median", "max")
    return Table("Devices: inputs with every output element equal, and cost", columns, rows)


def _resources(content: ReplayContent) -> Table:
    rows = tuple(
        (
            each.runtime,
            f"{each.arena_used:,} of {each.arena_available:,}",
            _bytes(each.ram_bytes),
            f"{each.model_bytes:,}",
            _bytes(each.flash_bytes),
            *_line(each.link),
        )
        for each in content.devices
    )
    memory = ("arena bytes", "RAM", "model bytes", "flash")
    line = ("payload % of the line's bytes", "payload bytes/s", "repeats", "damaged frames")
    return Table("Devices: memory, and the line to them", ("device", *memory, *line), rows)


def _bytes(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,}"


def _line(link: LinkUse | None) -> tuple[str, ...]:
    if link is None:
        return (NOTHING,) * 4
    share = 100 * link.payload_bytes / link.wire_bytes
    rate = link.payload_bytes / max(link.seconds, 1e-9)
    return (f"{share:.1f}", f"{rate:,.0f}", f"{link.repeats:,}", f"{link.damaged:,}")


def _cost(counts: CountSummary | None) -> tuple[str, ...]:
    """Min, median and max."""
    if counts is None:
        return (NOTHING,) * 3
    return tuple(f"{count:,}" for count in (counts.min, counts.median, counts.max))


def _differences(content: ReplayContent) -> Table:
    rows = tuple(
        (
            each.runtime,
            "clean" if found.eps is None else budget_text(found.eps, content.data, content.norm),
            f"{found.input}",
            f"{found.element}",
            f"{found.device}",
            f"{found.reference}",
        )
        for each in content.devices
        for found in each.differences
    )
    columns = ("device", "eps", "input", "element", "on the device", "tflite-ref")
    return Table("The first output elements that differ from tflite-ref", columns, rows, keys=2)
