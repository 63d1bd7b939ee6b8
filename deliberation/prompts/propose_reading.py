"""The reading of a proposal: an answer is needed; all else is kept where readable and noted where not."""

from deliberation.prompts import fields
from deliberation.prompts.base import MalformedReply
from deliberation.prompts.fields import (
    Record,
    capped,
    drop_repeated,
    number,
    one_of,
    records,
    resolved,
    text,
    text_or_none,
)
from deliberation.prompts.propose_values import OUTCOMES, Addressed, ClaimText, ProposalReply
from deliberation.prompts.reading import read, unwrapped
from deliberation.protocol.state import claim_id

OUTCOME_ALIASES = {"fixed": "corrected", "withdrawn": "corrected", "changed": "corrected", "proven": "proved"}
ANSWER_NAMES = frozenset(
    name for field in ("answer", "final_answer") for name in (field, *fields.PROPOSAL[field])
)


def read_proposal(body: bytes, *, claims_max: int = 7) -> ProposalReply:
    """Raises MalformedReply where the reply holds no answer, or two of them."""
    document = read(body, wanted=holds_answer)
    notes = list(document.notes)
    record = resolved(as_object(document.value), table=fields.PROPOSAL, notes=notes)
    refuse_two_answers(record)
    drop_repeated(record, notes=notes)
    final_answer = read_final_answer(record, cut_key=document.cut_key, notes=notes)
    return ProposalReply(
        reasoning=read_reasoning(record, notes=notes),
        answer=read_answer(record, final_answer=final_answer, cut_key=document.cut_key, notes=notes),
        final_answer=final_answer,
        claims=read_claims(record.get("claims"), most=claims_max, notes=notes),
        confidence=read_confidence(record.get("confidence"), notes=notes),
        addressed=read_addressed(record.get("addressed"), notes=notes),
        notes=capped(notes),
    )


def holds_answer(value: object) -> bool:
    return any(fields.folded_key(key) in ANSWER_NAMES for key in as_object(value))


def as_object(value: object) -> Record:
    """The object that holds the answer; an empty one where the value is none."""
    record = unwrapped(value, name="answer")
    return record if isinstance(record, Record) else Record()


def refuse_two_answers(record: Record) -> None:
    if "answer" in record.repeated:
        raise MalformedReply('the reply holds the key "answer" twice.')


def read_final_answer(record: Record, *, cut_key: str | None, notes: list[str]) -> str | None:
    """The comparable result, or None for an open task. Half a result is none: "39" is not "391"."""
    value = record.get("final_answer")
    if value is not None and cut_key is not None and cut_key in names_of("final_answer"):
        notes.append("the reply ends inside final_answer, so it was dropped")
        return None
    return text_or_none(value)


def names_of(field: str) -> tuple[str, ...]:
    return (field, *fields.PROPOSAL[field])


def read_answer(record: Record, *, final_answer: str | None, cut_key: str | None, notes: list[str]) -> str:
    """The answer, or the result where the reply gives nothing else. Raises MalformedReply without both."""
    answer = text(record.get("answer"))
    if not answer and final_answer is None:
        raise MalformedReply("the answer is missing or empty.")
    if not answer:
        notes.append("the answer was missing, so final_answer stands in its place")
        return final_answer or ""
    if cut_key is not None and cut_key in names_of("answer"):
        notes.append("the reply ends inside the answer")
    if not isinstance(record.get("answer"), str):
        notes.append("the answer was not text and was written out as text")
    return answer


def read_reasoning(record: Record, *, notes: list[str]) -> str:
    reasoning = text(record.get("reasoning"))
    if not reasoning:
        notes.append("the reasoning is missing")
    return reasoning


def read_claims(value: object, *, most: int, notes: list[str]) -> tuple[ClaimText, ...]:
    """At most `most` claims, each text once, with the id of its normalised text (protocol.md 6)."""
    texts = [said for item in listed(value) if (said := claim_text(item))]
    claims: dict[str, ClaimText] = {}
    for said in texts:
        claims.setdefault(claim_id(said), ClaimText(id=claim_id(said), text=said))
    unique = tuple(claims.values())
    if len(unique) > most:
        notes.append(f"{len(unique)} claims were made; the first {most} were kept")
    return unique[:most]


def listed(value: object) -> list[object]:
    """A list of claims from a list, or from one claim given alone."""
    return value if isinstance(value, list) else [value]


def claim_text(item: object) -> str:
    if isinstance(item, Record):
        item = resolved(item, table=fields.CLAIM, notes=[]).get("text")
    return text_or_none(item) or "" if isinstance(item, str) else ""


def read_confidence(value: object, *, notes: list[str]) -> float | None:
    """A chance in [0, 1]; above 10 per cent, noted; from 1 to 10 of an unknown scale, so dropped."""
    if value is None or (isinstance(value, str) and text_or_none(value) is None):
        return None
    read = number(value)
    if read.value is None:
        notes.append(f"the confidence was dropped: it {read.problem}")
        return None
    percent = read.percent or read.value > 10
    confidence = read.value / 100 if percent else read.value
    if not 0 <= confidence <= 1:
        notes.append(f"the confidence was dropped: {read.value:g} is not between 0 and 1")
        return None
    if percent or read.mended:
        notes.append(f"the confidence {read.value:g} was read as {confidence:g}")
    return confidence


def read_addressed(value: object, *, notes: list[str]) -> tuple[Addressed, ...]:
    """What the proposal did about the claims that were criticised; entries that name none are left out."""
    found = [
        resolved(item, table=fields.ADDRESSED, notes=[])
        for item in records(value)
        if isinstance(item, Record)
    ]
    kept = tuple(entry for entry in map(addressed, found) if entry.claim_id)
    if len(kept) < len(records(value)):
        notes.append("entries of addressed that name no claim were left out")
    return kept


def addressed(record: Record) -> Addressed:
    return Addressed(
        claim_id=text(record.get("claim_id")).strip("[]# ").lower(),
        outcome=one_of(record.get("outcome"), options=OUTCOMES, aliases=OUTCOME_ALIASES),
        how=text(record.get("how")),
    )
