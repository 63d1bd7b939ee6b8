"""Fields of a decoded reply: found under their own name or an alias, and read as text, number or list.

Every mending is said in a note, fit for a screen. What cannot be read is None; nothing is guessed.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deliberation.prompts.texts import clean, restored_latex

PROPOSAL: Final = {
    "reasoning": (
        "thinking",
        "thoughts",
        "rationale",
        "explanation",
        "analysis",
        "steps",
        "chain_of_thought",
    ),
    "answer": ("response", "solution", "proposal", "final", "output", "result"),
    "final_answer": ("final_result", "short_answer", "final_value"),
    "claims": ("key_claims", "assertions", "statements"),
    "confidence": ("certainty", "probability", "confidence_score"),
    "addressed": ("addressed_critiques", "resolved", "responses_to_critiques", "addresses"),
}
ADDRESSED: Final = {
    "claim_id": ("id", "claim", "critique", "critique_id"),
    "outcome": ("status", "verdict", "resolution_type"),
    "how": ("response", "resolution", "text", "answer", "action"),
}
CLAIM: Final = {"text": ("claim", "statement", "content", "assertion")}
BALLOT: Final = {
    "reviews": (
        "review",
        "evaluations",
        "ratings",
        "scores",
        "votes",
        "weights",
        "ballot",
        "candidates",
        "assessments",
    ),
    "missed": ("missing", "overlooked", "gaps", "what_no_candidate_saw"),
}
REVIEW: Final = {
    "candidate": (
        "label",
        "proposal",
        "id",
        "candidate_id",
        "candidate_label",
        "proposal_id",
        "name",
        "letter",
    ),
    "weight": ("score", "rating", "vote", "votes", "points", "credits", "value"),
    "justification": (
        "reason",
        "rationale",
        "reasoning",
        "critique",
        "comment",
        "explanation",
        "feedback",
        "review",
    ),
    "stance": ("position", "agreement", "opinion"),
    "claims": ("claim_verdicts", "verdicts", "claim_reviews", "pivotal_claims"),
    "categories": ("category_scores", "scores", "ratings", "criteria", "dimensions"),
}
VERDICT: Final = {
    "claim_id": ("id", "claim"),
    "quote": ("text", "claim_text", "excerpt", "statement", "quotation"),
    "verdict": ("status", "judgement", "judgment", "assessment", "result"),
    "reason": ("justification", "rationale", "explanation", "comment", "why"),
}
Table = Mapping[str, tuple[str, ...]]

NOTHING = frozenset({"", "null", "none", "n/a", "-", "not applicable"})
NOT_FINITE = "is not finite"
NUMBER = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+))\s*(%|/\s*100(?:\.0*)?)?")


class Record(dict[str, object]):
    """A JSON object that remembers which of its keys came twice."""

    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Number:
    """value: finite, or None with the problem in words. mended: what was accepted in place of a plain number.

    percent: whether the reply said that it is out of a hundred.
    """

    value: float | None
    problem: str | None = None
    mended: str | None = None
    percent: bool = False


def folded_key(key: str) -> str:
    """One key for "Final Answer", "finalAnswer" and "final-answer": final_answer."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def resolved(record: Record, *, table: Table, notes: list[str]) -> Record:
    """The record's known fields under their own names.

    A field's own name goes before its aliases, an alias serves one field, and its use is noted. A field whose
    name came twice, spelled the same or only alike ("weight" and "Weight"), is listed in `repeated` of the result.
    """
    folded = {key: folded_key(key) for key in reversed(record)}
    by_key = {folded[key]: key for key in folded}
    spellings = Counter(folded.values())
    taken: dict[str, str] = {name: by_key[name] for name in table if name in by_key}
    for name, aliases in table.items():
        alias = next(
            (alias for alias in aliases if alias in by_key and by_key[alias] not in taken.values()), None
        )
        if name not in taken and alias is not None:
            taken[name] = by_key[alias]
            notes.append(f'"{name}" was read from "{alias}"')
    result = Record({name: record[key] for name, key in taken.items()})
    result.repeated = frozenset(
        name for name, key in taken.items() if key in record.repeated or spellings[folded[key]] > 1
    )
    return result


def text(value: object) -> str:
    """Text from any JSON value: a list becomes lines, another structure its JSON; "" for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(restored_latex(value)).strip()
    if isinstance(value, list):
        return "\n".join(text(item) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return clean(json.dumps(value, ensure_ascii=False))


def text_or_none(value: object) -> str | None:
    """Text, or None where it says nothing: null, "", "null", "N/A"."""
    said = text(value)
    return None if said.strip().lower() in NOTHING else said


def number(value: object) -> Number:
    """A finite number from a JSON value: plain, or as text ("80", "+80", "80%", "80/100")."""
    if isinstance(value, str):
        return number_from_text(value)
    if value is None:
        return Number(None, problem="is missing")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Number(None, problem=f"is no number ({clean(json.dumps(value))[:40]})")
    if isinstance(value, int):
        return Number(float(value)) if value.bit_length() < 1_000 else Number(None, problem=NOT_FINITE)
    return Number(value) if math.isfinite(value) else Number(None, problem=NOT_FINITE)


def number_from_text(value: str) -> Number:
    said = value.strip().replace("\u2212", "-").replace("\u2013", "-")
    quoted = clean(value[:40])
    if said.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        return Number(None, problem=NOT_FINITE)
    match = NUMBER.fullmatch(said) if len(said) <= 40 else None
    if match is None:
        return Number(None, problem=f'is no number ("{quoted}")')
    mended = f'the text "{quoted}" was read as {float(match[1]):g}'
    return Number(float(match[1]), mended=mended, percent=match[2] is not None)


def drop_repeated(record: Record, *, notes: list[str]) -> None:
    """Fields whose key came twice are taken out: which of the two was meant is not ours to say."""
    for name in sorted(record.repeated):
        del record[name]
        notes.append(f'"{name}" was dropped: its key came twice')


def capped(notes: list[str], *, most: int = 40) -> tuple[str, ...]:
    """Each note once, in order, and how many were left out past the first `most`."""
    unique = list(dict.fromkeys(notes))
    rest = len(unique) - most
    return tuple(unique[:most]) + ((f"and {rest} more notes",) if rest > 0 else ())


def one_of(value: object, *, options: tuple[str, ...], aliases: Mapping[str, str]) -> str | None:
    """The option that the value names, by itself or by an alias; true and false are names, too."""
    if isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > 60:
        return None
    key = folded_key(value)
    return key if key in options else aliases.get(key)


def records(value: object) -> list[object]:
    """A list from a JSON value: a list as it is, one object as a list of one, anything else empty."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Record) else []
