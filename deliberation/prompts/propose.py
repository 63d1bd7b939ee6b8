"""The propose exchange: what a participant is told before it proposes, and the reading of its proposal."""

from typing import Any

from deliberation.prompts.base import Prompt
from deliberation.prompts.parts import (
    critiques_part,
    guidance_part,
    joined,
    last_proposal_part,
    state_part,
    task_part,
)
from deliberation.prompts.preview import preview
from deliberation.prompts.propose_reading import read_proposal
from deliberation.prompts.propose_values import OUTCOMES, Addressed, ClaimText, ProposalReply, ProposeInputs
from deliberation.prompts.schema import choice, in_words, items, record, value
from deliberation.prompts.system import system_message

__all__ = [
    "SCHEMA",
    "TEMPLATE",
    "VERSION",
    "Addressed",
    "ClaimText",
    "ProposalReply",
    "ProposeInputs",
    "build",
    "parse",
    "preview",
]

VERSION = "propose/1"

SCHEMA = record(
    {
        "reasoning": value(
            "string", description="how you reached and checked the answer; answers to critiques first"
        ),
        "answer": value(
            "string", description="the complete answer as it will be delivered; may use Markdown"
        ),
        "final_answer": value(
            "string",
            nullable=True,
            description="the result alone, short and comparable: a number, a choice, a code hash or JSON;"
            " null for an open task",
        ),
        "claims": items(
            record(
                {"text": value("string", description="one checkable statement on which the answer rests")}
            ),
            description="at most 7, the pivotal ones first",
        ),
        "confidence": value(
            "number", nullable=True, description="chance that the answer is right, 0 to 1, or null"
        ),
        "addressed": items(
            record(
                {
                    "claim_id": value("string", description="id of a criticised or contested claim"),
                    "outcome": choice(
                        OUTCOMES,
                        nullable=True,
                        description="whether you gave the claim up or stand by it, or null",
                    ),
                    "how": value("string", description="how you corrected or proved it"),
                }
            ),
            description="one entry for each critique that you answered; empty in round 1",
        ),
    }
)

TEMPLATE = """\
Round {round}. Phase: propose. MARK of this message: {nonce}

{parts}

What to do now
{instruction}

Reply with one JSON object:
{shape}"""

FIRST = "Solve the task on your own. Plan, carry the plan out, verify, then write the answer."
LATER = (
    "Improve your proposal, or replace it by a better one.\n"
    "- Begin by answering the critiques. Resolve each contested claim: correct it, or prove it. A critique"
    " can be wrong; then show why.\n"
    "- Keep what is right. Do not give up a sound answer because others disagree."
)
WEAKEST = "- Reviewers rated your proposal lowest in {category}: work on that."


def build(inputs: ProposeInputs) -> Prompt:
    """The prompt of one propose turn. Raises ValueError for a nonce that fence() refuses."""
    content = TEMPLATE.format(
        round=inputs.round,
        nonce=inputs.nonce,
        parts=parts(inputs),
        instruction=instruction(inputs),
        shape=in_words(SCHEMA),
    )
    return Prompt(
        messages=(
            system_message(role=inputs.role, persona=inputs.persona),
            {"role": "user", "content": content},
        ),
        schema=SCHEMA,
        schema_name="propose",
        version=VERSION,
        inputs=as_values(inputs),
    )


def parts(inputs: ProposeInputs) -> str:
    nonce = inputs.nonce
    return joined(
        task_part(inputs.task, category=inputs.category, nonce=nonce),
        state_part(inputs.state, nonce=nonce),
        last_proposal_part(inputs.own, nonce=nonce),
        critiques_part(inputs.critiques, nonce=nonce),
        guidance_part(inputs.guidance, nonce=nonce),
    )


def instruction(inputs: ProposeInputs) -> str:
    if inputs.round == 1:
        return FIRST
    weakest = inputs.weakest_category
    return LATER + (f"\n{WEAKEST.format(category=weakest)}" if weakest else "")


def as_values(inputs: ProposeInputs) -> dict[str, Any]:
    """The same content as JSON values, for backends that do not read words."""
    return {
        "task": inputs.task,
        "category": inputs.category,
        "round": inputs.round,
        "own": inputs.own.as_json() if inputs.own else None,
        "critiques": [dict(group) for group in inputs.critiques],
        "state": [dict(item) for item in inputs.state],
        "guidance": list(inputs.guidance),
    }


def parse(body: bytes) -> ProposalReply:
    """The proposal in a reply (exchanges.md "Reading").

    Raises MalformedReply, whose sentence the re-ask quotes, where the reply holds no answer.
    """
    return read_proposal(body)
