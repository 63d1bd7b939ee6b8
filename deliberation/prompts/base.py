"""What both exchanges share: the prompt as a value, the refusal of a reply, and the one re-ask."""

from dataclasses import dataclass, replace
from typing import Any

from deliberation.prompts.texts import clean

REASK = """\
Your reply could not be used: {error}

Send the whole reply again as one JSON object in the shape given above. Send JSON only: no text before or \
after it, no code fence."""


class MalformedReply(ValueError):
    """A reply that cannot be used. str() is a sentence, fit to be quoted to the model and shown to people."""


@dataclass(frozen=True)
class Prompt:
    """One exchange, ready to send.

    messages: {"role", "content"} each, the system message first. schema: JSON schema of the reply in the
    strict subset (every property required, no additional ones). inputs: the same content as plain JSON
    values, for backends that work from values instead of words.
    """

    messages: tuple[dict[str, str], ...]
    schema: dict[str, Any]
    schema_name: str
    version: str
    inputs: dict[str, Any]


@dataclass(frozen=True)
class OwnProposal:
    """A participant's own proposal. net_support in [-1, +1] (protocol.md 4), None: nobody weighed it."""

    answer: str
    reasoning: str
    net_support: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {"answer": self.answer, "reasoning": self.reasoning, "net_support": self.net_support}


def reask(prompt: Prompt, reply_text: str, error: str, *, keep_chars: int = 4_000) -> Prompt:
    """The prompt again, with the beginning of the reply that was no use and the sentence that refused it."""
    said = clean(reply_text[:keep_chars]).strip() or "(empty reply)"
    refused = {"role": "assistant", "content": said}
    asked = {"role": "user", "content": REASK.format(error=clean(error))}
    return replace(prompt, messages=(*prompt.messages, refused, asked))
