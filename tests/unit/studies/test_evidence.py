"""What figures say of the paper's claims: studies written by hand, of a float and a two-bit network."""

import numpy as np
import pytest
from unit.studies.conftest import data_info

from qbench.artifacts import Estimate
from qbench.statistics import proportion
from qbench.studies.alignment.content import Alignment, AlignmentStudy, Distribution
from qbench.studies.claims import evidence
from qbench.studies.content import AttackPoint, StudyContent, StudyNetwork
from qbench.studies.direct.content import DirectRow, DirectStudy
from qbench.studies.shift.content import LayerShift, ShiftProfile, ShiftStudy
from qbench.studies.transfer.content import TransferCell, TransferStudy

NETWORKS = tuple(
    StudyNetwork(name=name, digest=name, weight_bits=bits, act_bits=bits, integer=True)
    for name, bits in (("net", 32), ("net-w2a2", 2))
)


def study(result):
    return [StudyContent(data=data_info(), networks=NETWORKS, inputs=100, result=result)]


def at(network, attack="pgd"):
    return AttackPoint(network=network, attack=attack, norm="linf", surrogate="float", eps=1.0)


def share(percent, total=1000):
    return proportion(np.arange(total) < percent * total / 100)


def about(value, half=0.01):
    return Estimate(count=100, value=value, low=value - half, high=value + half)


def row(network, attack, percent):
    accuracy = share(percent)
    return DirectRow(at=at(network, attack), protocol="paper", accuracy=accuracy, successes=0, sizes={})


@pytest.mark.parametrize(("kept", "verdict"), [(20, "confirmed"), (30, "undecided"), (60, "refuted")])
def test_protection_is_judged_under_the_strongest_attack(kept, verdict):
    rows = (
        row("net", "pgd", 20),
        row("net", "fgsm", 70),
        row("net-w2a2", "pgd", 90),
        row("net-w2a2", "square", kept),
    )
    (found,) = evidence.protection(study(DirectStudy(rows=rows, comparisons=())))
    assert found.value == pytest.approx((kept - 20) / 100)
    assert "net-w2a2 under square" in found.text
    assert found.verdict == verdict


@pytest.mark.parametrize(("share_of", "verdict"), [(10, "confirmed"), (50, "undecided"), (90, "refuted")])
def test_transfer_counts_between_widths_alone(share_of, verdict):
    cells = tuple(
        TransferCell(
            at=at(source), target=target, runtime="tflite-ref", accuracy=share(50), transfer=share(share_of)
        )
        for source in ("net", "net-w2a2")
        for target in ("net", "net-w2a2")
    )
    found = list(evidence.poor_transfer(study(TransferStudy(cells=cells))))
    assert [each.verdict for each in found] == [verdict, verdict]


@pytest.mark.parametrize(("cosine", "verdict"), [(0.02, "confirmed"), (-0.4, "refuted"), (0.1, "undecided")])
def test_gradients_are_misaligned_where_cosines_are_small(cosine, verdict):
    spread = Distribution(mean=about(cosine), quantiles=(), low=-1, high=1, histogram=(), undefined=0)
    pair = Alignment(first="net float", second="net-w2a2 float", cosine=spread, sign_agreement=spread)
    surrogates = {"net float": "float", "net-w2a2 float": "float"}
    (found,) = evidence.misalignment(study(AlignmentStudy(surrogates=surrogates, pairs=(pair,))))
    assert found.verdict == verdict


@pytest.mark.parametrize(("vanished", "verdict"), [(0.8, "confirmed"), (0.2, "refuted"), (0.5, "undecided")])
def test_values_shift_in_the_layer_where_most_vanishes(vanished, verdict):
    def layer(index, gone):
        rest = dict.fromkeys(("changed", "before", "after", "growth"), about(0.1))
        return LayerShift(layer=index, operator="CONV_2D", tensor="t", vanished=about(gone), **rest)

    layers = (layer(-1, 0.99), layer(0, vanished), layer(3, 0.01))
    profiles = tuple(
        ShiftProfile(at=at("net"), target=target, layers=layers) for target in ("net", "net-w2a2")
    )
    (found,) = evidence.value_shift(study(ShiftStudy(profiles=profiles)))
    assert "layer 0" in found.text
    assert found.verdict == verdict
