"""What a simulated expert believes and how it judges: its traits, a seeded draw, and the task worked out.

Pure: the same request gives the same beliefs. Every draw is keyed by seed, task, seat, round and purpose,
never by the attempt, so a turn that is taken again says the same.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from broker.inference import arithmetic, question_bank
from broker.inference.base import Request


@dataclass(frozen=True)
class Traits:
    """Each from 0 to 1. competence: chance to be right alone. discernment: chance that a check of another's
    answer comes out right. herding: how far it follows others without a check. verbosity: how much it writes.
    """

    competence: float
    discernment: float
    herding: float
    verbosity: float


@dataclass(frozen=True)
class Problem:
    """A task that experts can work out. Answers are in the form in which they are delivered."""

    right: str
    wrong: tuple[str, ...]  # at least one
    steps: tuple[str, ...]  # what leads to `right`

    def options(self) -> tuple[str, ...]:
        return (self.right, *self.wrong)


def traits_of(request: Request) -> Traits:
    """The declared traits. Raises KeyError for one that is missing: nothing is assumed about an expert."""
    return Traits(**{field.name: float(request.traits[field.name]) for field in fields(Traits)})


def problem_of(task: str) -> Problem | None:
    """The task worked out, from the bank or by arithmetic; None for a free question."""
    known = question_bank.find(task)
    if known is not None:
        return Problem(known.right, known.wrong, (known.why,))
    try:
        worked = arithmetic.work_out(task)
    except arithmetic.NotArithmetic:
        return None
    return Problem(
        arithmetic.shown(worked.value), tuple(arithmetic.shown(slip) for slip in worked.slips), worked.steps
    )


def draws(request: Request, *, purpose: str) -> random.Random:
    """The random source of one purpose in one turn."""
    parts = (request.seed, request.inputs["task"], request.seat, request.round, request.exchange, purpose)
    return random.Random(hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest())


def chance(request: Request, probability: float, *, purpose: str) -> bool:
    return draws(request, purpose=purpose).random() < probability


def believed(request: Request, *, problem: Problem, traits: Traits) -> str:
    """The answer that the expert proposes: in round 1 its own work, later its last answer or another.

    The other is the supported one or, where its own was criticised, what it gets on working it out anew. A
    comparison that comes out right (discernment) takes the right one of the two; else herding may follow.
    """
    own = said_in(request.inputs.get("own"), problem=problem)
    if own is None:
        return alone(request, problem=problem, traits=traits)
    supported = supported_answer(request.inputs.get("state") or (), problem=problem)
    if supported is not None and supported != own:
        other, follows = supported, chance(request, traits.herding, purpose="follow")
    elif is_criticised(request):
        other, follows = alone(request, problem=problem, traits=traits), False
    else:
        return own
    if chance(request, traits.discernment, purpose="compare"):
        return problem.right if problem.right in (own, other) else own
    return other if follows else own


def is_criticised(request: Request) -> bool:
    """Whether a reviewer contested or refuted a claim of the expert's last proposal."""
    groups = request.inputs.get("critiques") or ()
    return any(item.get("verdict") in ("contested", "refuted") for group in groups for item in group["items"])


def alone(request: Request, *, problem: Problem, traits: Traits) -> str:
    """Right by competence, else one of the likely wrong answers."""
    if chance(request, traits.competence, purpose="solve"):
        return problem.right
    return draws(request, purpose="slip").choice(problem.wrong)


def supported_answer(state: Iterable[Mapping[str, Any]], *, problem: Problem) -> str | None:
    """The answer of the position that leads the consensus state, None where none does."""
    leading = (item for item in state if item.get("kind") == "position" and item.get("status") == "winner")
    named = (option_in(str(item["text"]), problem=problem) for item in leading)
    return next((answer for answer in named if answer), None)


def said_in(own: Mapping[str, Any] | None, *, problem: Problem) -> str | None:
    """The option that the expert's own last proposal names, None where there is none."""
    return option_in(str(own["answer"]), problem=problem) if own else None


def option_in(text: str, *, problem: Problem) -> str | None:
    """The option that an answer delivers: the one it says is the answer, else the only one that it names."""
    stated = re.search(r"answer is ([^\n]+?)\.(?:\s|$)", text)
    if stated:
        return next((option for option in problem.options() if same(option, stated[1])), None)
    named = [option for option in problem.options() if names(text, option)]
    return named[0] if len(named) == 1 else None


def names(text: str, option: str) -> bool:
    """Whether the option stands in the text as a word or number of its own."""
    return re.search(rf"(?<![\w.]){re.escape(option)}(?!\w)", text) is not None


def same(one: str, other: str) -> bool:
    """The same answer: equal as numbers where both are, else equal but for case and outer space."""
    return comparable(one) == comparable(other)


def comparable(answer: str) -> str:
    text = answer.strip().casefold()
    try:
        return str(Fraction(text))
    except (ValueError, ZeroDivisionError):
        return text


def judgements(request: Request, *, problem: Problem, traits: Traits) -> dict[str, float]:
    """How right the expert finds each candidate, by label: -1 wrong, 1 right; 0 where it delivers nothing.

    Each distinct answer is checked once: with `discernment` the check comes out right; else the expert goes
    by its own answer, and where it has none by nothing. Herding shifts the result towards what most hold.
    """
    answers = {str(each["label"]): delivered(each) for each in request.inputs["candidates"]}
    held = [comparable(answer) for answer in answers.values() if answer is not None]
    own = said_in(request.inputs.get("own"), problem=problem)
    found: dict[str, float] = {}
    for label, answer in answers.items():
        if answer is None:
            found[label] = 0.0
            continue
        judged = judged_answer(request, answer, truth=(problem.right, own), traits=traits)
        share = held.count(comparable(answer)) / len(held)
        found[label] = (1 - traits.herding / 2) * judged + traits.herding / 2 * (2 * share - 1)
    return found


def delivered(candidate: Mapping[str, Any]) -> str | None:
    final = candidate.get("final_answer")
    return final if isinstance(final, str) and final.strip() else None


def judged_answer(request: Request, answer: str, *, truth: tuple[str, str | None], traits: Traits) -> float:
    right, own = truth
    if chance(request, traits.discernment, purpose=f"check {comparable(answer)}"):
        return 1.0 if same(answer, right) else -1.0
    if own is None:
        return 0.0
    return 1.0 if same(answer, own) else -1.0
