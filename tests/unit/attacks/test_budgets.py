import pytest

from qbench.attacks.budgets import check_eps, parse_eps
from qbench.data import IMAGE
from qbench.errors import UserError


def test_fractions_and_numbers_are_read():
    assert parse_eps("1/255, 2/255,0.5") == (1 / 255, 2 / 255, 0.5)


@pytest.mark.parametrize("text", ["", "a", "1/0", "1/255,", "1;2"])
def test_what_is_no_budget(text):
    with pytest.raises(UserError, match="is not a list of budgets"):
        parse_eps(text)


@pytest.mark.parametrize("eps", [-1.0, 0.0, float("nan"), float("inf"), 8.0])
def test_budgets_that_mean_nothing(eps):
    with pytest.raises(UserError):
        check_eps([eps], IMAGE, "linf", 64)


def test_pixels_taken_for_the_unit_get_a_hint():
    with pytest.raises(UserError) as caught:
        check_eps([8.0], IMAGE, "linf", 64)
    assert caught.value.hint == "for pixels in [0, 1], write 8/255"
    check_eps([8.0], IMAGE, "l2", 64)


def test_budgets_are_given_once_each():
    with pytest.raises(UserError):
        check_eps([], IMAGE, "linf", 64)
    with pytest.raises(UserError):
        check_eps([0.1, 0.1], IMAGE, "linf", 64)
