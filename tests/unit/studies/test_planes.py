"""All analyses on linear networks whose answer is known."""

import numpy as np
import pytest
from unit.studies.conftest import data_info, linear, stepped

from qbench.artifacts import load
from qbench.errors import UserError
from qbench.studies.alignment import alignment
from qbench.studies.claims import claims
from qbench.studies.claims.run import unite
from qbench.studies.direct import direct
from qbench.studies.ensemble import ensemble
from qbench.studies.gathering import Gathered
from qbench.studies.masking import masking
from qbench.studies.shift import shift
from qbench.studies.transfer import transfer


def paths(*artifacts):
    return [each.path for each in artifacts]


def test_direct_counts_and_measures_the_successes(tmp_path, right, up, on_right, on_up):
    made = direct(paths(right, on_right, on_up, up), tmp_path / "out")
    first, second = made.content.result.rows
    assert (first.at.network, second.at.network) == ("right", "up")
    assert first.protocol == "paper"
    assert (first.accuracy.count, first.accuracy.total, first.successes) == (4, 8, 4)
    sizes = {name: each.value for name, each in first.sizes.items()}
    assert sizes == pytest.approx({"l0": 1, "l1": 1.5, "l2": 1.5, "linf": 1.5})


def test_direct_compares_with_the_first_network_input_by_input(tmp_path, right, up, on_right, on_up):
    made = direct(paths(right, on_right, up, on_up), tmp_path / "out")
    ((_, test),) = made.content.result.comparisons
    # Each loses four inputs, of which two are the same.
    assert (test.first, test.second) == ("right", "up")
    assert (test.total, test.only_first, test.only_second) == (8, 2, 2)
    assert test.better is None


def test_direct_takes_no_more_inputs_than_told(tmp_path, right, on_right):
    made = direct(paths(right, on_right), tmp_path / "out", count=3)
    assert made.content.result.rows[0].accuracy.total == 3


def test_transfer_is_full_to_a_twin_and_nil_across_a_right_angle(tmp_path, right, twin, up, on_right):
    made = transfer(paths(right, twin, up, on_right), tmp_path / "out")
    found = {cell.target: cell for cell in made.content.result.cells}
    assert {cell.runtime for cell in found.values()} == {"float"}
    shares = {target: (cell.transfer.count, cell.transfer.total) for target, cell in found.items()}
    assert shares == {"right": (4, 4), "twin": (4, 4), "up": (0, 4)}
    assert found["up"].accuracy.count == found["up"].accuracy.total == 8


def test_alignment_is_the_angle_between_linear_networks(tmp_path, plane, right, twin, up, on_right):
    slanted = plane.bundle("slanted", linear([3, 4]))
    made = alignment(paths(right, twin, up, slanted, on_right), tmp_path / "out")
    found = {(each.first, each.second): each for each in made.content.result.pairs}
    cosines = {pair: each.cosine.mean.value for pair, each in found.items()}
    assert cosines["right", "twin"] == pytest.approx(1)
    assert cosines["right", "up"] == pytest.approx(0, abs=1e-6)
    assert cosines["right", "slanted"] == pytest.approx(0.6)
    assert cosines["up", "slanted"] == pytest.approx(0.8)
    # Where the two gradients share no element there is no sign to agree.
    assert found["right", "up"].sign_agreement.undefined == 8
    assert found["up", "slanted"].sign_agreement.mean.value == 1


def test_masking_trusts_a_linear_network_and_not_a_step(tmp_path, plane, right, on_right):
    step = plane.bundle("step", stepped())
    made = masking(paths(right, step, on_right), tmp_path / "out", eps=1.5, steps=5, queries=50)
    plain, masked = made.content.result.verdicts
    assert {trial.name: trial.accuracy.count for trial in plain.trials}["pgd float"] == 4
    assert (plain.zero_gradient.count, plain.unbounded.count) == (0, 8)
    assert plain.verdict == "undecided"  # of eight inputs
    assert "too few inputs" in plain.explanation
    assert masked.zero_gradient.count == 8
    assert masked.verdict == "masked"
    assert "vanishes on 100.0 %" in masked.explanation


def test_an_ensemble_of_right_angles_stops_transfer_and_not_who_knows_it(
    tmp_path, plane, right, up, on_right
):
    between = plane.bundle("between", linear([0.5, 0.5]))
    made = ensemble(paths(right, up, between, on_right), tmp_path / "out", agreement=3, steps=5)
    study = made.content.result
    clean, transferred, adaptive = study.rows
    assert study.best_member == "right"
    assert (clean.majority.count, clean.rejected.count) == (8, 0)
    # (-0.5, 1): right errs, up does not, and between is right by a little; (-0.5, 2) alike.
    assert (transferred.single.count, transferred.majority.count) == (4, 8)
    assert (transferred.rejected.count, transferred.wrong_accepted.count) == (4, 0)
    assert transferred.gain.only_first == 4
    assert adaptive.adaptive
    assert adaptive.at.network == "ensemble"
    # The inputs with both coordinates at 1 go across both axes; with one at 2 at least two still see it.
    assert adaptive.majority.count < 8
    assert adaptive.single.count == 4


def test_the_ensemble_is_refused_an_agreement_of_more_than_it_has(tmp_path, right, up, on_right):
    with pytest.raises(UserError, match="agreement must be between 2 and the 2"):
        ensemble(paths(right, up, on_right), tmp_path / "out", agreement=3)


def test_claims_are_decided_by_intervals_alone(tmp_path, right, twin, up, on_right, on_up):
    inputs = paths(right, twin, up, on_right, on_up)
    made = [alignment(inputs, tmp_path / "a"), transfer(inputs, tmp_path / "t")]
    # All three have the same widths: nothing bears on claims about widths.
    held = claims(paths(*made), tmp_path / "out").content.result.claims
    assert {claim.verdict for claim in held} == {"undecided"}
    assert not any(claim.evidence for claim in held)
    assert unite(["confirmed", "confirmed"]) == "confirmed"
    assert unite(["refuted", "undecided"]) == "undecided"


def test_a_study_is_found_again_and_its_bytes_are_the_same(tmp_path, right, up, on_right):
    inputs = paths(right, up, on_right)
    first, other = transfer(inputs, tmp_path / "a"), transfer(inputs, tmp_path / "b")
    assert transfer(inputs, tmp_path / "a").reused
    for name in ("study.md", "study.svg", "manifest.json"):
        assert (first.path / name).read_bytes() == (other.path / name).read_bytes()
    assert load(first.path, "study").content.result.analysis == "transfer"


def test_results_of_other_data_are_refused(tmp_path, plane, right, on_right):
    other = data_info("1" * 64)
    stranger = plane.bundle("stranger", linear([1, 0]), other)
    with pytest.raises(UserError, match="is of other data"):
        transfer(paths(right, on_right, stranger), tmp_path / "out")
    moved = np.zeros((8, 2))
    on_stranger = plane.advset("on-stranger", stranger, linear([1, 0]), moved, data=other)
    studies = [
        direct(paths(right, on_right), tmp_path / "a"),
        direct(paths(stranger, on_stranger), tmp_path / "b"),
    ]
    with pytest.raises(UserError, match="is of other data"):
        claims(paths(*studies), tmp_path / "out")


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (["on_right"], "no network to study"),
        (["right"], "no adversarial inputs"),
        (["right", "right", "on_right"], "given twice"),
        (["up", "on_right"], "a bundle that is not here"),
    ],
)
def test_inputs_that_do_not_belong_together_are_refused(tmp_path, request, chosen, says):
    with pytest.raises(UserError, match=says):
        direct(paths(*map(request.getfixturevalue, chosen)), tmp_path / "out")


def test_claims_take_studies_and_nothing_else(tmp_path, right):
    with pytest.raises(UserError, match="holds a qbench bundle"):
        claims(paths(right), tmp_path / "out")


def test_shift_needs_an_integer_network(tmp_path, right, on_right):
    with pytest.raises(UserError, match="no network here has an integer artefact"):
        shift(paths(right, on_right), tmp_path / "out")


def test_networks_of_one_name_are_told_apart_by_folder_or_number(plane, right, on_right):
    other = plane.bundle("elsewhere/right", linear([0, 2]))
    third = plane.bundle("third/right", linear([0, 3]))
    names = [each.name for each in Gathered.read(paths(right, other, third, on_right)).networks]
    assert names == ["right right 1", "right right 2", "right right 3"]


def test_the_same_attack_in_two_ways_has_two_names(tmp_path, plane, right, on_right, on_up, up):
    again = plane.advset("surer", right, linear([1, 0]), np.zeros((8, 2)))
    made = direct(paths(right, up, on_right, again, on_up), tmp_path / "out")
    named = [(row.at.network, row.at.attack) for row in made.content.result.rows]
    assert named == [("right", f"pgd ({on_right.path.name})"), ("right", "pgd (surer)"), ("up", "pgd")]
