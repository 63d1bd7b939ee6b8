"""Greedy growth and swaps: a feasible panel at once, a hint for the solver, and many good panels to rank
(protocol.md 8, step 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from broker.selection.limits import Rules
from broker.selection.teams import Board

Key = tuple[int, int, int, int, int, tuple[int, ...]]
STARTS, IMPROVED, STEPS = 12, 8, 30
PATIENCE = 3  # members that a growing panel may add without becoming better


@dataclass
class Pool:
    """Every panel that was seen, with its key; smaller keys are better. A total order: V in half points, cost,
    latency, V in full, size, names.
    """

    rules: Rules
    board: Board
    keys: dict[tuple[int, ...], Key] = field(default_factory=dict)

    def key(self, members: Sequence[int]) -> Key:
        cost, latency = self.rules.spread(members)
        right = self.board.count(members)
        return (-self.board.level(members), cost, latency, -right, len(members), tuple(sorted(members)))

    def see(self, members: Sequence[int]) -> Key | None:
        """Keeps it if it is a panel, and gives its key."""
        name = tuple(sorted(members))
        if name not in self.keys and self.rules.is_panel(name):
            self.keys[name] = self.key(name)
        return self.keys.get(name)

    def best(self, count: int) -> list[tuple[int, ...]]:
        return sorted(self.keys, key=self.keys.__getitem__)[:count]


def fill(pool: Pool, kept: Sequence[int]) -> None:
    """Grows panels from several starts, then improves the best by single moves."""
    base = sorted(pool.rules.required)
    if not set(base) <= set(kept):
        return
    singles = sorted((each for each in kept if each not in base), key=lambda each: pool.key([each]))
    starts = [base, *([*base, each] for each in singles[:STARTS])]
    for each in singles:
        pool.see([each])
    for start in starts:
        _grow(start, pool, kept, by=pool.key)
    _grow(base, pool, kept, by=lambda members: (pool.rules.spread(members), tuple(members)))
    for panel in pool.best(IMPROVED):
        _improve(panel, pool, kept)


def _grow(
    start: Sequence[int], pool: Pool, kept: Sequence[int], *, by: Callable[[Sequence[int]], object]
) -> None:
    members, idle, best = list(start), 0, None
    while idle <= PATIENCE and (not members or pool.rules.fits(members)):
        key = pool.see(members)
        idle = 0 if key is None or best is None or key < best else idle + 1
        best = best if idle else key
        options = [[*members, each] for each in kept if each not in members]
        fitting = [each for each in options if pool.rules.fits(each)]
        if not fitting:
            return
        members = min(fitting, key=by)  # type: ignore[arg-type]  # keys of one kind are comparable


def _improve(start: tuple[int, ...], pool: Pool, kept: Sequence[int]) -> None:
    current = start
    for _ in range(STEPS):
        moves = list(_moves(current, kept))
        for move in moves:
            pool.see(move)
        best = min((move for move in moves if move in pool.keys), key=pool.keys.__getitem__, default=current)
        if pool.keys[best] >= pool.keys[current]:
            return
        current = best


def _moves(members: tuple[int, ...], kept: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """One out, one in, or one for another."""
    others = [each for each in kept if each not in members]
    smaller = [tuple(each for each in members if each != gone) for gone in members]
    yield from (each for each in smaller if each)
    yield from (tuple(sorted([*members, fresh])) for fresh in others)
    yield from (tuple(sorted([*each, fresh])) for each in smaller for fresh in others)
