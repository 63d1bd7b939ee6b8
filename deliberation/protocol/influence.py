"""What a counted ballot did (protocol.md 3 and 4): its cost, its share of all influence, its part of a net support.

Read off a tally; nothing is counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deliberation.protocol.ballots import CREDITS, ROOTED
from deliberation.protocol.comparators import is_mean
from deliberation.protocol.types import Tally


def credits_of(influences: Iterable[float], *, rule: str) -> float | None:
    """What they cost, of 100: influence costs its square (protocol.md 3). None under a rule that sells none for it."""
    return sum(CREDITS * q * q for q in influences) if rule in ROOTED else None


def share_of(tally: Tally, voter: int) -> float | None:
    """The part of all influence used, weighed as the tally weighs it. None where nobody used any."""
    used = {each: _used(tally, each) for each in tally.influence}
    whole = sum(used.values())
    return used[voter] / whole if whole else None


def _used(tally: Tally, voter: int) -> float:
    return tally.rho[voter] * sum(abs(q) for q in tally.influence[voter].values())


def moves(tally: Tally, voter: int, seat: int) -> float | None:
    """The voter's part of a proposal's net support: rho q / the sum of rho of all who weighed it (protocol.md 4). None
    under a rule whose net support is no such mean.
    """
    given: Mapping[int, float] = {
        each: q[seat] for each, q in tally.influence.items() if seat in q and each != seat
    }
    if voter not in given or not is_mean(tally.rule):
        return None
    return tally.rho[voter] * given[voter] / sum(tally.rho[each] for each in given)


def without(tally: Tally, voter: int, seat: int) -> float | None:
    """Net support as it would be had this ballot said nothing of the proposal. None where it is no mean, or nobody
    else weighs it.
    """
    others = [each for each, q in tally.influence.items() if seat in q and each not in (voter, seat)]
    weight = sum(tally.rho[each] for each in others)
    if not weight or not is_mean(tally.rule):
        return None
    return sum(tally.rho[each] * tally.influence[each][seat] for each in others) / weight
