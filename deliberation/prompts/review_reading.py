"""The reading of a ballot from a reply: which weight goes to which candidate. A weight is never invented.

An entry is dropped, and that is noted, where its candidate is unknown or the reviewer's own, where a
candidate has two entries that differ, where one of its keys comes twice, and where its weight is not
finite. An entry whose weight is missing or unreadable keeps its words and has no weight.
"""

import re
from collections.abc import Iterator, Sequence

from deliberation.prompts import fields
from deliberation.prompts.base import MalformedReply
from deliberation.prompts.fields import (
    NOT_FINITE,
    Record,
    capped,
    folded_key,
    number,
    resolved,
    text,
    text_or_none,
)
from deliberation.prompts.reading import read, unwrapped
from deliberation.prompts.review_values import Candidate, CandidateReview, ReviewInputs, ReviewReply
from deliberation.prompts.verdict_reading import no_categories, read_categories, read_stance, read_verdicts

BEFORE_LABEL = re.compile(r"^(?:(?:the|candidate|proposal|answer|response|option|label|participant)[\s_]*)+")
OWN_WORDS = frozenset(
    {"own", "mine", "self", "me", "my own", "my own proposal", "own proposal", "my proposal"}
)
Entry = tuple[object, Record]
Kept = dict[str, Record | None]


def read_reviews(body: bytes, *, inputs: ReviewInputs) -> ReviewReply:
    """One review for each candidate shown. Raises MalformedReply where none has a usable weight."""
    labels = [candidate.label for candidate in inputs.candidates]
    document = read(body, wanted=lambda value: bool(ballot_of([value], labels=labels)))
    notes = list(document.notes)
    ballot = resolved(ballot_of(document.found, labels=labels), table=fields.BALLOT, notes=notes)
    refuse_two_lists(ballot)
    kept = by_label(ballot.get("reviews"), inputs=inputs, notes=notes)
    reviews = tuple(
        read_review(kept, candidate=candidate, inputs=inputs, notes=notes) for candidate in inputs.candidates
    )
    if all(review.weight is None for review in reviews):
        raise MalformedReply(f"no candidate got a usable weight: {'; '.join(capped(notes, most=6))}.")
    return ReviewReply(reviews=reviews, missed=text_or_none(ballot.get("missed")), notes=capped(notes))


def ballot_of(found: Sequence[object], *, labels: Sequence[str]) -> Record:
    """The object that holds the reviews, whatever form the reply gave them; an empty one where none does.

    Forms: {"reviews": ...}; a bare list of reviews; one object after the other; {label: review or weight}.
    """
    value = unwrapped(found[-1], name="reviews")
    if is_review(value, labels=labels):
        return Record(reviews=[item for item in found if is_review(item, labels=labels)])
    if isinstance(value, list):
        return Record(reviews=value) if any(is_review(item, labels=labels) for item in value) else Record()
    if not isinstance(value, Record):
        return Record()
    if {folded_key(key) for key in value} & {"reviews", *fields.BALLOT["reviews"]}:
        return value
    return Record(reviews=value) if any(known_label(key, labels=labels) for key in value) else Record()


def is_review(value: object, *, labels: Sequence[str]) -> bool:
    """Whether the value is one candidate's review: it names a known candidate, or is {label: weight}."""
    if not isinstance(value, Record):
        return False
    named = resolved(value, table={"candidate": fields.REVIEW["candidate"]}, notes=[]).get("candidate")
    lone = next(iter(value)) if len(value) == 1 else None
    return known_label(named, labels=labels) is not None or known_label(lone, labels=labels) is not None


def refuse_two_lists(ballot: Record) -> None:
    if "reviews" in ballot.repeated:
        raise MalformedReply('the reply holds the key "reviews" twice.')


def known_label(said: object, *, labels: Sequence[str]) -> str | None:
    """The label that "Candidate B", "[b]", "**B**" or "candidate_b" means; None for any other."""
    if not isinstance(said, str) or len(said) > 60:
        return None
    bare = plain(said)
    return next((label for label in labels if bare in (label.lower(), plain(label))), None)


def plain(said: str) -> str:
    return BEFORE_LABEL.sub("", bare_words(said))


def bare_words(said: str) -> str:
    return re.sub(r"[\W_]+", " ", said).strip().lower()


def is_own(said: object, *, own_label: str | None) -> bool:
    """Whether the entry weighs the reviewer's own proposal (protocol.md 2, diagonal mask)."""
    if not isinstance(said, str) or len(said) > 60:
        return False
    words = bare_words(said).removeprefix("the ").removeprefix("your ")
    return words in OWN_WORDS or (own_label is not None and plain(said) == plain(own_label))


def entries(reviews: object, *, notes: list[str]) -> Iterator[Entry]:
    """(name of its candidate, its fields) of each entry of a list, or of an object keyed by candidate."""
    if isinstance(reviews, Record):
        yield from (entry_of(key, item, twice=key in reviews.repeated) for key, item in reviews.items())
    for item in reviews if isinstance(reviews, list) else ():
        if not isinstance(item, Record):
            notes.append("an entry that is no object was dropped")
            continue
        record = resolved(item, table=fields.REVIEW, notes=notes)
        if "candidate" not in record and len(item) == 1:
            yield entry_of(*next(iter(item.items())), twice=bool(item.repeated))
        else:
            yield record.get("candidate"), record


def entry_of(key: str, item: object, *, twice: bool) -> Entry:
    """An entry under its candidate's name as key: a whole review, or the bare weight."""
    record = (
        resolved(item, table=fields.REVIEW, notes=[]) if isinstance(item, Record) else Record(weight=item)
    )
    record.repeated |= {"candidate"} if twice else set()
    return key, record


def by_label(reviews: object, *, inputs: ReviewInputs, notes: list[str]) -> Kept:
    """Label -> the fields of its entry; None where it had one that was dropped."""
    labels = [candidate.label for candidate in inputs.candidates]
    kept: Kept = {}
    for said, record in entries(reviews, notes=notes):
        label = known_label(said, labels=labels)
        if is_own(said, own_label=inputs.own_label):
            notes.append("a weight on the reviewer's own proposal was dropped")
        elif label is None:
            notes.append(f'an entry for the unknown candidate "{text(said)[:40]}" was dropped')
        else:
            kept[label] = merged(label, record, kept=kept, notes=notes)
    return kept


def merged(label: str, record: Record, *, kept: Kept, notes: list[str]) -> Record | None:
    """The entry to keep for the label, given one that it may have already."""
    if record.repeated:
        notes.append(f'the entry of candidate {label} was dropped: it holds "{min(record.repeated)}" twice')
        return None
    if label not in kept:
        return record
    earlier = kept[label]
    if (
        earlier is not None
        and number(earlier.get("weight")).value == number(record.get("weight")).value is not None
    ):
        notes.append(f"candidate {label} came twice with the same weight; the first entry was kept")
        return earlier
    notes.append(f"the entries of candidate {label} were dropped: they contradict one another")
    return None


def read_review(
    kept: Kept, *, candidate: Candidate, inputs: ReviewInputs, notes: list[str]
) -> CandidateReview:
    """The review of one candidate: its entry read, or one without weight and words where it has none."""
    label = candidate.label
    if label not in kept:
        notes.append(f"candidate {label} was left out")
    record = kept.get(label)
    if record is not None and number(record.get("weight")).problem == NOT_FINITE:
        notes.append(f"the entry of candidate {label} was dropped: its weight {NOT_FINITE}")
        record = None
    if record is None:
        return CandidateReview(label, None, "", None, (), no_categories())
    return CandidateReview(
        label=label,
        weight=read_weight(record.get("weight"), label=label, notes=notes),
        justification=text(record.get("justification")),
        stance=read_stance(record.get("stance"), label=label, notes=notes),
        claims=read_verdicts(record.get("claims"), candidate=candidate, inputs=inputs, notes=notes),
        categories=read_categories(record.get("categories"), label=label, notes=notes),
    )


def read_weight(value: object, *, label: str, notes: list[str]) -> float | None:
    """A weight in [-100, +100]; clamped where it lies outside, None where it cannot be read, both noted."""
    read = number(value)
    if read.value is None:
        notes.append(f"candidate {label} has no weight: it {read.problem}")
        return None
    if read.mended:
        notes.append(f"the weight of candidate {label}: {read.mended}")
    clamped = min(100.0, max(-100.0, read.value))
    if clamped != read.value:
        notes.append(f"the weight of candidate {label} was clamped from {read.value:g} to {clamped:g}")
    return clamped + 0.0  # no minus zero
