"""At which amounts of money the panel changes, and what the next cent buys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from broker.selection.limits import decimal
from broker.selection.receipt import Breakpoints, Point

MOST_SOLVES = 8
CENT = Fraction(1, 100)
Resolve = Callable[[Fraction], "Point | None"]


@dataclass(frozen=True)
class Purse:
    """cap: of the session, if it has one; most: what all candidates together cost; step: the smallest difference."""

    cap: Fraction | None
    most: Fraction
    step: Fraction


def breakpoints(resolve: Resolve, *, now: Point, purse: Purse) -> Breakpoints:
    """resolve(cap) gives the panel under a cap, with its cost as max_cost.

    Between a panel's cost and the cap it was found under nothing changes, since panels have one order whatever the
    cap. So the next lower panel is the one under a cap just below the cost of the last.
    """
    walk = _Walk(resolve, purse.step)
    next_cent = None if purse.cap is None else walk.solve(purse.cap + CENT)
    has_more = purse.cap is not None and purse.most > purse.cap
    above = walk.down_from(purse.most, until=now, most=walk.left // 2) if has_more else []
    below = walk.down_from(decimal(now.max_cost) - purse.step, until=None, most=walk.left)
    known = [*above, now, *below] if next_cent is None else [*above, next_cent, now, *below]
    found = {each.chosen: each for each in known}
    points = sorted(found.values(), key=lambda each: (each.max_cost, each.chosen))
    is_news = next_cent is not None and next_cent.chosen != now.chosen
    return Breakpoints(tuple(points), walk.is_complete, next_cent if is_news else None)


class _Walk:
    def __init__(self, resolve: Resolve, step: Fraction) -> None:
        self.left, self.is_complete = MOST_SOLVES, True
        self._resolve, self._step = resolve, step

    def solve(self, cap: Fraction) -> Point | None:
        self.left -= 1
        return self._resolve(cap)

    def down_from(self, cap: Fraction, *, until: Point | None, most: int) -> list[Point]:
        """Panel after panel towards less money, to the given one or to where there is none."""
        found: list[Point] = []
        for _ in range(most):
            point = self.solve(cap)
            if point is None or (until is not None and point.max_cost <= until.max_cost):
                return found
            found.append(point)
            cap = decimal(point.max_cost) - self._step
        self.is_complete = False
        return found
