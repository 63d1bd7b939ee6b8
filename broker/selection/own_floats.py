"""Own ballots counted in floats, all rows at once: enough wherever the winner is ahead by more than floats err.

How far they err, with u = 2^-53 and k members: a weight is within u of what was written, and f within (k + 3) u
of f; so q, at most 1, within (k + 3) u; a mean of such within (3k + 6) u; a sum of k means, as classes are
compared, within (4k^2 + 6k) u. That is 5e-12 for 100 members, and 4.5e-10 for 1,000: SLACK is more than what two
such sums err together. What is nearer is left to the exact count.

The one importer of numpy; own_votes.py loads it where ballots are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broker.selection.own_rule import CREDITS, LEAST_SUM, ROOTED, OwnRule
from broker.selection.recorded import Answer, Scenarios

SLACK = 1e-9
RIGHT = -1  # the class of the right answer; others with a text are numbered from 0

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Wholes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Columns:
    """All weights, sorted by who gave them to whom. parts: by (voter, author), where in `places` and `weights` theirs
    are; places: the rows.
    """

    rows: int
    parts: Mapping[tuple[int, int], slice]
    places: Wholes
    weights: Floats
    _known: dict[tuple[int, int], int] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, scenarios: Scenarios, number: Mapping[str, int]) -> Columns:
        """number: of each name."""
        ballots, authors, weights = [], list[str](), list[float]()
        for place, row in enumerate(scenarios.ballots):
            for voter, given in (row or {}).items():
                ballots.append((place, number[voter], len(given)))
                authors += given
                weights += given.values()
        place_of, voter_of, sizes = np.array(ballots, np.int64).reshape(-1, 3).T
        author = np.fromiter(map(number.__getitem__, authors), np.int64, len(authors))
        pair = np.repeat(voter_of, sizes) * len(number) + author
        order = np.argsort(pair, kind="stable")
        pair, places = pair[order], np.repeat(place_of, sizes)[order]
        bounds = [*np.flatnonzero(np.diff(pair, prepend=-1)).tolist(), len(order)]
        parts = {divmod(int(pair[start]), len(number)): slice(start, end) for start, end in pairwise(bounds)}
        return cls(len(scenarios.truth), parts, places, np.array(weights, np.float64)[order])

    def weighed(self, author: int, *, by: int) -> int:
        """Bits of the rows where `by` weighs the author's answer."""
        pair = (by, author)
        if pair not in self.parts:
            return 0
        if pair not in self._known:
            there = np.zeros(self.rows, np.bool_)
            there[self.places[self.parts[pair]]] = True
            self._known[pair] = bits_of(there)
        return self._known[pair]

    def ballots(self, voter: int, members: Sequence[int], places: Wholes) -> Floats:
        """What a voter gave, by member and place; NaN where it gave nothing."""
        found = np.full((len(members), len(places)), np.nan)
        for index, author in enumerate(members):
            if part := self.parts.get((voter, author)):
                column = np.full(self.rows, np.nan)
                column[self.places[part]] = self.weights[part]
                found[index] = column[places]
        return found


class Seen(NamedTuple):
    """One row as a panel's table. weights: bytes of a float for each voter and author, NaN where it gave none; classes:
    equal for equal answers; right: whose answer is right. All in the order of the members.
    """

    weights: bytes
    classes: tuple[int, ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class FloatCount:
    """A panel's own ballots in floats. right: by candidate, bits of rows; answers: by candidate."""

    columns: Columns
    own: OwnRule
    right: Sequence[int]
    answers: Sequence[Sequence[Answer]]
    _known: dict[int, Wholes] = field(default_factory=dict, init=False, repr=False)
    _numbers: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def won(self, rows: int, twins: Mapping[int, int]) -> tuple[int, int]:
        """Of rows that the panel's ballots decide, and where some of it are right and some wrong: bits of those where
        the winner is right, and of those too close to say. twins: by member, how many share its voice.
        """
        places = np.flatnonzero(self._flags(rows))
        support, right = self._net_support(places, twins), self._right(places, list(twins))
        if self.own.winner_by == "class":
            lead = _lead_of_class(support, self._classes(places, list(twins)))
        else:
            lead = _lead(support, right)
        return self._bits(places[lead > SLACK]), self._bits(places[~(np.abs(lead) > SLACK)])

    def tables(self, rows: int, members: Sequence[int]) -> Iterator[tuple[int, Seen]]:
        """Each row with what the exact count needs of it; ballots alike by the rule are written alike."""
        places = np.flatnonzero(self._flags(rows))
        given = [_plain(self.columns.ballots(each, members, places), rule=self.own.rule) for each in members]
        weights = np.ascontiguousarray(np.moveaxis(np.stack(given), 2, 0))
        right, classes = self._right(places, members).T.tolist(), self._classes(places, members).T.tolist()
        for place, table, names, flags in zip(places.tolist(), weights, classes, right, strict=True):
            yield place, Seen(table.tobytes(), tuple(map(names.index, names)), tuple(flags))

    def _net_support(self, places: Wholes, twins: Mapping[int, int]) -> Floats:
        """sum rho q / sum rho over the ballots that weigh it (protocol.md 4), by member and place."""
        points, is_rooted = _POINTS[self.own.rule], self.own.rule in ROOTED
        sums, whole = np.zeros((2, len(twins), len(places)))
        for voter, count in twins.items():
            weights = self.columns.ballots(voter, list(twins), places)
            given = ~np.isnan(weights)
            f = points(np.where(given, weights, 0.0), given)
            q = np.copysign(np.sqrt(np.abs(f)), f) if is_rooted else f
            sums += np.where(given, q, 0.0) / count
            whole += given / count
        return sums / whole

    def _right(self, places: Wholes, members: Sequence[int]) -> Flags:
        return np.stack([self._flags(self.right[each])[places] for each in members])

    def _classes(self, places: Wholes, members: Sequence[int]) -> Wholes:
        """By member and place: RIGHT, or equal for equal answers."""
        letters = np.stack([self._letters(each)[places] for each in members])
        return np.where(self._right(places, members), RIGHT, letters)

    def _letters(self, member: int) -> Wholes:
        """Of all rows; equal for equal texts. An unreadable answer is a class of its own."""
        if member not in self._known:
            own, numbers = RIGHT - 1 - member, self._numbers
            self._known[member] = np.fromiter(
                (
                    numbers.setdefault(each, len(numbers)) if isinstance(each, str) and each else own
                    for each in self.answers[member]
                ),
                np.int64,
                self.columns.rows,
            )
        return self._known[member]

    def _flags(self, bits: int) -> Flags:
        rows = self.columns.rows
        data = np.frombuffer(bits.to_bytes(rows // 8 + 1, "little"), np.uint8)
        return np.unpackbits(data, count=rows, bitorder="little").view(np.bool_)

    def _bits(self, places: Wholes) -> int:
        flags = np.zeros(self.columns.rows, np.bool_)
        flags[places] = True
        return bits_of(flags)


def bits_of(flags: Flags) -> int:
    """Bit k of the result is flags[k]."""
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def _lead(support: Floats, right: Flags) -> Floats:
    """By how much the best right proposal is ahead of the best wrong one."""
    ours: Floats = np.where(right, support, -np.inf).max(axis=0)
    theirs: Floats = np.where(right, -np.inf, support).max(axis=0)
    return ours - theirs


def _lead_of_class(support: Floats, classes: Wholes) -> Floats:
    """By how much the right answer is ahead of the best wrong one; each has the support of all who gave it."""
    theirs: Floats = np.full(support.shape[1], -np.inf)
    for each in classes:
        total = np.where(classes == each, support, 0.0).sum(axis=0)
        theirs = np.maximum(theirs, np.where(each == RIGHT, -np.inf, total))
    ours: Floats = np.where(classes == RIGHT, support, 0.0).sum(axis=0)
    return ours - theirs


def _plain(weights: Floats, *, rule: str) -> Floats:
    """The same ballot in the simplest weights that the rule counts as it: so more rows are alike."""
    if rule == "plurality":
        given = ~np.isnan(weights)
        return np.where(given, _first(weights, given), np.nan)
    return np.maximum(weights, 0.0) if rule == "quadratic_unsigned" else weights


# Points f of one ballot on each row by each rule (protocol.md 3), as own_rule.py has them. A weight that was not given
# is 0 here; NaN where floats cannot say.


def _spread(weights: Floats, given: Flags) -> Floats:
    f: Floats = weights / np.maximum(CREDITS, np.abs(weights).sum(axis=0))
    return f


def _spread_all(weights: Floats, given: Flags) -> Floats:
    """Around the least sum that counts, the exact count has to say on which side it is."""
    whole, least = np.abs(weights).sum(axis=0), float(LEAST_SUM)
    f = np.where(whole < least, 0.0, weights / np.maximum(whole, least))
    return np.where(np.abs(whole - least) < least / 2, np.nan, f)


def _spread_positive(weights: Floats, given: Flags) -> Floats:
    return _spread(np.maximum(weights, 0.0), given)


def _first(weights: Floats, given: Flags) -> Floats:
    among = np.where(given, weights, -np.inf)
    is_top = given & (among == among.max(axis=0))
    f: Floats = is_top / np.maximum(1, is_top.sum(axis=0))
    return f


_POINTS: Mapping[str, Callable[[Floats, Flags], Floats]] = MappingProxyType(
    {
        "quadratic": _spread,
        "quadratic_sdk": _spread_all,
        "quadratic_unsigned": _spread_positive,
        "linear": _spread,
        "plurality": _first,
    }
)
