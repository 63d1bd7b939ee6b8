"""Ten thousand sessions in bulk: the rows that services write, without the deliberating."""

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from broker.inference.simulated import DEMO_PANEL
from broker.models import Call, Model
from broker.services.panels import load_simulated_panel
from deliberation.models import (
    Ballot,
    Chain,
    Event,
    Participant,
    Policy,
    Proposal,
    Review,
    Round,
    Session,
    Turn,
)
from deliberation.services.policies import load_built_in

OWNERS, AGENTS, ROUNDS, BATCH = 5, 3, 2, 500
RARE = "zugzwang"
VOCABULARY = (
    "proof bound graph lemma limit vector matrix kernel cache thread server query index token model answer "
    "round ballot weight reason claim check parts product carry digit sum factor divides power order"
)
WORDS = VOCABULARY.split()
CATEGORIES = ("algebra", "arithmetic", "code", "")
DOCUMENTS = """
INSERT INTO deliberation_searchdocument (session_id, source, "row", round, seat, about, words)
SELECT session_id, source, nr, round, seat, about,
       setweight(to_tsvector('simple', plain) || to_tsvector('english', plain), weight)
FROM (
    SELECT id, 'task', 0, NULL::int, NULL::int, NULL::int, task, 'A'::"char" FROM deliberation_session
    UNION ALL
    SELECT r.session_id, 'proposal', p.id, r.number, a.seat, NULL, p.answer || ' ' || p.reasoning, 'B'
    FROM deliberation_proposal p JOIN deliberation_round r ON r.id = p.round_id
    JOIN deliberation_participant a ON a.id = p.participant_id
    UNION ALL
    SELECT r.session_id, 'review', v.id, r.number, a.seat, o.seat, v.justification, 'C'
    FROM deliberation_review v JOIN deliberation_ballot b ON b.id = v.ballot_id
    JOIN deliberation_round r ON r.id = b.round_id
    JOIN deliberation_participant a ON a.id = b.participant_id
    JOIN deliberation_proposal p ON p.id = v.proposal_id JOIN deliberation_participant o ON o.id = p.participant_id
) AS texts(session_id, source, nr, round, seat, about, text, weight),
LATERAL (SELECT regexp_replace(lower(text), '[^a-z0-9]+', ' ', 'g')) AS folded(plain)
"""


def fill(count: int) -> User:
    """Sessions of a few people, nearly all concluded. Returns the one who owns a fifth and sees them all."""
    load_simulated_panel(DEMO_PANEL)
    load_built_in()
    people = [User.objects.create_user(f"reader{n}", is_superuser=n == 0) for n in range(OWNERS)]
    maker = Maker(people, list(Model.objects.order_by("pk")[:AGENTS]), list(Policy.objects.order_by("pk")))
    for start in range(0, count, BATCH):
        with transaction.atomic():
            maker.add(
                [(number, timedelta(minutes=7 * (count - number))) for number in range(start, start + BATCH)]
            )
    with connection.cursor() as cursor:
        cursor.execute(DOCUMENTS)
        cursor.execute(
            "INSERT INTO deliberation_sessionwords (session_id, words)"
            " SELECT session_id, deliberation_all_words(words) FROM deliberation_searchdocument GROUP BY session_id"
        )
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        owner.execute("ANALYZE")  # as autovacuum does in time
    return people[0]


class Maker:
    """Writes batches of sessions. The texts are of one small vocabulary, so that words are frequent."""

    def __init__(self, people: Sequence[User], models: Sequence[Model], policies: Sequence[Policy]) -> None:
        self.people, self.models, self.policies = people, models, policies
        self.chance, self.now = random.Random(1), timezone.now()

    def add(self, numbers: Sequence[tuple[int, timedelta]]) -> None:
        sessions = [self._session(number) for number, _ in numbers]
        Session.objects.bulk_create(sessions)
        ages = {each.pk: self.now - age for each, (_, age) in zip(sessions, numbers, strict=True)}
        for each in sessions:
            each.created_at = ages[each.pk]
        Session.objects.bulk_update(sessions, ["created_at"])
        seats = Participant.objects.bulk_create(seat for each in sessions for seat in self._seats(each))
        rounds = Round.objects.bulk_create(round_ for each in sessions for round_ in self._rounds(each))
        self._add_answers(sessions, seats, rounds)
        Chain.objects.bulk_create(Chain(pk=str(each.pk), seq=24, head=b"head") for each in sessions)
        Event.objects.bulk_create(event for each in sessions for event in self._events(each, ages[each.pk]))

    def _session(self, number: int) -> Session:
        runs = number % 500 == 0
        policy = self.policies[number % len(self.policies)]
        rare = RARE if number % 700 == 0 else ""
        return Session(
            task=f"Is this prime? {self._text(20)} 17*23 {rare} qwen-{number % 90}b",
            category=CATEGORIES[number % 4],
            owner=self.people[number % OWNERS],
            policy=policy,
            rules=policy.rules,
            state=Session.State.REVIEWING if runs else Session.State.CONCLUDED,
            round=ROUNDS,
            secret=b"secret",
            stop_reason="" if runs else "evidence",
            verdict=None if runs else self._verdict(number),
            concluded_at=None if runs else self.now,
        )

    def _verdict(self, number: int) -> dict[str, Any]:
        return {
            "answer": self._text(60),
            "final_answer": str(number),
            "conviction": 0.5,
            "coverage": 1.0,
            "median_differs": number % 11 == 0,
            "no_support": False,
            "pivotal": [2] if number % 7 == 0 else [],
        }

    def _text(self, words: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=words))

    def _seats(self, session: Session) -> Iterator[Participant]:
        for seat, model in enumerate(self.models, start=1):
            yield Participant(session=session, seat=seat, kind="model", model=model, simulated=True)

    def _rounds(self, session: Session) -> Iterator[Round]:
        for number in range(1, ROUNDS + 1):
            yield Round(
                session=session,
                number=number,
                closed_at=self.now,
                outcome={"tally": {"conviction": 0.2 * number, "coverage": 1.0, "median_differs": False}},
            )

    def _add_answers(
        self, sessions: Sequence[Session], seats: Sequence[Participant], rounds: Sequence[Round]
    ) -> None:
        at = {each.pk: each for each in sessions}
        by_session: dict[uuid.UUID, list[Participant]] = {}
        for seat in seats:
            by_session.setdefault(seat.session_id, []).append(seat)
        pairs = [(round_, seat) for round_ in rounds for seat in by_session[round_.session_id]]
        Turn.objects.bulk_create(
            turn for round_, seat in pairs for turn in self._turns(at[round_.session_id], round_, seat)
        )
        Call.objects.bulk_create(self._call(round_, seat) for round_, seat in pairs)
        proposals = Proposal.objects.bulk_create(
            Proposal(round=round_, participant=seat, answer=self._text(40), reasoning=self._text(60))
            for round_, seat in pairs
        )
        ballots = Ballot.objects.bulk_create(
            Ballot(round=round_, participant=seat, weights={}) for round_, seat in pairs
        )
        by_round: dict[int, list[Proposal]] = {}
        for proposal in proposals:
            by_round.setdefault(proposal.round_id, []).append(proposal)
        Review.objects.bulk_create(
            Review(ballot=ballot, proposal=proposal, label="A", justification=self._text(15))
            for ballot in ballots
            for proposal in by_round[ballot.round_id]
            if proposal.participant_id != ballot.participant_id
        )

    def _turns(self, session: Session, round_: Round, seat: Participant) -> Iterator[Turn]:
        for kind in ("propose", "review"):
            lost = kind == "review" and self.chance.random() < 0.02
            yield Turn(
                session=session,
                round=round_,
                participant=seat,
                kind=kind,
                state=Turn.State.ABSTAINED if lost else Turn.State.SETTLED,
                opened_at=self.now,
            )

    def _call(self, round_: Round, seat: Participant) -> Call:
        return Call(
            reference=round_.session_id,
            model=seat.model,
            seat=seat.seat,
            round=round_.number,
            exchange="propose",
            attempt=1,
            cost_usd=0,
        )

    def _events(self, session: Session, began: datetime) -> Iterator[Event]:
        kinds = ["session.opened", "panel.chosen"]
        for _ in range(ROUNDS):
            kinds += ["round.opened", "turns.taken", *["proposal.made"] * AGENTS, "reviews.opened"]
            kinds += [*["ballot.cast"] * AGENTS, "round.closed"]
        for seq, kind in enumerate(kinds, start=1):
            number, seat = 1 + (seq - 3) // 10, 1 + seq % AGENTS
            yield Event(
                chain_id=str(session.pk),
                seq=seq,
                kind=kind,
                actor=f"seat:{seat}" if kind in ("proposal.made", "ballot.cast") else "orchestrator",
                time=began,
                data={"round": number, "seat": seat, "text": {"blob": str(session.pk), "sha256": "0" * 64}},
                body=b"{}",
                hash=b"hash",
            )
