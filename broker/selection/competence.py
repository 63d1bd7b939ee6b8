"""What is known of how often a model is right, and how its errors go with another's (protocol.md 8 [O]).

Everything here learns from external checks alone: a known answer, a test run, a human ruling; never from agreement.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

TOO_FEW_CHECKS = 10
INTERVAL = 0.9
PHI_PRIOR_ROWS = 30.0  # a prior of a family's phi weighs as much as so many questions that both answered
STEPS = 200


@dataclass(frozen=True)
class Beta:
    """Beliefs about a share: `a` - and `b` - pseudo-counts of right and wrong."""

    a: float = 1.0
    b: float = 1.0

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def quantile(self, share: float) -> float:
        return beta_quantile(share, a=self.a, b=self.b)


@dataclass(frozen=True)
class Posterior:
    """Of one (model, category). asked: the checks it rests on, without the prior's."""

    belief: Beta
    asked: float

    @property
    def mean(self) -> float:
        return self.belief.mean

    @property
    def interval(self) -> tuple[float, float]:
        """Equal-tailed, 90 %."""
        tail = (1 - INTERVAL) / 2
        return (self.belief.quantile(tail), self.belief.quantile(1 - tail))

    @property
    def too_few(self) -> bool:
        return self.asked < TOO_FEW_CHECKS


def posterior(right: float, asked: float, prior: Beta) -> Posterior:
    """Beta(a + right, b + asked - right), the prior being the family's. Raises ValueError for impossible counts."""
    if not 0 <= right <= asked:
        raise ValueError(f"{right:g} of {asked:g} cannot be right")
    return Posterior(Beta(prior.a + right, prior.b + asked - right), asked)


def family_prior(members: Sequence[tuple[float, float]], *, strength: float = 4.0) -> Beta:
    """From (right, asked) of the other models of the family: their pooled share, smoothed by one of each, with the
    weight of `strength` checks. Uniform where nobody of the family was ever checked.
    """
    right, asked = (math.fsum(column) for column in zip(*members, strict=True)) if members else (0.0, 0.0)
    if asked == 0:
        return Beta()
    share = (right + 1) / (asked + 2)
    return Beta(strength * share, strength * (1 - share))


@dataclass(frozen=True)
class Draw:
    """A draw for a model that is hardly known, as it is logged."""

    accuracy: float
    mean: float
    asked: float
    seed: str


def thompson_draw(belief: Posterior, *, seed: str) -> Draw:
    """One seeded draw from the posterior. The same seed gives the same draw."""
    accuracy = random.Random(seed).betavariate(belief.belief.a, belief.belief.b)
    return Draw(accuracy, belief.mean, belief.asked, seed)


def phi(first: Sequence[bool | None], second: Sequence[bool | None], *, prior: float) -> float:
    """Correlation of two models' errors where both answered, shrunk to the prior: (n phi + 30 prior) / (n + 30).

    Right is True, None is not asked. A model that is always right or always wrong there says nothing: the prior.
    """
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    n = len(both)
    a, b, ab = sum(x for x, _ in both), sum(y for _, y in both), sum(x and y for x, y in both)
    spread = a * (n - a) * b * (n - b)
    if not spread:
        return prior
    seen = (n * ab - a * b) / math.sqrt(spread)
    return (n * seen + PHI_PRIOR_ROWS * prior) / (n + PHI_PRIOR_ROWS)


def paired_lower_bound(better: int, worse: int, *, rows: int) -> float:
    """Lower 90 % bound of a paired gain, as a share of the rows.

    better, worse: rows that only the first, only the second has right. Exact: the share of the first among the rows
    where they differ has the Clopper-Pearson bound q, and the gain is (2 q - 1) (better + worse) / rows.
    """
    if better == 0:
        return -worse / rows if rows else 0.0
    q = beta_quantile(1 - INTERVAL, a=better, b=worse + 1)
    return (2 * q - 1) * (better + worse) / rows


@lru_cache(maxsize=4096)
def beta_quantile(share: float, *, a: float, b: float) -> float:
    """The x with I_x(a, b) = share: Newton's steps, and halving where one would leave the bracket."""
    if not 0 < share < 1:
        return float(share >= 1)
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(STEPS):
        error = beta_share(x, a=a, b=b) - share
        low, high = (low, x) if error > 0 else (x, high)
        slope = _density(x, a=a, b=b)
        step = error / slope if slope else math.inf
        if abs(step) <= 1e-13 * x:
            break
        x = x - step if low < x - step < high else (low + high) / 2
    return x


def _density(x: float, *, a: float, b: float) -> float:
    if not 0 < x < 1:
        return 0.0
    return math.exp((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_share(x: float, *, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) (DLMF 8.17.22), on the side where its continued fraction
    converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b))
    if x < (a + 1) / (a + b + 2):
        return front / (a * _fraction(x, a=a, b=b))
    return 1 - front / (b * _fraction(1 - x, a=b, b=a))


def _fraction(x: float, *, a: float, b: float) -> float:
    """1 + d_1 / (1 + d_2 / (1 + ...)), by Lentz's method."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, STEPS + 1):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + term * d) or tiny)
        c = (1 + term / c) or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
