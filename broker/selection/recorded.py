"""Recorded questions: who gave which answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.selection.reading import Fields, RequestError, mapping, number

Answer = str | bool | None
Ballots = Mapping[str, Mapping[str, float]]
MOST_WEIGHT = 100.0


@dataclass(frozen=True)
class Scenarios:
    """Recorded questions. An answer: the letter, True or False where only that is known, "" for an unreadable one
    (asked, and no vote for anything), None where the model was not asked. ballots: of each row, by voter what it gave
    to the answers of others, in [-100, 100]; None where nobody weighed them, () where nobody ever did.
    """

    truth: tuple[str, ...]
    answers: Mapping[str, tuple[Answer, ...]]
    ballots: tuple[Ballots | None, ...] = ()

    @classmethod
    def read(cls, value: Any) -> Scenarios | None:
        if value is None:
            return None
        of = Fields(value, where="scenarios", known=("truth", "answers", "ballots"))
        truth = of.texts("truth")
        answers = {
            name: _answers(row, where=f"scenarios.answers.{name}", rows=len(truth))
            for name, row in mapping(of.record.get("answers", {}), where="scenarios.answers").items()
        }
        ballots = of.items("ballots", read=lambda row, where: _ballots(row, where=where))
        if ballots and len(ballots) != len(truth):
            raise RequestError(f"scenarios.ballots has {len(ballots)} rows for {len(truth)} truths.")
        scenarios = cls(truth, answers, ballots if any(ballots) else ())
        scenarios._check_ballots()
        return scenarios if truth else None

    def _check_ballots(self) -> None:
        """Whoever votes is a candidate with answers, and weighs answers that others gave to this row."""
        for row, given in enumerate(self.ballots):
            for voter, weights in (given or {}).items():
                where = f"scenarios.ballots[{row}].{voter}"
                if voter not in self.answers:
                    raise RequestError(f"{where}: scenarios.answers has no {voter!r}.")
                for author in weights:
                    self._check_weighed(row, author, by=voter, where=where)

    def _check_weighed(self, row: int, author: str, *, by: str, where: str) -> None:
        if author == by:
            raise RequestError(f"{where}: nobody weighs their own answer.")
        if author not in self.answers:
            raise RequestError(f"{where}: scenarios.answers has no {author!r}.")
        if self.answers[author][row] is None:
            raise RequestError(f"{where}: {author} was not asked, so there is no answer to weigh.")


def _answers(value: Any, *, where: str, rows: int) -> tuple[Answer, ...]:
    if not isinstance(value, list | tuple):
        raise RequestError(f"{where} must be a list.")
    if len(value) != rows:
        raise RequestError(f"{where} has {len(value)} answers for {rows} truths.")
    for index, answer in enumerate(value):
        if answer is not None and not isinstance(answer, str | bool):
            raise RequestError(f"{where}[{index}] must be a text, true, false or null.")
    return tuple(value)


def _ballots(value: Any, *, where: str) -> Ballots | None:
    """A weight of null is no weight."""
    if value is None:
        return None
    read = {
        voter: _weights(weights, where=f"{where}.{voter}")
        for voter, weights in mapping(value, where=where).items()
    }
    return {voter: weights for voter, weights in read.items() if weights} or None


def _weights(value: Any, *, where: str) -> dict[str, float]:
    return {
        author: number(weight, where=f"{where}.{author}", least=None, most=MOST_WEIGHT)
        for author, weight in mapping(value, where=where).items()
        if weight is not None
    }


def is_right(answer: Answer, truth: str) -> bool:
    return answer is True or answer == truth
