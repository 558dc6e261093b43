"""The folders that an analysis looks at: which network was attacked by what, all on the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qbench.artifacts import (
    AdvsetContent,
    Artifact,
    BundleContent,
    DataInfo,
    EpsResult,
    ReplayContent,
    load,
)
from qbench.artifacts.networks import FLOAT_BITS
from qbench.attacks import Victims
from qbench.errors import UserError
from qbench.studies.content import AnalysisResult, AttackPoint, StudyContent, StudyNetwork


@dataclass(frozen=True)
class Network:
    """A network of the study: its bundle, and its record."""

    bundle: Artifact[BundleContent]
    record: StudyNetwork

    @property
    def name(self) -> str:
        """Unique in the study."""
        return self.record.name

    @property
    def content(self) -> BundleContent:
        """The bundle's header."""
        return self.bundle.content


@dataclass(frozen=True)
class Attacked:
    """An advset, and the network that it was made against.

    Attributes:
        attack: what tables call it: its name, with its folder's where the same attack was run in another way.
    """

    network: Network
    advset: Artifact[AdvsetContent]
    attack: str

    def array(self, name: str) -> NDArray[Any]:
        """A file of the advset, memory-mapped."""
        found: NDArray[Any] = np.load(self.advset.path / name, mmap_mode="r")
        return found

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        """The true labels, [n]."""
        return np.asarray(self.array("labels.npy"))

    @cached_property
    def indices(self) -> NDArray[np.int64]:
        """Of the inputs in the test split, [n]."""
        return np.asarray(self.array("indices.npy"))

    @property
    def only_right(self) -> bool:
        """Whether the inputs were drawn from those that the attacked network gets right."""
        return bool(self.advset.manifest.settings.get("only_correct"))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Inputs that the attacked network gets right when clean, [n]."""
        return np.asarray(self.array("logits-clean.npy").argmax(axis=1) == self.truth)

    def stands(self, result: EpsResult) -> NDArray[np.bool_]:
        """Inputs that the attacked network still gets right, [n]."""
        return np.asarray(self.array(f"logits-{result.file}").argmax(axis=1) == self.truth)

    def points(self) -> Iterator[tuple[AttackPoint, EpsResult]]:
        """Every budget."""
        content = self.advset.content
        for result in content.results:
            point = AttackPoint(
                network=self.network.name,
                attack=self.attack,
                norm=content.norm,
                surrogate=content.surrogate,
                eps=result.eps,
            )
            yield point, result


@dataclass(frozen=True)
class Gathered:
    """What an analysis was given, all of the same data."""

    data: DataInfo
    networks: tuple[Network, ...]
    attacked: tuple[Attacked, ...]
    replays: tuple[tuple[Network, Artifact[ReplayContent]], ...]
    digests: tuple[str, ...]

    @classmethod
    def read(cls, inputs: Sequence[str | Path]) -> Gathered:
        """Load bundles, the advsets made against them, and replays of them, in any order.

        Raises:
            UserError: there is no bundle, a folder is given twice or of another kind, they are of different
                data, or the bundle of an advset or replay is missing.
        """
        found = _load(inputs)
        _check_same_data(found)
        networks = _name_entries([each for each in found if each.manifest.kind == "bundle"])
        for each in networks:
            if each.content.task.kind == "regression":
                raise UserError(
                    f"{each.name} is a regression, and analyses compare labels",
                    hint="give bundles of classifiers or anomaly detectors",
                )
        if not networks:
            raise UserError("there is no network to study", hint="give one or more bundles")
        by_digest = {network.record.digest: network for network in networks}
        advsets = [each for each in found if each.manifest.kind == "advset"]
        replays = [each for each in found if each.manifest.kind == "replay"]
        return cls(
            data=networks[0].content.data,
            networks=networks,
            attacked=_attacked(advsets, by_digest),
            replays=tuple((_network_of(each, by_digest), each) for each in replays),
            digests=tuple(each.manifest.digest for each in found),
        )

    @property
    def names(self) -> list[str]:
        """Of the networks."""
        return [network.name for network in self.networks]

    def content(self, inputs: int, result: AnalysisResult) -> StudyContent:
        """The header of a finished study.

        Args:
            inputs: how many it used of each set.
            result: what it found.
        """
        return StudyContent(data=self.data, networks=self.records, inputs=inputs, result=result)

    @property
    def records(self) -> tuple[StudyNetwork, ...]:
        """Of all networks."""
        return tuple(network.record for network in self.networks)

    def require_attacks(self) -> tuple[Attacked, ...]:
        """The advsets.

        Raises:
            UserError: there is none.
        """
        if not self.attacked:
            raise UserError(
                "there are no adversarial inputs to study", hint="give advsets beside their bundles"
            )
        return self.attacked

    @property
    def clean_inputs(self) -> Attacked:
        """The advset whose clean inputs stand for the data.

        The first that was not drawn from what its network gets right, else the first.

        Raises:
            UserError: there is no advset.
        """
        attacked = self.require_attacks()
        return next((each for each in attacked if not each.only_right), attacked[0])

    def victims(self, count: int, network: Network | None = None) -> Victims:
        """The first clean inputs of an advset: of that network if it has one, else of `clean_inputs`.

        Raises:
            UserError: there is no advset.
        """
        own = (each for each in self.require_attacks() if each.network is network)
        chosen = next(own, self.clean_inputs)
        x = np.asarray(chosen.array("inputs.npy")[:count])
        return Victims(x, chosen.truth[:count], chosen.indices[:count])

    def require_networks(self, least: int) -> tuple[Network, ...]:
        """The networks.

        Raises:
            UserError: there are fewer than `least`.
        """
        if len(self.networks) < least:
            raise UserError(
                f"this analysis compares networks and was given {len(self.networks)}",
                hint=f"give at least {least} bundles",
            )
        return self.networks


def load_studies(inputs: Sequence[str | Path]) -> list[Artifact[StudyContent]]:
    """Studies of the same data.

    Raises:
        UserError: there is none, a folder is given twice or of another kind, or they are of different data.
    """
    found = _load(inputs, ("study",))
    if not found:
        raise UserError("there is no study to draw on", hint="give folders that `qbench study` wrote")
    _check_same_data(found)
    return found


def _load(
    inputs: Sequence[str | Path], kinds: Sequence[str] = ("bundle", "advset", "replay")
) -> list[Artifact[Any]]:
    found = [load(Path(each)) for each in inputs]
    for each in found:
        if each.manifest.kind not in kinds:
            raise UserError(
                f"{each.path} holds a qbench {each.manifest.kind}; wanted here: {', '.join(kinds)}"
            )
    twice = [digest for digest, times in Counter(each.manifest.digest for each in found).items() if times > 1]
    if twice:
        path = next(each.path for each in found if each.manifest.digest == twice[0])
        raise UserError(f"{path} is given twice, or a copy of it", hint="name every folder once")
    return found


def _check_same_data(found: Sequence[Artifact[Any]]) -> None:
    """Refuse folders whose figures were taken on different data."""
    for each in found[1:]:
        ours, theirs = found[0].content.data, each.content.data
        if ours.fingerprint != theirs.fingerprint:
            raise UserError(
                f"{each.path} is of other data ({theirs.name}, {theirs.fingerprint[:12]}) than "
                f"{found[0].path} ({ours.name}, {ours.fingerprint[:12]})",
                cause="figures taken on different data cannot be compared",
                hint="make one study a data set",
            )


def _attacked(
    advsets: Sequence[Artifact[AdvsetContent]], networks: dict[str, Network]
) -> tuple[Attacked, ...]:
    """Each advset with its network; what would be called the same gets its folder's name."""

    def same(advset: Artifact[AdvsetContent]) -> tuple[Any, ...]:
        content = advset.content
        eps = tuple(each.eps for each in content.results)
        return advset.manifest.inputs["bundle"], content.attack, content.norm, content.surrogate, eps

    times = Counter(map(same, advsets))
    return tuple(
        Attacked(
            _network_of(each, networks),
            each,
            f"{each.content.attack} ({each.path.absolute().name})"
            if times[same(each)] > 1
            else each.content.attack,
        )
        for each in advsets
    )


def _network_of(artifact: Artifact[Any], networks: dict[str, Network]) -> Network:
    digest = artifact.manifest.inputs["bundle"]
    if digest not in networks:
        raise UserError(
            f"{artifact.path} was made from a bundle that is not here",
            cause=f"its bundle has the digest {digest[:12]}",
            hint="give that bundle as well",
        )
    return networks[digest]


def _name_entries(bundles: Sequence[Artifact[BundleContent]]) -> tuple[Network, ...]:
    """Networks with names that tell them apart: what is alike gets its folder's name, then a number."""
    names = [each.content.full_name for each in bundles]
    folders = [each.path.absolute().name for each in bundles]
    numbers = [str(i + 1) for i in range(len(bundles))]
    for marks in (folders, numbers):
        times = Counter(names)
        names = [
            f"{name} {mark}" if times[name] > 1 else name for name, mark in zip(names, marks, strict=True)
        ]
    return tuple(Network(each, _record(name, each)) for name, each in zip(names, bundles, strict=True))


def _widths(content: BundleContent) -> tuple[int, int]:
    """Bits of weights and activations."""
    lowbit = content.lowbit
    return (lowbit.weight_bits, lowbit.act_bits) if lowbit else (FLOAT_BITS, FLOAT_BITS)


def _record(name: str, bundle: Artifact[BundleContent]) -> StudyNetwork:
    weights, acts = _widths(bundle.content)
    return StudyNetwork(
        name=name,
        digest=bundle.manifest.digest,
        weight_bits=weights,
        act_bits=acts,
        integer="int8.tflite" in bundle.content.artifacts,
    )
