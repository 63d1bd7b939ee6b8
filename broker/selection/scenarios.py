"""The rows on which panels are judged: recorded answers, completed or replaced by seeded draws (protocol.md 8 [O])."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import NormalDist

from broker.selection.competence import TOO_FEW_CHECKS, Beta, Draw, Posterior, thompson_draw
from broker.selection.own_votes import OwnVotes
from broker.selection.recorded import Answer, Scenarios, is_right
from broker.selection.teams import Board
from broker.selection.types import FAMILY_PHI, Candidate, PanelRequest

MOST_ROWS = 300
GUESS = 0.5
LEAST_ASKED = (
    30  # recorded rows of a model that say where its reach is, and of two panels that say which is better
)
NORMAL = NormalDist()


@dataclass(frozen=True)
class Skills:
    """By candidate. known: its accuracy, None where it is not known; reach: the same, and what was drawn for a model of
    which nothing is known but that is tried.
    """

    known: tuple[float | None, ...]
    reach: tuple[float | None, ...]


@dataclass(frozen=True)
class Evidence:
    """Boards over all candidates of the request, in the order of their ids.

    every: all rows, by votes; judged: the same, where own ballots decide the rows that they can; used: the rows the
    solver sees; unseen: the others. accuracy: as given, else the share right on the recorded rows, else None; asked:
    what it rests on. explored: draws for cold models, by candidate.
    """

    every: Board
    judged: Board
    used: Board
    unseen: Board | None
    accuracy: tuple[float | None, ...]
    asked: tuple[float | None, ...]
    explored: Mapping[int, Draw] = field(default_factory=dict)

    @property
    def skills(self) -> Skills:
        reach = [
            self.explored[index].accuracy if accuracy is None and index in self.explored else accuracy
            for index, accuracy in enumerate(self.accuracy)
        ]
        return Skills(self.accuracy, tuple(reach))


def evidence(request: PanelRequest, candidates: Sequence[Candidate]) -> Evidence:
    """Pure in the request: draws are keyed by seed and name, so neither order nor company changes them."""
    drawer = _Drawer(request, candidates)
    answers = [drawer.completed(candidate) for candidate in candidates]
    asked = tuple(_asked(drawer.recorded(candidate)) for candidate in candidates)
    every = _board(answers, drawer.truth, asked=asked)
    used, unseen = _split(every.rows, seed=request.seed)
    known = [_known(each, drawer.recorded(each), drawer.truth) for each in candidates]
    return Evidence(
        every=every,
        judged=_judged(every, request, candidates),
        used=every.part(used) if unseen else every,
        unseen=every.part(unseen) if unseen else None,
        accuracy=tuple(accuracy for accuracy, _ in known),
        asked=tuple(asked for _, asked in known),
        explored={
            n: drawer.explored[each.id] for n, each in enumerate(candidates) if each.id in drawer.explored
        },
    )


def _judged(every: Board, request: PanelRequest, candidates: Sequence[Candidate]) -> Board:
    if request.scenarios is None or not request.scenarios.ballots:
        return every
    own = OwnVotes.of(
        request.scenarios,
        request.own_rule,
        names=[each.id for each in candidates],
        families=tuple(each.family for each in candidates),
        right=every.right,
    )
    return replace(every, own=own)


def _split(rows: int, *, seed: int) -> tuple[list[int], list[int]]:
    if rows <= MOST_ROWS:
        return list(range(rows)), []
    used = set(random.Random(f"rows/{seed}").sample(range(rows), MOST_ROWS))
    return sorted(used), [row for row in range(rows) if row not in used]


def _known(
    candidate: Candidate, recorded: Sequence[Answer], truth: Sequence[str]
) -> tuple[float | None, float | None]:
    given = [
        is_right(answer, right) for answer, right in zip(recorded, truth, strict=True) if answer is not None
    ]
    if candidate.accuracy is not None:
        return candidate.accuracy, candidate.asked if candidate.asked is not None else float(
            len(given)
        ) or None
    if given:
        return sum(given) / len(given), float(len(given))
    if candidate.asked:
        return ((candidate.right or 0.0) + 1) / (candidate.asked + 2), candidate.asked
    return None, None


class _Drawer:
    """Fills in what was not recorded. A candidate errs on the rows where c + f + e is largest: c is the row's
    difficulty, f its difficulty for the family, e its own chance; their shares of the variance are sin(pi phi / 2).
    """

    def __init__(self, request: PanelRequest, candidates: Sequence[Candidate]) -> None:
        self.request = request
        scenarios = request.scenarios or Scenarios(("right",) * MOST_ROWS, {})
        self.truth, self.answers = scenarios.truth, scenarios.answers
        self.explored: dict[str, Draw] = {}
        self._families = {each.id: each.family or f"only {each.id}" for each in candidates}
        self._factors: dict[str, list[float]] = {}

    def recorded(self, candidate: Candidate) -> Sequence[Answer]:
        return self.answers.get(candidate.id) or (None,) * len(self.truth)

    def completed(self, candidate: Candidate) -> list[Answer]:
        """Right where its latent difficulty is within its reach: the difficulty below which its known share of the
        rows lies that it was asked, so harder rows that it was not asked are not given to it.
        """
        answers = list(self.recorded(candidate))
        missing = [row for row, answer in enumerate(answers) if answer is None]
        if not missing:
            return answers
        latent = self._latent(candidate)
        asked = [row for row, answer in enumerate(answers) if answer is not None]
        basis = sorted(latent[row] for row in (asked if len(asked) >= LEAST_ASKED else range(len(answers))))
        count = math.floor(self._chance(candidate) * len(basis) + 0.5)
        reach = basis[count] if count < len(basis) else math.inf
        for row in missing:
            answers[row] = latent[row] < reach
        return answers

    def _chance(self, candidate: Candidate) -> float:
        mean, asked = _known(candidate, self.recorded(candidate), self.truth)
        if self.request.mode != "dynamic" or candidate.declared or (asked or 0.0) >= TOO_FEW_CHECKS:
            return GUESS if mean is None else mean
        weight = (asked or 0.0) + 2
        inside = GUESS if mean is None else min(max(mean, 0.01), 0.99)
        belief = Posterior(Beta(inside * weight, (1 - inside) * weight), asked or 0.0)
        draw = thompson_draw(belief, seed=f"explore/{self.request.seed}/{candidate.id}")
        self.explored[candidate.id] = draw
        return draw.accuracy

    def _latent(self, candidate: Candidate) -> list[float]:
        across = _variance(self.request.common_phi)
        inside = max(across, _variance(self._phi(candidate)))
        own = _lots(f"own/{self.request.seed}/{candidate.id}", len(self.truth))
        parts = zip(self._common(), self._of_family(candidate), own, strict=True)
        shares = [math.sqrt(each) for each in (across, inside - across, 1 - inside)]
        return [shares[0] * c + shares[1] * f + shares[2] * e for c, f, e in parts]

    def _phi(self, candidate: Candidate) -> float:
        phi = self.request.family_phi
        if isinstance(phi, Mapping):
            return phi.get(candidate.family or "", FAMILY_PHI)
        return phi

    def _common(self) -> list[float]:
        return self._factor("common", members=lambda name: True)

    def _of_family(self, candidate: Candidate) -> list[float]:
        family = self._families[candidate.id]
        return self._factor(f"family/{family}", members=lambda name: self._families.get(name) == family)

    def _factor(self, name: str, *, members: Callable[[str], bool]) -> list[float]:
        if name not in self._factors:
            rows = [row for id_, row in sorted(self.answers.items()) if members(id_)]
            self._factors[name] = _difficulty(rows, self.truth, seed=f"{name}/{self.request.seed}")
        return self._factors[name]


def _variance(phi: float) -> float:
    """The correlation of two normal variables whose signs correlate by phi."""
    return math.sin(math.pi * phi / 2)


@lru_cache(maxsize=512)
def _lots(seed: str, count: int) -> tuple[float, ...]:
    """Normal draws. They are the same for every session of a fleet, so they are kept."""
    lots = random.Random(seed)
    return tuple(lots.gauss(0, 1) for _ in range(count))


def _difficulty(recorded: Sequence[Sequence[Answer]], truth: Sequence[str], *, seed: str) -> list[float]:
    """A normal score per row: by the share of recorded answers that are wrong, ties and unknown rows by lot."""
    noise = _lots(seed, len(truth))
    if not recorded:
        return list(noise)
    keys = []
    for row, right in enumerate(truth):
        given = [answers[row] for answers in recorded if answers[row] is not None]
        wrong = sum(not is_right(answer, right) for answer in given)
        keys.append((wrong / len(given) if given else NORMAL.cdf(noise[row]), noise[row]))
    scores = [0.0] * len(truth)
    for place, row in enumerate(sorted(range(len(truth)), key=keys.__getitem__)):
        scores[row] = NORMAL.inv_cdf((place + 0.5) / len(truth))
    return scores


def _asked(answers: Sequence[Answer]) -> int:
    return int("".join("0" if each is None else "1" for each in reversed(answers)) or "0", 2)


def _board(answers: Sequence[Sequence[Answer]], truth: Sequence[str], *, asked: tuple[int, ...]) -> Board:
    columns = zip(*answers, strict=True) if answers else ((),) * len(truth)
    numbers = [_numbered(column, right) for column, right in zip(columns, truth, strict=True)]
    votes = [_votes(row, truth, numbers) for row in answers]
    return Board(len(truth), tuple(right for right, _ in votes), tuple(wrong for _, wrong in votes), asked)


def _numbered(column: Sequence[Answer], right: str) -> dict[str, int]:
    """The wrong answers of one row, the most common first."""
    counts = Counter(each for each in column if isinstance(each, str) and each and each != right)
    return {
        answer: place for place, answer in enumerate(sorted(counts, key=lambda each: (-counts[each], each)))
    }


def _votes(
    answers: Sequence[Answer], truth: Sequence[str], numbers: Sequence[Mapping[str, int]]
) -> tuple[int, dict[int, int]]:
    """An answer of which only "wrong" is known joins the most common wrong one: the pessimistic reading."""
    size = len(truth) // 8 + 1
    right, wrong = bytearray(size), dict[int, bytearray]()
    for row, answer in enumerate(answers):
        if is_right(answer, truth[row]):
            right[row >> 3] |= 1 << (row & 7)
        elif answer != "":
            number = numbers[row][answer] if isinstance(answer, str) else 0
            wrong.setdefault(number, bytearray(size))[row >> 3] |= 1 << (row & 7)
    return int.from_bytes(right, "little"), {k: int.from_bytes(v, "little") for k, v in sorted(wrong.items())}
