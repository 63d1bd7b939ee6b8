"""Which recorded rows a panel's own ballots decide, and which of these rightly (protocol.md 8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from broker.selection.own_rule import EXACT, OwnRule, Table, Weights, ballots_needed, winners
from broker.selection.recorded import Answer, Scenarios, is_right


@dataclass(frozen=True)
class Row:
    """One row with ballots. ballots: by voter; weighed_by: by candidate, bits of who weighs its answer; classes: what
    each answered, None where only that it is wrong is known.
    """

    ballots: Mapping[int, Weights]
    weighed_by: Mapping[int, int]
    classes: Mapping[int, object]

    def is_decided(self, members: Sequence[int], *, by_class: bool) -> bool:
        """Whether every member's answer is weighed by as many others as the rule needs."""
        if by_class and any(self.classes[each] is None for each in members):
            return False
        there, needed = sum(1 << each for each in members), ballots_needed(len(members))
        return all((self.weighed_by[each] & there).bit_count() >= needed for each in members)

    def table(self, members: Sequence[int], shares: Mapping[int, Decimal]) -> Table:
        """The panel's own ballots, with what they say of its members alone."""
        given = {voter: self._among(voter, members) for voter in members if voter in self.ballots}
        classes = {each: self.classes[each] for each in members}
        return Table({voter: each for voter, each in given.items() if each}, shares, classes)

    def _among(self, voter: int, members: Sequence[int]) -> dict[int, Decimal]:
        weights = self.ballots[voter]
        return {each: weights[each] for each in members if each in weights}


@dataclass(frozen=True)
class OwnVotes:
    """The ballots of all rows. weighed[i]: bits of the rows where candidate i answered and somebody weighs that;
    right[i]: of those where its answer is right.
    """

    own: OwnRule
    families: tuple[str | None, ...]
    rows: Mapping[int, Row]
    weighed: tuple[int, ...]
    right: tuple[int, ...]

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
        number = {name: index for index, name in enumerate(names)}
        rows = {
            place: _row(scenarios, place, number) for place, given in enumerate(scenarios.ballots) if given
        }
        weighed = [
            sum(1 << place for place, row in rows.items() if i in row.weighed_by) for i in range(len(names))
        ]
        return cls(own, families, rows, tuple(weighed), right)

    def over(self, right: int, members: Sequence[int]) -> int:
        """Bits of the rows that the panel has right: by its ballots where these decide, as given on the others."""
        decided = self.decided(members)
        return right & ~decided | self._right_among(decided, members)

    def decided(self, members: Sequence[int]) -> int:
        """Bits of the rows that the panel's own ballots decide: none where one sits alone."""
        if len(members) < 2:
            return 0
        by_class = self.own.winner_by == "class"
        bits = _places(self._common(members))
        return sum(1 << each for each in bits if self.rows[each].is_decided(members, by_class=by_class))

    def _common(self, members: Sequence[int]) -> int:
        found = -1
        for member in members:
            found &= self.weighed[member]
        return found

    def _right_among(self, decided: int, members: Sequence[int]) -> int:
        """Right where whoever may win is right; where all members are right, or none is, nothing is counted."""
        every, some = decided, 0
        for member in members:
            every &= self.right[member]
            some |= decided & self.right[member]
        shares = self.shares(members)
        for place in _places(some & ~every):
            first = winners(self.rows[place].table(members, shares), self.own)
            every |= all(self.right[each] >> place & 1 for each in first) << place
        return every

    def shares(self, members: Sequence[int]) -> dict[int, Decimal]:
        """1/k for each of k members of one family, where the rule says so (protocol.md 4)."""
        counts = Counter(self.families[each] for each in members)
        return {
            each: EXACT.divide(Decimal(1), Decimal(counts[self.families[each]]))
            if self.own.family_share and self.families[each] is not None
            else Decimal(1)
            for each in members
        }


def _places(bits: int) -> Iterator[int]:
    while bits:
        yield (bits & -bits).bit_length() - 1
        bits &= bits - 1


def _row(scenarios: Scenarios, place: int, number: Mapping[str, int]) -> Row:
    given = scenarios.ballots[place] or {}
    ballots = {
        number[voter]: {number[author]: Decimal(repr(float(weight))) for author, weight in weights.items()}
        for voter, weights in given.items()
    }
    weighed_by: dict[int, int] = {}
    for voter, weights in ballots.items():
        for author in weights:
            weighed_by[author] = weighed_by.get(author, 0) | 1 << voter
    truth = scenarios.truth[place]
    classes = {
        number[name]: _class(answers[place], truth, own=number[name])
        for name, answers in scenarios.answers.items()
    }
    return Row(ballots, weighed_by, classes)


def _class(answer: Answer, truth: str, *, own: int) -> object:
    """Equal for equal answers; an unreadable one is a class of its own."""
    if is_right(answer, truth):
        return truth
    return own if answer == "" else answer or None
