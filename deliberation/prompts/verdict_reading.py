"""The reading of what a review says besides its weight: verdicts on claims, stance, category ratings."""

from collections.abc import Iterable

from deliberation.prompts import fields
from deliberation.prompts.fields import Record, drop_repeated, number, one_of, records, resolved, text
from deliberation.prompts.parts import claim_lines
from deliberation.prompts.review_values import (
    CATEGORIES,
    STANCES,
    VERDICTS,
    Candidate,
    ClaimVerdict,
    ReviewInputs,
)
from deliberation.prompts.texts import folded, shown

STANCE_ALIASES = {
    "strongly_agree": "strong_agree",
    "agreed": "agree",
    "undecided": "neutral",
    "neither": "neutral",
    "neither_agree_nor_disagree": "neutral",
    "strongly_disagree": "strong_disagree",
}
VERDICT_ALIASES = {
    "correct": "verified",
    "confirmed": "verified",
    "true": "verified",
    "valid": "verified",
    "supported": "verified",
    "disputed": "contested",
    "questionable": "contested",
    "doubtful": "contested",
    "partially_verified": "contested",
    "unsupported": "unverified",
    "unknown": "unverified",
    "unclear": "unverified",
    "not_verified": "unverified",
    "unverifiable": "unverified",
    "incorrect": "refuted",
    "false": "refuted",
    "wrong": "refuted",
    "invalid": "refuted",
}
EDGES = "\"'. "


def read_verdicts(
    value: object, *, candidate: Candidate, inputs: ReviewInputs, notes: list[str]
) -> tuple[ClaimVerdict, ...]:
    """The verdicts on the candidate's claims; those without a known verdict are dropped, noted."""
    found = [item for item in records(value) if isinstance(item, Record)]
    if not found:
        return ()
    seen = folded(shown_text(candidate, inputs=inputs))
    ids = {claim_id for claim_id, _ in (*candidate.claims, *contested_pairs(inputs))}
    read = [read_verdict(item, seen=seen, ids=ids) for item in found]
    kept = tuple(verdict for verdict in read if verdict is not None)
    notes += uncounted(candidate.label, unread=len(read) - len(kept), kept=kept)
    return kept


def uncounted(label: str, *, unread: int, kept: Iterable[ClaimVerdict]) -> Iterable[str]:
    """The notes about verdicts that do not count."""
    if unread:
        yield f"{unread} claim verdict{'' if unread == 1 else 's'} on candidate {label} could not be read"
    ungrounded = sum(not verdict.grounded for verdict in kept)
    if ungrounded == 1:
        yield f"1 quote is not in candidate {label}; its verdict does not count"
    elif ungrounded:
        yield f"{ungrounded} quotes are not in candidate {label}; their verdicts do not count"


def read_verdict(item: Record, *, seen: str, ids: set[str]) -> ClaimVerdict | None:
    record = resolved(item, table=fields.VERDICT, notes=[])
    drop_repeated(record, notes=[])
    verdict = one_of(record.get("verdict"), options=VERDICTS, aliases=VERDICT_ALIASES)
    if verdict is None:
        return None
    quote, claim_id = text(record.get("quote")), text(record.get("claim_id")).strip("[]# ").lower()
    return ClaimVerdict(
        claim_id=claim_id if claim_id in ids else None,
        quote=quote,
        verdict=verdict,
        reason=text(record.get("reason")),
        grounded=is_grounded(quote, seen=seen),
    )


def is_grounded(quote: str, *, seen: str) -> bool:
    """Whether the quote stands in the folded text, whatever marks or dots of omission surround it."""
    words = folded(quote).strip(EDGES)
    return any(character.isalnum() for character in words) and words in seen


def shown_text(candidate: Candidate, *, inputs: ReviewInputs) -> str:
    """All that this reviewer was shown of the candidate, and the contested claims to judge again."""
    texts = (
        candidate.answer,
        candidate.final_answer or "",
        candidate.reasoning[: inputs.peer_reasoning_chars],
        claim_lines(candidate.claims),
        claim_lines(contested_pairs(inputs)),
    )
    return "\n".join(shown(each, nonce=inputs.nonce) for each in texts)


def contested_pairs(inputs: ReviewInputs) -> Iterable[tuple[str, str]]:
    return [(str(claim["id"]), str(claim["text"])) for claim in inputs.contested]


def read_stance(value: object, *, label: str, notes: list[str]) -> str | None:
    stance = one_of(value, options=STANCES, aliases=STANCE_ALIASES)
    if stance is None and value is not None:
        notes.append(f"the stance on candidate {label} is none of the known ones")
    return stance


def no_categories() -> dict[str, float | None]:
    return dict.fromkeys(CATEGORIES)


def read_categories(value: object, *, label: str, notes: list[str]) -> dict[str, float | None]:
    """All categories, each rating in [-100, +100]: clamped where outside, None where unreadable, noted."""
    ratings = no_categories()
    if not isinstance(value, Record):
        return ratings
    record = resolved(value, table=dict.fromkeys(CATEGORIES, ()), notes=notes)
    drop_repeated(record, notes=notes)
    for name, rating in record.items():
        ratings[name] = read_rating(rating, name=name, label=label, notes=notes)
    return ratings


def read_rating(value: object, *, name: str, label: str, notes: list[str]) -> float | None:
    if value is None:
        return None
    read = number(value)
    if read.value is None:
        notes.append(f"the {name} rating of candidate {label} {read.problem}")
        return None
    clamped = min(100.0, max(-100.0, read.value))
    if clamped != read.value:
        notes.append(f"the {name} rating of candidate {label} was clamped to {clamped:g}")
    return clamped
