"""What a chat completion has said so far, from the chunks of a stream or from one whole answer.

Visible text and reasoning are kept apart: the fields `reasoning_content` and `reasoning`, and a `<think>`
part at the beginning of the text, are reasoning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OPEN, CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Parts a text, given in pieces, into what was thought and what was said, which is passed on at once."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._said: list[str] = []
        self._thought: list[str] = []
        self._held = ""
        self._state = "start"  # start | thinking | said
        self._parted = False  # a think part came first: the white space after it belongs to nobody

    def feed(self, piece: str) -> None:
        if self._state == "said":
            self._say(piece)
            return
        self._held += piece
        if self._state == "start":
            self._begin()
        if self._state == "thinking":
            self._think()

    def _begin(self) -> None:
        opening = self._held.lstrip()
        if opening.startswith(OPEN):
            self._state, self._held = "thinking", opening[len(OPEN) :]
            self._parted = True
        elif not OPEN.startswith(opening):
            self._state = "said"
            self._say(self._undecided())
            self._held = ""

    def _think(self) -> None:
        """Moves what cannot belong to the closing tag out of the held text, so that holding stays short."""
        thought, closed, said = self._held.partition(CLOSE)
        if not closed:
            keep = len(CLOSE) - 1
            self._thought.append(self._held[:-keep])
            self._held = self._held[-keep:]
            return
        self._thought.append(thought)
        self._state, self._held = "start", ""
        self.feed(said)

    def _say(self, piece: str) -> None:
        if piece:
            self._said.append(piece)
            self._on_text(piece)

    def _undecided(self) -> str:
        return self._held.lstrip() if self._parted else self._held

    def result(self) -> tuple[str, str]:
        """(said, thought). A closing tag without an opening one (the template opened it) still parts them."""
        said = "".join(self._said) + (self._undecided() if self._state == "start" else "")
        thought = "".join(self._thought) + (self._held if self._state == "thinking" else "")
        if CLOSE in said and not self._parted and not said.lstrip().startswith(("{", "[", "`")):
            thought, _, said = said.partition(CLOSE)
            said = said.lstrip()
        return said, thought


class Transcript:
    """Adds chunks up. What a chunk lacks, or holds in another type, is passed over, never guessed."""

    def __init__(self, *, on_text: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._splitter = ThinkSplitter(on_text)
        self._reasoning: list[str] = []
        self._clock = clock
        self.first_text_at: float | None = None
        self.finish_reason: str | None = None
        self.served_model: str | None = None
        self.tokens_in: int | None = None
        self.tokens_out: int | None = None
        self.choices_seen = False
        self.size = 0  # bytes of text and reasoning

    def add(self, chunk: dict[str, Any]) -> None:
        """One chunk of a stream (`delta`) or one whole answer (`message`)."""
        if self.served_model is None and isinstance(model := chunk.get("model"), str):
            self.served_model = model
        if isinstance(usage := chunk.get("usage"), dict):
            self._use(usage)
        for choice in listed(chunk.get("choices")):
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                self.choices_seen = True
                self._choose(choice)

    def _use(self, usage: dict[str, Any]) -> None:
        self.tokens_in = count(usage.get("prompt_tokens"))
        self.tokens_out = count(usage.get("completion_tokens"))

    def _choose(self, choice: dict[str, Any]) -> None:
        if isinstance(reason := choice.get("finish_reason"), str):
            self.finish_reason = reason
        said = choice.get("delta") or choice.get("message")
        if not isinstance(said, dict):
            return
        thought = said.get("reasoning_content") or said.get("reasoning")
        text = content_text(said.get("content")) or content_text(said.get("refusal"))
        if self.first_text_at is None and (thought or text):
            self.first_text_at = self._clock()
        if isinstance(thought, str):
            self._reasoning.append(thought)
            self.size += byte_length(thought)
        if text:
            self._splitter.feed(text)
            self.size += byte_length(text)

    def texts(self) -> tuple[str, str]:
        """(visible text, reasoning) so far."""
        said, thought = self._splitter.result()
        return said, "".join(self._reasoning) + thought


def content_text(content: object) -> str:
    """The text of a message's content: a string, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    parts = (part.get("text") for part in listed(content) if isinstance(part, dict))
    return "".join(part for part in parts if isinstance(part, str))


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def count(value: object) -> int | None:
    """A token count; None for what is not a count (bool is an int in Python, and a count is not negative)."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def byte_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
