"""Results as tables: one description, shown on a terminal or written as Markdown."""

from __future__ import annotations

from qbench.artifacts import (
    AdvsetContent,
    BundleContent,
    CountSummary,
    Disagreement,
    EpsResult,
    LinkUse,
    LowBit,
    ReplayContent,
)
from qbench.reporting.cells import NOTHING, Table, budget_text, percent
from qbench.reporting.task_tables import auc_text, task_tables


def bundle_tables(content: BundleContent) -> list[Table]:
    """Accuracy and size of every artefact, and the widths of a low-bit network."""
    tables = [_artifacts(content)]
    return tables if content.lowbit is None else [*tables, _widths(content, content.lowbit)]


def _artifacts(content: BundleContent) -> Table:
    rows = []
    areas = any(info.auc for info in content.artifacts.values())
    for name, info in content.artifacts.items():
        score = NOTHING
        if info.correct is not None and info.evaluated:
            score = f"{100 * info.correct / info.evaluated:.2f}"
        area = [auc_text(info.auc) if info.auc else NOTHING] if areas else []
        rows.append((name, f"{info.bytes:,}", score, *area, info.input.dtype, info.output.dtype))
    columns = ("file", "bytes", "accuracy %", *(["AUC"] if areas else []), "input", "output")
    return Table(f"Artefacts{_threshold(content)}", columns, tuple(rows))


def _threshold(content: BundleContent) -> str:
    """What decides where no highest score does, behind a title."""
    task = content.task
    if task.threshold is None:
        return ""
    what = {"anomaly": "mean squared error", "regression": "mean absolute error"}.get(task.kind, "score")
    return f"; {content.data.classes[1]} where the {what} is above {task.threshold:.4g}"


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
    if result.snr_db is not None:
        found["mean SNR dB"] = f"{result.snr_db:.1f}"
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
    tables = [robustness_table(content), *task_tables(content), rounding_table(content)]
    if content.disagreements:
        tables.append(disagreement_table(content))
    return (*tables, *device_tables(content))


def device_tables(content: ReplayContent) -> tuple[Table, ...]:
    """Of devices, their cost and correctness; none without them."""
    tables = [_devices(content), _resources(content)] if content.devices else []
    if any(each.differences for each in content.devices):
        tables.append(_differences(content))
    return tuple(tables)


def robustness_table(content: ReplayContent) -> Table:
    """Accuracy and success of the attack, of every runtime at every budget."""
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


def rounding_table(content: ReplayContent) -> Table:
    """What rounding did, of every runtime at every budget."""
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


def disagreement_table(content: ReplayContent) -> Table:
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
