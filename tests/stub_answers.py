"""What the stub server says: replies in the fields of the two exchanges, and broken ones on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Text = Callable[[str], str]


def answer_to(body: dict[str, Any]) -> str:
    """The reply's JSON text, in the fields of the exchange that the prompt belongs to."""
    said = "\n".join(message["content"] for message in body["messages"] if message["role"] == "user")
    form = (body.get("response_format") or {}).get("json_schema") or {}
    labels = re.findall(r"^\[candidate ([^\]\n]+)\]$", said, re.MULTILINE)
    is_review = form.get("name") == "review" or (not form and bool(labels))
    return json.dumps(review_of(said, labels) if is_review else proposal_for(said))


def result_of(said: str) -> str | None:
    """The value of the task's first `a * b`, `a + b` or `a - b`. The task: its fence, else all."""
    fenced = re.search(r"^<<<task [^\n]*\n(.*?)\n[^\n]*>>>$", said, re.MULTILINE | re.DOTALL)
    found = re.search(r"(\d{1,9})\s*([*+-])\s*(\d{1,9})", fenced[1] if fenced else said)
    if found is None:
        return None
    left, right = int(found[1]), int(found[3])
    return str({"*": left * right, "+": left + right, "-": left - right}[found[2]])


def proposal_for(said: str) -> dict[str, Any]:
    result = result_of(said)
    answer = f"The answer is {result}." if result else "The stub knows arithmetic alone."
    return {
        "reasoning": "Worked out once and checked once.",
        "answer": answer,
        "final_answer": result,
        "claims": [{"text": answer}],
        "confidence": 0.9 if result else None,
        "addressed": [],
    }


def review_of(said: str, labels: list[str]) -> dict[str, Any]:
    """Candidates that hold the result are weighed up, the others down; without a result all alike."""
    result = result_of(said)
    sections = re.split(r"^\[candidate [^\]\n]+\]$", said, flags=re.MULTILINE)[1:]
    share = 90 // max(len(labels), 1)
    weights = [share if result is None or result in section else -share for section in sections]
    reviews = [judged(label, weight) for label, weight in zip(labels, weights, strict=True)]
    return {"reviews": reviews, "missed": None}


def judged(label: str, weight: int) -> dict[str, Any]:
    rating = dict.fromkeys(("correctness", "completeness", "evidence", "feasibility", "clarity"))
    return {
        "candidate": label,
        "claims": [],
        "justification": "The result was compared with the stub's own.",
        "stance": "agree" if weight > 0 else "disagree",
        "categories": rating,
        "weight": weight,
    }


def as_is(text: str) -> str:
    return text


TEXTS: dict[str, Text] = {
    "prose": lambda text: "I would say that the answer is quite clear, but I will not put it into JSON.",
    "fenced": lambda text: f"Here it is:\n```json\n{text}\n```",
    "wrong_fields": lambda text: json.dumps({"colour": "blue", "weight_of_candidates": "all"}),
    "length": lambda text: text[: len(text) // 2],
    "hostile_text": lambda text: f"a\x00b\ud800c{text}",
    "ten_mb": lambda text: "x" * 10_000_000,
    "deep": lambda text: "[" * 100_000,
    "duplicate_keys": lambda text: text[:-1] + ', "answer": "a second answer", "reviews": [], "reviews": []}',
    "thinks": lambda text: f"<think>Let me see.</think>\n\n{text}",
    "empty": lambda text: "",
}
