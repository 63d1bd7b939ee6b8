"""Sums of square roots, compared exactly."""

from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.exact import Surd
from tests.protocol.rounds import LAWS

small = st.fractions(min_value=-4, max_value=4, max_denominator=50)
radicands = st.fractions(min_value=0, max_value=4, max_denominator=50)
surds = st.lists(st.tuples(small, radicands), max_size=6).map(lambda terms: Surd(tuple(terms)))


def roots(*radicands: str) -> Surd:
    return Surd(tuple((Fraction(-1 if r.startswith("-") else 1), Fraction(r.lstrip("-"))) for r in radicands))


def test_equal_sums_are_equal_although_their_floats_are_not() -> None:
    left, right = roots("0.04", "0.16"), roots("0.36")
    assert left.approximate() != right.approximate()
    assert left.minus(right).sign() == 0
    assert left.minus(right).value() == 0.0


def test_sums_that_differ_far_behind_the_point_are_told_apart() -> None:
    tiny = Fraction(1, 10**60)
    assert Surd(((Fraction(1), Fraction(2)), (Fraction(-1), Fraction(2) + tiny))).sign() == -1
    assert Surd(((Fraction(1), Fraction(2)), (Fraction(-1), Fraction(2) - tiny))).sign() == 1


def test_nothing_sums_to_zero() -> None:
    assert Surd(()).sign() == 0
    assert Surd(()).value() == 0.0


@LAWS
@given(surds)
def test_the_sign_is_that_of_eighty_digits(surd: Surd) -> None:
    with localcontext() as context:
        context.prec = 80
        total = sum(
            (
                (Decimal(c.numerator) / c.denominator) * (Decimal(r.numerator) / r.denominator).sqrt()
                for c, r in surd.terms
            ),
            Decimal(0),
        )
    sign = 0 if abs(total) < Decimal(10) ** -70 else 1 if total > 0 else -1
    assert surd.sign() == sign


@LAWS
@given(surds, surds)
def test_a_difference_has_opposite_signs_both_ways(one: Surd, other: Surd) -> None:
    assert one.minus(other).sign() == -other.minus(one).sign()
    assert one.minus(one).sign() == 0
