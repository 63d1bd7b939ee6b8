"""The few that the solver is given, where there are many (protocol.md 8, step 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from broker.selection.limits import Rules
from broker.selection.teams import Board

MOST_KEPT = 40  # of the 60 that the protocol allows: a proof over 60 takes four times as long
GREEDY_STEPS = 12


def kept_of(
    rules: Rules, board: Board, accuracy: Sequence[float | None], *, most: int = MOST_KEPT
) -> tuple[int, ...]:
    """At most `most` candidates: the required, then by turns the next best of each role by accuracy, by accuracy per
    cost, and by what it adds to a team. All where they are few.
    """
    if len(rules.able) <= most:
        return tuple(sorted(rules.able))
    pools = [sorted(each.able & rules.able) for each in rules.seats] or [sorted(rules.able)]
    lists = [ranking for pool in pools for ranking in _rankings(pool, rules, board, accuracy)]
    chosen = dict.fromkeys(sorted(rules.required & rules.able))
    chosen.update(dict.fromkeys(islice(_by_turns(lists, taken=set(chosen)), max(0, most - len(chosen)))))
    return tuple(sorted(chosen))


def _rankings(
    pool: Sequence[int], rules: Rules, board: Board, accuracy: Sequence[float | None]
) -> Iterator[Iterable[int]]:
    known = {index: value if (value := accuracy[index]) is not None else 0.0 for index in pool}
    yield sorted(pool, key=lambda index: (-known[index], index))
    yield sorted(pool, key=lambda index: (-known[index] / (rules.cost[index] + 1), index))
    yield _greedy(pool, rules, board)


def _greedy(pool: Sequence[int], rules: Rules, board: Board) -> list[int]:
    """The order in which a team would grow by the largest V."""
    team: list[int] = []
    for _ in range(min(GREEDY_STEPS, rules.max_size)):
        options = [each for each in pool if each not in team and _is_of_new_family(each, team, rules)]
        if not options:
            break
        team.append(max(options, key=lambda each: (board.count([*team, each]), -rules.cost[each], -each)))
    return team


def _is_of_new_family(candidate: int, team: Sequence[int], rules: Rules) -> bool:
    return rules.crowded_family([*team, candidate]) is None


def _by_turns(lists: Sequence[Iterable[int]], *, taken: set[int]) -> Iterator[int]:
    waiting = [iter(each) for each in lists]
    while waiting:
        for ranking in list(waiting):
            fresh = next((each for each in ranking if each not in taken), None)
            if fresh is None:
                waiting.remove(ranking)
                continue
            taken.add(fresh)
            yield fresh
