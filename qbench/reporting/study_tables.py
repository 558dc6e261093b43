"""Studies as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qbench.artifacts import DataInfo, StudyContent
from qbench.artifacts.studies import (
    AlignmentStudy,
    AttackPoint,
    ClaimsStudy,
    DirectStudy,
    EnsembleRow,
    EnsembleStudy,
    Estimate,
    MaskingStudy,
    PairedTest,
    ShiftStudy,
    TransferStudy,
)
from qbench.reporting.tables import NOTHING, Table, budget_text, percent


def study_tables(content: StudyContent) -> tuple[Table, ...]:
    """The tables of an analysis."""
    shown: dict[type[Any], Callable[[Any, DataInfo], tuple[Table, ...]]] = {
        DirectStudy: _direct,
        TransferStudy: _transfer,
        MaskingStudy: _masking,
        AlignmentStudy: _alignment,
        ShiftStudy: _shift,
        EnsembleStudy: _ensemble,
        ClaimsStudy: _claims,
    }
    return shown[type(content.result)](content.result, content.data)


def estimate_text(estimate: Estimate, scale: float = 1.0, digits: int = 3) -> str:
    """A mean or difference with its interval in brackets; `digits` are significant ones."""
    if estimate.value is None:
        return NOTHING
    text = f"{scale * estimate.value:.{digits}g}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{scale * estimate.low:.{digits}g}, {scale * estimate.high:.{digits}g}]"


def attack_text(at: AttackPoint, data: DataInfo) -> str:
    """An attack without its network: name, norm and budget."""
    return f"{at.attack} {at.norm} {budget_text(at.eps, data, at.norm)}"


def _points(test: PairedTest) -> tuple[str, str]:
    """The difference in points of a percent, and McNemar's p."""
    return estimate_text(test.difference, 100), f"{test.p_value:.2g}"


def _direct(study: DirectStudy, data: DataInfo) -> tuple[Table, ...]:
    rows = tuple(
        (
            row.at.network,
            attack_text(row.at, data),
            row.at.surrogate,
            row.protocol,
            f"{row.accuracy.total:,}",
            percent(row.accuracy),
            f"{row.successes:,}",
            *(estimate_text(row.sizes[norm]) for norm in ("l0", "l1", "l2", "linf")),
        )
        for row in study.rows
    )
    columns = (
        "network",
        "attack",
        "gradient of",
        "protocol",
        "inputs",
        "adversarial accuracy %",
        "successes",
    )
    sizes = ("L0 of successes", "L1", "L2", "Linf")
    tables = [Table("Direct attacks, with 95 % intervals", (*columns, *sizes), rows, keys=4)]
    if study.comparisons:
        compared = tuple(
            (
                test.first,
                test.second,
                attack_text(at, data),
                f"{test.total:,}",
                *_points(test),
                test.better or "neither, beyond doubt",
            )
            for at, test in study.comparisons
        )
        what = ("network", "and network", "attack", "inputs", "difference, points", "McNemar's p")
        title = "Which is more robust, on inputs that both get right when clean"
        tables.append(Table(title, (*what, "more robust"), compared, keys=3))
    return tuple(tables)


def _transfer(study: TransferStudy, data: DataInfo) -> tuple[Table, ...]:
    rows = tuple(
        (
            cell.at.network,
            attack_text(cell.at, data),
            cell.target,
            cell.runtime,
            f"{cell.accuracy.total:,}",
            percent(cell.accuracy),
            percent(cell.transfer),
        )
        for cell in study.cells
    )
    columns = ("attacked", "attack", "target", "runtime", "inputs", "target's accuracy %", "transfer %")
    title = "Transfer, on inputs that both get right when clean, with 95 % intervals"
    return (Table(title, columns, rows, keys=4),)


def _masking(study: MaskingStudy, data: DataInfo) -> tuple[Table, ...]:
    verdicts = tuple(
        (
            each.network,
            each.surrogate,
            each.verdict,
            percent(each.zero_gradient),
            percent(each.unbounded),
        )
        for each in study.verdicts
    )
    trials = tuple(
        (each.network, trial.name, trial.role, f"{trial.accuracy.total:,}", percent(trial.accuracy))
        for each in study.verdicts
        for trial in each.trials
    )
    tests = tuple(
        (each.network, test.first, test.second, *_points(test))
        for each in study.verdicts
        for test in each.comparisons
    )
    eps = ", ".join(sorted({budget_text(each.eps, data, each.norm) for each in study.verdicts}))
    columns = ("network", "gradient of", "verdict", "vanishing gradients %", "broken without bound %")
    return (
        Table(f"Gradient masking (linf {eps}), with 95 % intervals", columns, verdicts, keys=3),
        Table(
            "Gradient masking, in words",
            ("network", "verdict and evidence"),
            tuple((each.network, each.explanation) for each in study.verdicts),
        ),
        Table(
            "Gradient masking: what was tried",
            ("network", "attack", "role", "inputs", "accuracy %"),
            trials,
            keys=3,
        ),
        Table(
            "Gradient masking: accuracy that the first leaves less that of the second",
            ("network", "attack", "rival", "difference, points", "McNemar's p"),
            tests,
            keys=3,
        ),
    )


def _alignment(study: AlignmentStudy, data: DataInfo) -> tuple[Table, ...]:
    del data
    rows = tuple(
        (
            pair.first,
            pair.second,
            estimate_text(pair.cosine.mean),
            " / ".join(f"{value:.2f}" for value in pair.cosine.quantiles) or NOTHING,
            estimate_text(pair.sign_agreement.mean, 100),
            f"{pair.cosine.undefined:,}",
        )
        for pair in study.pairs
    )
    columns = ("network", "and network", "mean cosine", "at 5 / 25 / 50 / 75 / 95 %")
    more = ("same sign %", "inputs with a zero gradient")
    return (Table("Gradient alignment, with 95 % intervals", (*columns, *more), rows, keys=2),)


def _shift(study: ShiftStudy, data: DataInfo) -> tuple[Table, ...]:
    columns = (
        "layer",
        "operator",
        "codes changed %",
        "relative norm before %",
        "after %",
        "log2 growth",
        "vanished elements %",
    )
    return tuple(
        Table(
            f"Value shift in {profile.target}: {attack_text(profile.at, data)} on {profile.at.network}",
            columns,
            tuple(
                (
                    "input" if layer.layer < 0 else str(layer.layer),
                    layer.operator,
                    estimate_text(layer.changed, 100),
                    estimate_text(layer.before, 100),
                    estimate_text(layer.after, 100),
                    estimate_text(layer.growth),
                    estimate_text(layer.vanished, 100),
                )
                for layer in profile.layers
            ),
            keys=2,
        )
        for profile in study.profiles
    )


def _ensemble(study: EnsembleStudy, data: DataInfo) -> tuple[Table, ...]:
    columns = (
        "attack",
        "on",
        "inputs",
        "majority %",
        "averaged %",
        "best member %",
        "gain, points",
        "McNemar's p",
        "rejected %",
        "wrong and accepted %",
    )
    title = f"Ensemble of {len(study.members)}, best member {study.best_member}, with 95 % intervals"
    note = f"rejected where fewer than {study.agreement} agree"
    rows = tuple(_ensemble_row(row, data) for row in study.rows)
    return (Table(f"{title}; {note}", columns, rows, keys=2), _cost(study))


def _ensemble_row(row: EnsembleRow, data: DataInfo) -> tuple[str, ...]:
    what = "clean" if row.at is None else attack_text(row.at, data)
    on = NOTHING if row.at is None else row.at.network
    return (
        f"{what}, adaptive" if row.adaptive else what,
        on,
        f"{row.majority.total:,}",
        percent(row.majority),
        percent(row.averaged),
        percent(row.single),
        *_points(row.gain),
        percent(row.rejected),
        percent(row.wrong_accepted),
    )


def _cost(study: EnsembleStudy) -> Table:
    rows = [
        (
            member.network,
            member.runtime,
            _count(member.flash_bytes),
            _count(member.arena_bytes),
            _count(member.counts.median if member.counts else None),
            member.counter or NOTHING,
            member.board or NOTHING,
        )
        for member in study.members
    ]
    total = study.cost
    sums = (_count(total.flash_bytes), _count(total.arena_bytes), _count(total.median_count))
    rows.append(("together", NOTHING, *sums, total.counter or NOTHING, NOTHING))
    columns = ("member", "runtime", "flash bytes", "RAM bytes", "median an inference", "in", "board")
    return Table("What the ensemble costs", columns, tuple(rows), keys=2)


def _count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def _claims(study: ClaimsStudy, data: DataInfo) -> tuple[Table, ...]:
    del data
    rows = tuple(
        (
            claim.name,
            claim.verdict,
            *(
                str(sum(each.verdict == verdict for each in claim.evidence))
                for verdict in ("confirmed", "refuted", "undecided")
            ),
            claim.statement,
        )
        for claim in study.claims
    )
    columns = ("claim", "verdict", "figures for", "against", "undecided", "statement")
    figures = tuple(
        (claim.name, each.text, estimate_text(_figure(each)), each.verdict)
        for claim in study.claims
        for each in claim.evidence
    )
    return (
        Table("The claims of arXiv 1909.12741", columns, rows, keys=2),
        Table("The evidence, with 95 % intervals", ("claim", "figure", "value", "says"), figures, keys=2),
    )


def _figure(evidence: Any) -> Estimate:
    return Estimate(count=0, value=evidence.value, low=evidence.low, high=evidence.high)
