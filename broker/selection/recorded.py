"""Recorded questions: who gave which answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.selection.reading import Fields, RequestError, mapping

Answer = str | bool | None


@dataclass(frozen=True)
class Scenarios:
    """Recorded questions. An answer: the letter, True or False where only that is known, "" for an unreadable one
    (asked, and no vote for anything), None where the model was not asked.
    """

    truth: tuple[str, ...]
    answers: Mapping[str, tuple[Answer, ...]]

    @classmethod
    def read(cls, value: Any) -> Scenarios | None:
        if value is None:
            return None
        of = Fields(value, where="scenarios", known=("truth", "answers"))
        truth = of.texts("truth")
        answers = {
            name: _answers(row, where=f"scenarios.answers.{name}", rows=len(truth))
            for name, row in mapping(of.record.get("answers", {}), where="scenarios.answers").items()
        }
        return cls(truth, answers) if truth else None


def _answers(value: Any, *, where: str, rows: int) -> tuple[Answer, ...]:
    if not isinstance(value, list | tuple):
        raise RequestError(f"{where} must be a list.")
    if len(value) != rows:
        raise RequestError(f"{where} has {len(value)} answers for {rows} truths.")
    for index, answer in enumerate(value):
        if answer is not None and not isinstance(answer, str | bool):
            raise RequestError(f"{where}[{index}] must be a text, true, false or null.")
    return tuple(value)


def is_right(answer: Answer, truth: str) -> bool:
    return answer is True or answer == truth
