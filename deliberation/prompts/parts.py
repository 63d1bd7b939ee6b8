"""The parts of a user message: what participants wrote inside fences, our own words outside."""

from collections.abc import Iterable, Mapping
from typing import Any

from deliberation.prompts.base import OwnProposal
from deliberation.prompts.review_values import Candidate
from deliberation.prompts.texts import clean, fence, shape

SUPPORT = (
    (0.6, "strong support"),
    (0.25, "clear support"),
    (0.05, "slight support"),
    (-0.05, "no opinion either way"),
    (-0.25, "slight opposition"),
    (-0.6, "clear opposition"),
    (-1.0, "strong opposition"),
)


def joined(*parts: str) -> str:
    """The parts that say something, an empty line between them."""
    return "\n\n".join(part for part in parts if part)


def task_part(task: str, *, category: str | None, nonce: str) -> str:
    kind = f" (category: {' '.join(clean(category).split())})" if category else ""
    return f"Task{kind}\n{fence('task', task, nonce=nonce)}"


def state_part(state: Iterable[Mapping[str, Any]], *, nonce: str) -> str:
    """The consensus state without its guidance items, which have a part of their own."""
    lines = [state_line(item) for item in state if item.get("kind") != "guidance"]
    if not lines:
        return ""
    return "Consensus state: what the group carries over\n" + fence("state", "\n".join(lines), nonce=nonce)


def state_line(item: Mapping[str, Any]) -> str:
    name = " ".join(str(item[key]) for key in ("kind", "id") if item.get(key))
    status = f", {item['status']}" if item.get("status") else ""
    return f"- {name}{status}: {item['text']}"


def support_in_words(net_support: float | None) -> str:
    """Net support in [-1, +1] (protocol.md 4) as a phrase with its number."""
    if net_support is None:
        return "nobody weighed it"
    words = next((words for floor, words in SUPPORT if net_support >= floor), SUPPORT[-1][1])
    return f"{words} (net support {net_support:+.2f} on a scale from -1 to +1)"


def last_proposal_part(own: OwnProposal | None, *, nonce: str) -> str:
    if own is None:
        return ""
    heading = f"Your last proposal. Its reception: {support_in_words(own.net_support)}"
    return f"{heading}\n{own_fence(own, nonce=nonce)}"


def baseline_part(own: OwnProposal | None, *, nonce: str) -> str:
    if own is None:
        return ""
    heading = "Your own proposal of this round: a baseline to compare with. It is no candidate"
    return f"{heading}\n{own_fence(own, nonce=nonce)}"


def own_fence(own: OwnProposal, *, nonce: str) -> str:
    return fence("own_proposal", f"Answer:\n{own.answer}\n\nReasoning:\n{own.reasoning}", nonce=nonce)


def critiques_part(groups: Iterable[Mapping[str, Any]], *, nonce: str) -> str:
    fences = [critique_fence(group, nonce=nonce) for group in groups if group["items"]]
    return "\n".join(["Critiques of your last proposal, grouped by claim", *fences]) if fences else ""


def critique_fence(group: Mapping[str, Any], *, nonce: str) -> str:
    claim_id, text = group.get("claim_id"), group.get("claim_text")
    heading = (
        f"On claim {claim_id or 'without an id'}: {text}"
        if claim_id or text
        else "On the proposal as a whole:"
    )
    lines = [
        f"- {item['verdict']}: {item['text']}" if item.get("verdict") else f"- {item['text']}"
        for item in group["items"]
    ]
    return fence("critiques", "\n".join([heading, *lines]), nonce=nonce)


def guidance_part(guidance: Iterable[str], *, nonce: str) -> str:
    lines = [f"- {text}" for text in guidance]
    if not lines:
        return ""
    heading = "Guidance from the people in charge: follow it unless the task forbids it"
    return f"{heading}\n" + fence("guidance", "\n".join(lines), nonce=nonce)


def candidate_part(candidate: Candidate, *, nonce: str, reasoning_chars: int) -> str:
    """A candidate under its heading line `[candidate X]`: answer, result, reasoning, claims, with shapes."""
    reasoning = candidate.reasoning[:reasoning_chars]
    note = "" if reasoning == candidate.reasoning else f" (cut at {reasoning_chars:,} characters)"
    lines = [
        f"[candidate {candidate.label}]",
        f"Answer: {shape(candidate.answer)}",
        fence("answer", candidate.answer, nonce=nonce),
    ]
    if candidate.final_answer is not None:
        lines += ["Its result alone", fence("final_answer", candidate.final_answer, nonce=nonce)]
    if reasoning:
        lines += [
            f"Reasoning: {shape(candidate.reasoning)}{note}",
            fence("reasoning", reasoning, nonce=nonce),
        ]
    if candidate.claims:
        lines += ["Its claims, with their ids", fence("claims", claim_lines(candidate.claims), nonce=nonce)]
    return "\n".join(lines)


def claim_lines(claims: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {claim_id}: {text}" for claim_id, text in claims)


def contested_part(contested: Iterable[Mapping[str, Any]], *, nonce: str) -> str:
    lines = claim_lines((str(claim["id"]), str(claim["text"])) for claim in contested)
    if not lines:
        return ""
    return "Contested claims from earlier rounds: judge them again\n" + fence("contested", lines, nonce=nonce)
