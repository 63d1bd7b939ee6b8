"""Which recorded rows a panel's own ballots decide, and which of these rightly (protocol.md 8).

Floats part most rows (own_floats.py); where they are too close, the exact count does (own_rule.py).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from broker.selection.own_rule import EXACT, OwnRule, Table, ballots_needed, winners
from broker.selection.recorded import Answer, Scenarios

if TYPE_CHECKING:
    from broker.selection.own_floats import FloatCount


@dataclass(frozen=True, eq=False)
class OwnVotes:
    """The ballots of all rows. families, right, vague: by candidate; right[i]: bits of the rows where it is right;
    vague[i]: of those where only that it is wrong is known; rows: those with ballots.
    """

    own: OwnRule
    families: tuple[str | None, ...]
    right: tuple[int, ...]
    vague: tuple[int, ...]
    rows: tuple[int, ...]
    floats: FloatCount

    @classmethod
    def of(
        cls,
        scenarios: Scenarios,
        own: OwnRule,
        *,
        names: Sequence[str],
        families: tuple[str | None, ...],
        right: tuple[int, ...],
    ) -> OwnVotes:
        """names, families, right: by candidate, in the order of a board."""
        answers = [scenarios.answers.get(name, ()) for name in names]
        return cls(
            own,
            families,
            right,
            vague=tuple(_vague(each) for each in answers),
            rows=tuple(place for place, given in enumerate(scenarios.ballots) if given),
            floats=_floats(scenarios, own, names=names, right=right),
        )

    def over(self, right: int, members: Sequence[int]) -> int:
        """Bits of the rows that the panel has right: by its ballots where these decide, as given on the others."""
        decided = self.decided(members)
        return right & ~decided | self._right_among(decided, members)

    def decided(self, members: Sequence[int]) -> int:
        """Bits of the rows where as many other members as the rule needs weigh every member's answer: none where one
        sits alone. By class, all classes have to be known.
        """
        if len(members) < 2:
            return 0
        found, needed = -1, ballots_needed(len(members))
        for author in members:
            found &= self._weighed(author, members)[needed - 1]
            if self.own.winner_by == "class":
                found &= ~self.vague[author]
        return found

    def _weighed(self, author: int, members: Sequence[int]) -> tuple[int, int]:
        """Bits of the rows where one member, and where two, weigh the author's answer."""
        once = twice = 0
        for voter in members:
            there = self.floats.columns.weighed(author, by=voter)
            once, twice = once | there, twice | once & there
        return once, twice

    def _right_among(self, decided: int, members: Sequence[int]) -> int:
        """Right where whoever may win is right; where all members are right, or none is, nothing is counted."""
        every, some = decided, 0
        for member in members:
            every &= self.right[member]
            some |= decided & self.right[member]
        mixed = some & ~every
        if not mixed:
            return every
        return every | self._won(mixed, members)

    def _won(self, mixed: int, members: Sequence[int]) -> int:
        twins = self.twins(members)
        won, close = self.floats.won(mixed, twins)
        for place, seen in self.floats.tables(close, members) if close else ():
            first = winners_at(seen.weights, tuple(twins.values()), classes=seen.classes, own=self.own)
            won |= all(seen.right[each] for each in first) << place
        return won

    def twins(self, members: Sequence[int]) -> dict[int, int]:
        """By member, how many of its family share one voice, itself among them (protocol.md 4)."""
        families = [self.families[each] for each in members]
        return {
            each: families.count(family) if self.own.family_share and family is not None else 1
            for each, family in zip(members, families, strict=True)
        }


@lru_cache(maxsize=16384)
def winners_at(
    weights: bytes, twins: tuple[int, ...], *, classes: tuple[int, ...], own: OwnRule
) -> tuple[int, ...]:
    """Who may win, by the exact count, as places at the table. weights, classes: of a Seen; twins: by place. Kept, as
    many rows are alike where ballots tie.
    """
    size, cells = len(twins), array("d", weights)
    given = (_given(cells[voter * size : (voter + 1) * size]) for voter in range(size))
    ballots = {voter: ballot for voter, ballot in enumerate(given) if ballot}
    shares = {each: EXACT.divide(Decimal(1), Decimal(count)) for each, count in enumerate(twins)}
    return winners(Table(ballots, shares, dict(enumerate(classes))), own)


def _given(weights: Iterable[float]) -> dict[int, Decimal]:
    return {each: Decimal(repr(weight)) for each, weight in enumerate(weights) if not math.isnan(weight)}


def _floats(scenarios: Scenarios, own: OwnRule, *, names: Sequence[str], right: Sequence[int]) -> FloatCount:
    """Loads numpy, which takes a tenth of a second: whoever has no ballots does without."""
    from broker.selection.own_floats import Columns, FloatCount

    columns = Columns.of(scenarios, {name: index for index, name in enumerate(names)})
    return FloatCount(columns, own, right, [scenarios.answers.get(name, ()) for name in names])


def _vague(answers: Sequence[Answer]) -> int:
    """Bits of the rows with False."""
    if False not in answers:
        return 0
    return int("".join("1" if each is False else "0" for each in reversed(answers)), 2)
