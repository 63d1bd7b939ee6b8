"""The replies of simulated experts, in the fields of exchanges.md: beliefs and judgements put into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broker.inference.base import Request
from broker.inference.expertise import (
    Problem,
    believed,
    delivered,
    draws,
    judgements,
    problem_of,
    traits_of,
)

CREDITS = 100
STANCES = ((0.75, "strong_agree"), (0.2, "agree"), (-0.2, "neutral"), (-0.75, "disagree"))
VERDICTS = ((0.2, "verified"), (-0.01, "unverified"), (-0.6, "contested"))
IGNORANCE = (
    "I am a simulated expert and know nothing about this question, so I give no answer to it.",
    "This is a simulated expert. It has no knowledge of the question and cannot answer it.",
    "I cannot answer: I am a simulated expert, without any knowledge of this question.",
    "No answer. I am only a simulated expert, and this question is outside the little that I know.",
    "As a simulated expert I have no knowledge to answer this with.",
)
REMEDY = (
    "Simulated experts work out arithmetic, such as 17*23, and know a few textbook questions.",
    "Register a model server to have questions like this one answered.",
)


def proposal(request: Request) -> dict[str, Any]:
    """A propose reply: reasoning, answer, final_answer, claims, confidence, addressed."""
    traits = traits_of(request)
    problem = problem_of(str(request.inputs["task"]))
    if problem is None:
        return ignorance(request)
    answer = believed(request, problem=problem, traits=traits)
    steps = steps_to(answer, problem=problem)
    beside = remarks(request, answer=answer, problem=problem)
    spread = draws(request, purpose="confidence").uniform(-0.1, 0.1)
    return {
        "reasoning": " ".join([*addressing(request), *steps, *beside]),
        "answer": f"The answer is {answer}. {steps[-1]}",
        "final_answer": answer,
        "claims": [{"text": step} for step in steps[-7:]],
        "confidence": round(min(max(traits.competence + spread, 0.05), 0.95), 2),
        "addressed": addressed(request, answer=answer),
    }


def ignorance(request: Request) -> dict[str, Any]:
    """What an expert says to a question that it does not know: no answer, no claim, no confidence."""
    said = IGNORANCE[request.seat % len(IGNORANCE)]
    return {
        "reasoning": "The question is no arithmetic and not among those that a simulated expert knows.",
        "answer": f"{said} {REMEDY[request.seat % len(REMEDY)]}",
        "final_answer": None,
        "claims": [],
        "confidence": None,
        "addressed": [],
    }


def steps_to(answer: str, *, problem: Problem) -> list[str]:
    """The steps to the answer that is believed; a wrong one comes from a slip in the last step."""
    if answer == problem.right:
        return sentences(problem.steps)
    before, last = problem.steps[:-1], problem.steps[-1]
    operation, equals, _ = last.rpartition(" = ")
    if equals and not last.endswith("."):
        return sentences((*before, f"{operation} = {answer}"))
    return sentences((*before, f"It is {answer} as I recall it"))


def sentences(steps: tuple[str, ...]) -> list[str]:
    return [step if step.endswith(".") else f"{step}." for step in steps]


def remarks(request: Request, *, answer: str, problem: Problem) -> list[str]:
    """What is said beside the steps: by verbosity, from nothing to all of it. Every remark is true."""
    count = len(problem.steps)
    hasty = [wrong for wrong in problem.wrong if wrong != answer]
    said = [
        f"The answer rests on {count} step{'' if count == 1 else 's'}.",
        "Whoever doubts it should work out the last step again.",
        "I am a simulated expert: I am right as often as my declared competence says.",
        *[f"A hasty answer would be {wrong}." for wrong in hasty[:1]],
    ]
    draws(request, purpose="remarks").shuffle(said)
    return said[: round(traits_of(request).verbosity * len(said))]


def addressing(request: Request) -> list[str]:
    critiques = request.inputs.get("critiques") or ()
    return [f"{len(critiques)} of my claims were criticised; I went through each again."] if critiques else []


def addressed(request: Request, *, answer: str) -> list[dict[str, str]]:
    """One entry for each criticised claim that has an id."""
    ids = [group.get("claim_id") for group in request.inputs.get("critiques") or ()]
    how = f"I worked it out again and get {answer}."
    return [{"claim_id": str(claim), "how": how} for claim in ids if claim]


def review(request: Request) -> dict[str, Any]:
    """A review reply: one entry per candidate, weights within the credits."""
    problem = problem_of(str(request.inputs["task"]))
    candidates = request.inputs["candidates"]
    if problem is None:
        return {"reviews": [lukewarm(request, candidate) for candidate in candidates], "missed": None}
    found = judgements(request, problem=problem, traits=traits_of(request))
    weights = within_credits({label: 70 * judged for label, judged in found.items()})
    return {
        "reviews": [
            reviewed(candidate, judged=found[candidate["label"]], weight=weights[candidate["label"]])
            for candidate in candidates
        ],
        "missed": None if max(found.values(), default=0.0) > 0 else "No candidate is right, as I see it.",
    }


def within_credits(weights: Mapping[str, float]) -> dict[str, int]:
    """Whole weights, scaled down together where they would cost more than the credits."""
    scale = max(sum(abs(weight) for weight in weights.values()) / CREDITS, 1.0)
    return {label: int(weight / scale) for label, weight in weights.items()}


def reviewed(candidate: Mapping[str, Any], *, judged: float, weight: int) -> dict[str, Any]:
    answer = delivered(candidate)
    return {
        "candidate": candidate["label"],
        "claims": [claim_verdict(candidate, judged=judged)],
        "justification": justification(answer, judged=judged),
        "stance": next((stance for least, stance in STANCES if judged >= least), "strong_disagree"),
        "categories": categories(weight, clear=40),
        "weight": weight,
    }


def justification(answer: str | None, *, judged: float) -> str:
    if answer is None:
        return "It delivers no result that could be compared."
    if judged > 0.2:
        return f"My own check also gives {answer}."
    if judged < -0.2:
        return f"My own check does not give {answer}; the last step has to be done again."
    return f"I could not tell whether {answer} is right."


def claim_verdict(candidate: Mapping[str, Any], *, judged: float) -> dict[str, Any]:
    """A verdict on the claim that the answer rests on: its last. The quote is the candidate's own text."""
    claims = candidate.get("claims") or ()
    return {
        "claim_id": claims[-1]["id"] if claims else None,
        "quote": claims[-1]["text"] if claims else first_sentence(candidate["answer"]),
        "verdict": next((verdict for least, verdict in VERDICTS if judged > least), "refuted"),
        "reason": "I worked it out on my own and compared the results.",
    }


def first_sentence(text: str) -> str:
    """The text up to the first full stop that ends a sentence, as it stands; at most 200 characters."""
    end = text.find(". ")
    return text[: min(end + 1 if end >= 0 else len(text), 200)]


def lukewarm(request: Request, candidate: Mapping[str, Any]) -> dict[str, Any]:
    """The review of an answer that the expert cannot judge: a weight near zero, nothing verified."""
    weight = draws(request, purpose=f"lukewarm {candidate['label']}").randint(0, 8)
    return {
        "candidate": candidate["label"],
        "claims": [],
        "justification": "I am a simulated expert and cannot judge this answer; its weight means little.",
        "stance": "neutral",
        "categories": categories(None, clear=None),
        "weight": weight,
    }


def categories(weight: int | None, *, clear: int | None) -> dict[str, int | None]:
    """Ratings: the correctness that the weight expresses; None for what a simulated expert does not see."""
    unseen = {"completeness": None, "evidence": None, "feasibility": None}
    return {"correctness": weight, **unseen, "clarity": clear}
