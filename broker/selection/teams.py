"""V(S): the share of scenarios that a panel decides rightly, one vote each (protocol.md 8 [O]).

Rows are bits of Python integers, so a panel's votes on all rows are counted with a few operations on long numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from broker.selection.own_votes import OwnVotes

LEVELS = 200  # V counts in steps of half a point


def level(right: int, rows: int) -> int:
    """V in half points, halves rounded up: what the choice compares before it compares costs."""
    return (2 * LEVELS * right + rows) // (2 * rows) if rows else 0


def least_right(step: int, rows: int) -> int:
    """The fewest right rows that reach a level."""
    return max(0, -((rows - 2 * step * rows) // (2 * LEVELS)))


@dataclass(frozen=True)
class Board:
    """Who votes for what: bit q of right[i] says that candidate i is right on row q; wrong[i] maps the number of a
    wrong answer (counted per row, the most common first) to the rows where i gives it; asked[i]: rows where its answer
    is a record and not a draw. own: ballots that on some rows decide in the place of the votes.
    """

    rows: int
    right: tuple[int, ...]
    wrong: tuple[Mapping[int, int], ...]
    asked: tuple[int, ...]
    own: OwnVotes | None = None
    _known: dict[tuple[int, ...], int] = field(default_factory=dict, init=False, compare=False, repr=False)

    def rows_right(self, members: Iterable[int]) -> int:
        """Bits of the rows where the right answer has strictly more votes than every wrong one, or where own ballots
        decide, wins by them.
        """
        key = tuple(sorted(members))
        if key not in self._known:
            found = self._count(key)
            self._known[key] = found if self.own is None else self.own.over(found, key)
        return self._known[key]

    def count(self, members: Iterable[int]) -> int:
        return self.rows_right(members).bit_count()

    def share(self, members: Iterable[int]) -> float | None:
        return self.count(members) / self.rows if self.rows else None

    def level(self, members: Iterable[int]) -> int:
        return level(self.count(members), self.rows)

    def part(self, rows: Sequence[int]) -> Board:
        """The same votes on some of the rows, renumbered, without own ballots."""
        return Board(
            len(rows),
            tuple(_picked(bits, rows) for bits in self.right),
            tuple(
                {k: part for k, bits in each.items() if (part := _picked(bits, rows))} for each in self.wrong
            ),
            tuple(_picked(bits, rows) for bits in self.asked),
        )

    def rows_asked(self, members: Iterable[int]) -> int:
        """Bits of the rows where all of them were asked."""
        found = (1 << self.rows) - 1
        for member in members:
            found &= self.asked[member]
        return found

    def _count(self, members: tuple[int, ...]) -> int:
        rights: list[int] = []
        wrongs: dict[int, list[int]] = {}
        for member in members:
            _add(rights, self.right[member])
            for answer, bits in self.wrong[member].items():
                _add(wrongs.setdefault(answer, []), bits)
        found = 0
        for plane in rights:
            found |= plane
        for planes in wrongs.values():
            found &= _exceeds(rights, planes)
        return found


def _add(planes: list[int], bits: int) -> None:
    """Adds one vote on the rows of `bits` to counters that are stored plane by plane, the lowest first."""
    for index, plane in enumerate(planes):
        planes[index], bits = plane ^ bits, plane & bits
        if not bits:
            return
    if bits:
        planes.append(bits)


def _exceeds(first: list[int], second: list[int]) -> int:
    """Bits of the rows where the first counter is larger."""
    larger = smaller = 0
    for index in reversed(range(max(len(first), len(second)))):
        a = first[index] if index < len(first) else 0
        b = second[index] if index < len(second) else 0
        differs = (a ^ b) & ~smaller & ~larger
        larger |= differs & a
        smaller |= differs & b
    return larger


def _picked(bits: int, rows: Sequence[int]) -> int:
    """Bit k of the result is bit rows[k]."""
    text = bin(bits)[:1:-1]
    return int("".join(text[row] if row < len(text) else "0" for row in reversed(rows)) or "0", 2)
