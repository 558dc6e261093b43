"""An experiment's file, expanded into tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from qbench.attacks import find_preset
from qbench.errors import UserError
from qbench.experiment import estimating
from qbench.experiment.kinds import KINDS
from qbench.experiment.specification import (
    AttackKeys,
    NetworkKeys,
    Specification,
    StudyEntry,
    folder_name,
)
from qbench.experiment.tasks import Plan, Task
from qbench.places import data_root
from qbench.runtimes import RUNTIMES
from qbench.stages.attack.options import AttackOptions
from qbench.stages.export.options import ExportOptions
from qbench.stages.train.options import TrainOptions
from qbench.studies import find_analysis

# What the attack stage draws if nobody says.
_USUAL_COUNT = 1000


def plan(spec: Specification, out: str | Path | None = None) -> Plan:
    """Every stage call of an experiment, in an order that can be followed.

    Folders lie under the run's: `trained/NETWORK`, `bundle/NETWORK`, `advset/NETWORK/ATTACK`,
    `replay/NETWORK/ATTACK[-from-OTHER][-on-BOARD]`, `report/NETWORK`, `study/ANALYSIS`, and `page`, the
    report of it all.

    Args:
        spec: the file.
        out: the run's folder, in place of the file's.

    Raises:
        UserError: a network's file is not there.
    """
    networks, attacks = spec.networks(), spec.attacks()
    tasks: list[Task] = []
    pairs = [
        _Attacked(spec, network, attack)
        for network in networks
        for attack in attacks
        if attack.networks is None or network.name in attack.networks
    ]
    for network in networks:
        tasks += _bundle_tasks(spec, network)
    tasks += [pair.attack_task() for pair in pairs]
    own: list[Task] = []
    for network in networks:
        replays = [task for pair in pairs for task in pair.replay_tasks(network)]
        own += [task for task in replays if _is_own(task)]
        tasks += replays
        if replays:
            tasks.append(_report(f"report/{network.name}", replays))
    studies = _studies(spec, [task for task in tasks if task.kind != "replay" or _is_own(task)])
    tasks += studies
    if studies and own:
        tasks.append(_report("page", [*own, *studies]))
    general = spec.experiment
    return Plan(name=general.name, out=str(out or spec.out), threads=general.threads, tasks=tuple(tasks))


def gather_task(
    kind: str, name: str, tasks: Iterable[Task], settings: Mapping[str, JsonValue], seconds: float
) -> Task:
    """A task over the folders of all those of `tasks` that its kind takes."""
    found = tuple(tasks)
    inputs: dict[str, str | tuple[str, ...]] = {
        argument: tuple(task.id for task in found if task.kind in kinds)
        for argument, kinds in KINDS[kind].takes.items()
    }
    return Task(id=name, kind=kind, inputs=inputs, settings=dict(settings), seconds=seconds)


def _is_own(replay: Task) -> bool:
    """Whether the inputs of a replay were made against the same network."""
    return str(replay.inputs["bundle"]).partition("/")[2] == str(replay.inputs["advset"]).split("/")[1]


def _report(name: str, tasks: Sequence[Task]) -> Task:
    settings: dict[str, JsonValue] = {"html": True, "compare": True}
    return gather_task("report", name, tasks, settings, estimating.report_seconds(len(tasks)))


def _studies(spec: Specification, tasks: Sequence[Task]) -> list[Task]:
    """The analyses, each over the networks and attacks that it names; `claims` comes last."""
    entries = sorted(spec.studies(), key=lambda each: find_analysis(each.kind).of_studies)
    found: list[Task] = []
    for entry in entries:
        analysis = find_analysis(entry.kind)
        looked_at = found if analysis.of_studies else [task for task in tasks if _concerns(entry, task)]
        seeded = {"seed": spec.experiment.seed} if "seed" in analysis.options.model_fields else {}
        settings: dict[str, JsonValue] = {**seeded, **entry.settings}
        advsets = sum(task.kind == "attack" for task in looked_at)
        seconds = estimating.study_seconds(entry.kind, len(spec.networks()), advsets)
        found.append(gather_task(entry.kind, f"study/{entry.name}", looked_at, settings, seconds))
    return found


def _concerns(entry: StudyEntry, task: Task) -> bool:
    """Whether a task is of a network, and of an attack if it has one, that an analysis looks at."""
    _, network, *rest = task.id.split("/")
    attack = task.inputs["advset"] if task.kind == "replay" else task.id
    named = rest and entry.attacks is not None
    return (entry.networks is None or network in entry.networks) and (
        not named or str(attack).split("/")[-1] in map(folder_name, entry.attacks or ())
    )


def _data(spec: Specification, network: NetworkKeys) -> str:
    return network.data or spec.data.name


def _drop_missing(**settings: Any) -> dict[str, JsonValue]:
    """The settings that are given, as JSON values: a stage's own hold for the others."""
    found = {name: value for name, value in settings.items() if value not in (None, ())}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _bundle_tasks(spec: Specification, network: NetworkKeys) -> Iterator[Task]:
    """Training a network, if it is to be trained, and exporting it."""
    data = _data(spec, network)
    inputs: dict[str, str | tuple[str, ...]] = {}
    if network.model is not None:
        trained = f"trained/{network.name}"
        inputs["model"] = trained
        yield Task(
            id=trained,
            kind="train",
            inputs={},
            settings={"network": network.model, "data": data, **_training(spec, network)},
            seconds=estimating.train_seconds(network, data),
        )
    yield Task(
        id=f"bundle/{network.name}",
        kind="export",
        inputs=inputs,
        settings=_drop_missing(
            model=_existing(network.file),
            data=data,
            **{**network.given_options(ExportOptions), "adopt": _existing(network.value("adopt"))},
            seed=spec.experiment.seed,
        ),
        seconds=estimating.export_seconds(network),
    )


def _training(spec: Specification, network: NetworkKeys) -> dict[str, JsonValue]:
    """The settings of a network's training; each key holds one value by now."""
    told = {**network.given_options(TrainOptions), "start": _existing(network.value("start"))}
    if network.bits:
        told["weight_bits"] = told["act_bits"] = network.bits[0]
    return {**_drop_missing(**told), "seed": _seed(spec, network)}


def _seed(spec: Specification, entry: NetworkKeys | AttackKeys) -> int:
    """An entry's own, or the experiment's."""
    told: int | None = entry.value("seed")
    return spec.experiment.seed if told is None else told


def _existing(file: str | Path | None) -> str | None:
    """A file's absolute path; one that is not here is looked for under $QBENCH_DATA, as data sets are."""
    if file is None:
        return None
    places = [Path(file), *([root / file] if (root := data_root()) else [])]
    for place in places:
        if place.exists():
            return str(place.resolve())
    raise UserError(f"there is no file {file}", hint="give a path from here, or from $QBENCH_DATA")


@dataclass(frozen=True)
class _Attacked:
    """A network under an attack."""

    spec: Specification
    network: NetworkKeys
    attack: AttackKeys

    @property
    def _id(self) -> str:
        return f"advset/{self.network.name}/{self.attack.name}"

    @property
    def _count(self) -> int | None:
        """Inputs, if the file says: a preset's own number holds before that of [data]."""
        preset = find_preset(self.attack.method)
        of_study = preset.attack != self.attack.method
        told: int | None = self.attack.value("count")
        return told or (None if of_study else self.spec.data.count)

    @property
    def _inputs(self) -> int:
        return self._count or find_preset(self.attack.method).count

    def attack_task(self) -> Task:
        """Making the adversarial inputs."""
        attack = self.attack
        told = {**attack.given_options(AttackOptions), "attack": attack.method, "count": self._count}
        return Task(
            id=self._id,
            kind="attack",
            inputs={"bundle": f"bundle/{self.network.name}"},
            settings={
                **_drop_missing(data=_data(self.spec, self.network), **told),
                "seed": _seed(self.spec, attack),
                **attack.settings,
            },
            seconds=estimating.attack_seconds(self.network, attack, self._inputs),
        )

    def replay_tasks(self, target: NetworkKeys) -> Iterator[Task]:
        """Running them on the runtimes of a network, the same or another, and on the boards if the same."""
        own = target.name == self.network.name
        replay = self.spec.replay
        if not own and not (replay.transfer and _data(self.spec, target) == _data(self.spec, self.network)):
            return
        source = "" if own else f"-from-{self.network.name}"
        name = f"replay/{target.name}/{self.attack.name}{source}"
        inputs: dict[str, str | tuple[str, ...]] = {"bundle": f"bundle/{target.name}", "advset": self._id}
        runtimes = list(replay.runtimes if target.runtimes is None else target.runtimes)
        asked = len(runtimes) or len(RUNTIMES)
        cost = estimating.replay_seconds(target, self.attack, self._inputs, asked, board=False)
        settings: dict[str, JsonValue] = {"runtimes": [*runtimes]}
        yield Task(id=name, kind="replay", inputs=inputs, settings=settings, seconds=cost)
        for device in replay.devices if own else ():
            cost = estimating.replay_seconds(target, self.attack, self._inputs, 1, board=True)
            yield Task(
                id=f"{name}-on-{device.board}",
                kind="replay",
                inputs=inputs,
                settings={"runtimes": [], "devices": [device.port]},
                seconds=cost,
                board=device.board,
                port=device.port,
            )
