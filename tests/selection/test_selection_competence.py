"""What is known of a model: posterior, interval, correlation, draws."""

import math

import pytest

from broker.selection.competence import (
    Beta,
    Posterior,
    beta_quantile,
    beta_share,
    family_prior,
    paired_lower_bound,
    phi,
    posterior,
    thompson_draw,
)

# Known values: closed forms, and quantiles as printed in tables of the beta distribution.
QUANTILES = [
    (0.05, 1, 1, 0.05),
    (0.10, 4, 1, 0.1**0.25),
    (0.95, 1, 5, 1 - 0.05**0.2),
    (0.50, 2, 2, 0.5),
    (0.05, 0.5, 0.5, math.sin(0.05 * math.pi / 2) ** 2),
    (0.50, 3, 7, 0.2862),
    (0.975, 9, 3, 0.9398),
]


@pytest.mark.parametrize(("share", "a", "b", "x"), QUANTILES)
def test_quantiles(share: float, a: float, b: float, x: float) -> None:
    assert beta_quantile(share, a=a, b=b) == pytest.approx(x, abs=5e-5)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 9), (30, 12), (2000, 3000), (0.3, 1500), (800, 2)])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.1, 0.5, 0.9, 0.95])
def test_a_quantile_has_its_share_below_it(a: float, b: float, share: float) -> None:
    assert beta_share(beta_quantile(share, a=a, b=b), a=a, b=b) == pytest.approx(share, abs=1e-9)


def test_the_share_of_whole_numbers_is_a_binomial_tail() -> None:
    tail = sum(math.comb(6, k) * 0.3**k * 0.7 ** (6 - k) for k in range(2, 7))
    assert beta_share(0.3, a=2, b=5) == pytest.approx(tail, abs=1e-12)


def test_a_posterior_adds_checks_to_its_prior() -> None:
    found = posterior(7, 9, Beta(2, 2))
    assert (found.belief, found.asked, found.too_few) == (Beta(9, 4), 9, True)
    low, high = found.interval
    assert low < found.mean < high
    assert not posterior(8, 10, Beta()).too_few
    with pytest.raises(ValueError, match="10 of 9 cannot be right"):
        posterior(10, 9, Beta())


def test_a_family_speaks_for_a_model_that_was_never_asked() -> None:
    assert family_prior([]) == family_prior([(0, 0)]) == Beta(1, 1)
    prior = family_prior([(80, 100), (9, 10)])
    assert prior.mean == pytest.approx(90 / 112)
    assert prior.a + prior.b == 4


def test_phi_is_shrunk_to_the_prior_of_the_family() -> None:
    first, second = [True, True, False, False] * 30, [True, False, False, False] * 30
    plain = (120 * 30 - 60 * 30) / math.sqrt(60 * 60 * 30 * 90)
    assert phi(first, second, prior=0.4) == pytest.approx((120 * plain + 30 * 0.4) / 150)
    assert phi([True, None], [None, False], prior=0.4) == 0.4
    assert phi([True] * 9, [True, False, True] * 3, prior=0.4) == 0.4
    assert phi([True, False] * 1000, [True, False] * 1000, prior=0.0) == pytest.approx(1, abs=0.02)


def test_a_draw_is_repeatable_and_says_what_it_is() -> None:
    belief = Posterior(Beta(3, 2), 3)
    draw = thompson_draw(belief, seed="7/a")
    assert draw == thompson_draw(belief, seed="7/a") != thompson_draw(belief, seed="7/b")
    assert (draw.mean, draw.asked, 0 < draw.accuracy < 1) == (0.6, 3, True)


def test_draws_follow_the_posterior() -> None:
    draws = [thompson_draw(Posterior(Beta(3, 2), 3), seed=str(n)).accuracy for n in range(2000)]
    assert sum(draws) / len(draws) == pytest.approx(0.6, abs=0.02)


@pytest.mark.parametrize(
    ("better", "worse", "rows", "is_certain"),
    [(3, 0, 10, False), (4, 0, 10, True), (0, 0, 10, False), (195, 165, 3000, True), (185, 165, 3000, False)],
)
def test_a_gain_is_certain_where_its_lower_bound_is_above_zero(
    better: int, worse: int, rows: int, is_certain: bool
) -> None:
    lower = paired_lower_bound(better, worse, rows=rows)
    assert (lower > 0) is is_certain
    assert lower <= (better - worse) / rows
