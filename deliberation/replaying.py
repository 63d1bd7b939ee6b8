"""Replay: every tally, stop test and verdict of a session recomputed from its trail and compared byte for byte.

Nothing is called again, and nothing is computed from the working tables: verified events and the texts they name are
all. What screens read of those tables is compared with what comes out, and with what the events tell.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from deliberation import record
from deliberation.fork_checking import check_fork
from deliberation.models import Blob, Chain, Event, Session
from deliberation.protocol import anonymity
from deliberation.protocol.round import close_round
from deliberation.protocol.types import RoundOutcome
from deliberation.row_checking import Mismatch, check_rows
from deliberation.services.rounds import exact_bytes, verdict_of
from deliberation.trail import canonical, chain, verify


@dataclass(frozen=True)
class Recomputed:
    """What came of it. broken: the chain's own fault, before which nothing was recomputed."""

    events: int
    rounds: int
    verdict: bool
    broken: verify.Verdict | None
    mismatches: tuple[Mismatch, ...]

    @property
    def first(self) -> Mismatch | None:
        """The first thing that is not as it was told; None where all matches."""
        if self.broken is not None:
            return Mismatch(self.broken.bad_seq or 0, self.broken.reason or "")
        return self.mismatches[0] if self.mismatches else None

    @property
    def words(self) -> str:
        """2 rounds and the verdict recompute bit for bit from 41 events."""
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        what = f"{rounds} and the verdict recompute" if self.verdict else f"{rounds} recompute"
        return f"{what} bit for bit from {self.events} events"


def recompute(session: Session) -> Recomputed:
    """The chain, the texts, every number, and the rows that screens read: all that the record can be held to."""
    chain_verdict = verify_kept_chain(str(session.pk))
    found: list[Mismatch] = []
    if chain_verdict.ok:
        found = list(verify_copies(str(session.pk), session.blobs.all()))
        rows = (
            [] if found else list(check_rows(session))
        )  # whose events are not told by their copies has no rows
        found += [*replay(session), *rows]
    return Recomputed(
        events=chain_verdict.events,
        rounds=session.rounds.exclude(closed_at=None).count(),
        verdict=session.verdict is not None,
        broken=None if chain_verdict.ok else chain_verdict,
        mismatches=tuple(found),
    )


def verify_kept_chain(chain_id: str) -> verify.Verdict:
    """The chain of a session, or the system's: canonical bodies, numbers, links, hashes, and the head that the chain's
    row names. Chain.DoesNotExist where there is none.
    """
    rows = Event.objects.filter(chain_id=chain_id).values_list("seq", "body", "hash").order_by("seq")
    head = bytes(Chain.objects.values_list("head", flat=True).get(pk=chain_id)).hex()
    return verify.verify_chain(chain_id, rows, expected_head=head)


def verify_copies(chain_id: str, texts: "QuerySet[Blob]") -> Iterator[Mismatch]:
    """Texts against the hashes in the events, and each event's queryable copy against its hashed body."""
    blobs = {str(blob.pk): blob for blob in texts}
    for event in Event.objects.filter(chain_id=chain_id).order_by("seq").iterator():
        body = json.loads(bytes(event.body))
        told = (event.seq, event.kind, event.actor, event.time.isoformat(), event.data)
        if told != (body["seq"], body["kind"], body["actor"], body["time"], body["payload"]):
            yield Mismatch(event.seq, "the copy of the event differs from its hashed body")
        for reference in _references(body["payload"]):
            blob = blobs.get(reference["blob"])
            if blob is None:
                yield Mismatch(event.seq, f"its text {reference['blob']} is missing")
            elif chain.blob_digest(bytes(blob.salt), bytes(blob.content)) != reference["sha256"]:
                yield Mismatch(event.seq, f"its text {reference['blob']} is not the one that was hashed")


def _references(value: Any) -> Iterator[dict[str, str]]:
    """Every {"blob", "sha256"} in a payload."""
    if isinstance(value, dict):
        if value.keys() == {"blob", "sha256"}:
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def replay(session: Session) -> Iterator[Mismatch]:
    """What does not recompute, in order; nothing where the record holds."""
    facts = record.load(session)
    yield from _opening(session, facts)
    yield from check_fork(session)
    closed: list[RoundOutcome] = []
    for fact in facts.closings:
        spent = record.spent_of(fact.data)
        inputs = facts.until(fact.seq).round_input(fact.data["round"], spent=spent)
        outcome = close_round(inputs, facts.rules, closed)
        closed.append(outcome)
        yield from _compare(fact.seq, fact.data, outcome.to_json(), name="outcome")
        yield from _numbers(fact, outcome)
        yield from _shown(session, fact, outcome)
    yield from _verdict(session, facts, closed)


def _opening(session: Session, facts: record.Record) -> Iterator[Mismatch]:
    opened = Event.objects.get(chain_id=str(session.pk), kind="session.opened")
    if opened.data["commitment"] != anonymity.commitment(facts.secret):
        yield Mismatch(opened.seq, "the secret of the labels is not the one committed to")
    if opened.data["rules"] != canonical.encode(session.rules):
        yield Mismatch(opened.seq, "the rules of the session are not those that it was opened with")


def _compare(seq: int, data: Any, value: Any, *, name: str) -> Iterator[Mismatch]:
    stored = bytes(Blob.objects.values_list("content", flat=True).get(pk=data[name]["blob"]))
    if stored != exact_bytes(value):
        yield Mismatch(seq, f"the {name} recomputes to something else")


def _numbers(fact: record.Fact, outcome: RoundOutcome) -> Iterator[Mismatch]:
    from_tally = {
        key: value for key, value in outcome.to_json()["tally"].items() if key in fact.data["tally"]
    }
    told = {key: value for key, value in fact.data["tally"].items() if key != "classes"}
    from_tally.pop("classes", None)
    if canonical.encode(from_tally) != told or outcome.stop != fact.data["stop"]:
        yield Mismatch(fact.seq, "the tally or the stop test recomputes to something else")


def _shown(session: Session, fact: record.Fact, outcome: RoundOutcome) -> Iterator[Mismatch]:
    row = session.rounds.filter(number=outcome.number).values_list("outcome", flat=True).first()
    if row != outcome.to_json():
        yield Mismatch(fact.seq, "the outcome that screens show is another one")


def _verdict(session: Session, facts: record.Record, closed: list[RoundOutcome]) -> Iterator[Mismatch]:
    concluded = Event.objects.filter(chain_id=str(session.pk), kind="session.concluded").first()
    if concluded is None:
        return
    upto = facts.until(concluded.seq)
    verdict = verdict_of(upto, closed, stop_reason=concluded.data["stop_reason"])
    yield from _compare(concluded.seq, concluded.data, verdict.to_json(), name="verdict")
    shown = (session.verdict, session.stop_reason, session.trail_hash)
    if shown != (verdict.to_json(), concluded.data["stop_reason"], concluded.data["trail_hash"]):
        yield Mismatch(concluded.seq, "the verdict that screens show is another one")
    before = Event.objects.values_list("hash", flat=True).get(chain_id=str(session.pk), seq=concluded.seq - 1)
    if bytes(before).hex() != concluded.data["trail_hash"]:
        yield Mismatch(concluded.seq, "the trail hash of the verdict is not that of the event before it")
