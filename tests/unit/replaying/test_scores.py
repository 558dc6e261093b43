"""The figures of a replay, against counts made by hand."""

import numpy as np

from qbench.artifacts import RuntimeInfo
from qbench.replaying.scores import Labels, Outputs, Rounding, disagreements, score
from qbench.statistics import proportion


def info(name, artifact="int8.tflite"):
    return RuntimeInfo(name=name, artifact=artifact, package="p", version="1", kernels="reference", threads=1)


def vectors(labels, other=0):
    """Output codes with the highest at each label; `other` is the code of all the rest."""
    out = np.full((len(labels), 3), other, np.int8)
    out[np.arange(len(labels)), labels] = 100
    return out


def test_wilson_interval_equals_its_closed_form():
    """Wilson (1927): (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)."""
    found = proportion(np.arange(40) < 7)
    z, p, n = 1.959963984540054, 7 / 40, 40
    middle, spread = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (found.count, found.total, found.value) == (7, 40, p)
    np.testing.assert_allclose(
        [found.low, found.high], np.array([middle - spread, middle + spread]) / (1 + z * z / n)
    )


def test_nothing_counted_has_no_value():
    found = proportion(np.ones(3, bool), np.zeros(3, bool))
    assert (found.count, found.total, found.value, found.low, found.high) == (0, 0, None, None, None)


def test_every_share_is_over_what_it_says():
    """Six inputs of label 0; each column below is one of them."""
    truth = np.zeros(6, int)
    runtime = Outputs(info("r"), vectors([0, 0, 0, 0, 1, 0]), (vectors([1, 1, 0, 0, 1, 2]),))
    surrogate = Labels(np.array([0, 0, 0, 1, 0, 0]), (np.array([1, 0, 1, 1, 1, 1]),))
    network = Labels(np.array([0, 0, 0, 0, 1, 0]), (np.array([1, 1, 1, 0, 1, 1]),))
    rounding = Rounding(
        changed=(np.array([1, 1, 1, 1, 1, 0], bool),),
        erased=(np.array([0, 0, 1, 0, 0, 0], bool),),
        clamped=(np.array([1, 1, 0, 0, 0, 0], bool),),
        float_labels=(np.array([1, 1, 0, 0, 1, 1]),),
    )
    found = score(runtime, rounding, truth, surrogate, network, [0.5])
    (at,) = found.by_eps
    shares = {
        "clean_accuracy": (found.clean_accuracy, 5, 6),
        "robust_accuracy": (at.robust_accuracy, 2, 6),
        "attack_success": (at.attack_success, 3, 5),
        "transfer": (at.transfer, 2, 3),
        "float_success_before": (at.float_success_before, 4, 5),
        "float_success_after": (at.float_success_after, 3, 5),
        "erased": (at.erased, 1, 5),
        "clamped": (at.clamped, 2, 6),
    }
    assert {k: (v.count, v.total) for k, (v, _, _) in shares.items()} == {
        k: (count, total) for k, (_, count, total) in shares.items()
    }


def test_ties_go_to_the_first_label():
    assert Outputs(info("r"), np.int8([[5, 9, 9]]), ()).labels.clean == [1]


def test_disagreement_counts_labels_vectors_and_the_largest_difference():
    first = Outputs(info("a"), vectors([0, 1, 2]), (vectors([0, 0, 0]),))
    second = Outputs(info("b"), vectors([0, 1, 1]), (np.int8([[100, 0, 0], [100, 0, 7], [100, -128, 0]]),))
    other = Outputs(info("c", "int8.onnx"), vectors([0, 1, 2]), (vectors([0, 0, 1]),))
    found = disagreements([first, second, other], [0.1])
    assert [(d.first, d.second, d.eps) for d in found] == [
        *(("a", "b", None), ("a", "b", 0.1), ("a", "c", None)),
        *(("a", "c", 0.1), ("b", "c", None), ("b", "c", 0.1)),
    ]
    clean, attacked, across = found[:3]
    assert (clean.labels.count, clean.vectors.count, clean.largest) == (1, 1, 100)
    assert (attacked.labels.count, attacked.vectors.count, attacked.largest) == (0, 2, 128)
    assert (across.labels.count, across.vectors, across.largest) == (0, None, None)
