"""What if: the server's time for a recount of 10 participants x 6 rounds, page and result, through the whole stack.

rows.py calls it, which has a database. The session's trail is written as its events would have left it.
"""

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from broker.models import Endpoint, Model
from deliberation import events, record
from deliberation.models import Participant, Session
from deliberation.protocol.round import close_round
from deliberation.protocol.types import RoundOutcome, Rules, Spent
from deliberation.services.policies import publish_policy
from deliberation.services.rounds import exact_bytes, numbers_of

SEATS, PEOPLE, ROUNDS = 10, 2, 6
LIMIT_MS, ASKED = 200, 40
RULES = {"effort": 1.0, "max_rounds": ROUNDS, "blind": False, "settled_conviction": 1.0}
CHANGES = {
    "nothing": "",
    "a ballot and a vote struck": "?ballot=2-3&vote=6-1-2",
    "a participant left out, other rules": "?out=4&winner_by=class&effort=0.9&weight-1=2",
    "by the median": "?rule=median",
    "by copeland": "?rule=copeland",
}
Row = dict[str, Any]


def what_if_rows() -> Iterator[Row]:
    session, client = ten(), Client(SERVER_NAME="localhost")
    client.force_login(session.owner)
    path = reverse("what_if", args=[session.pk])
    for words, query in CHANGES.items():
        address = f"{path}{query}"
        yield from timed(f"what-if page, {words}", partial(client.get, address))
        result = partial(client.get, address, headers={"HX-Request": "true"})
        yield from timed(f"what-if result, {words}", result)


def timed(name: str, ask: Callable[[], Any]) -> Iterator[Row]:
    """The first request, which compiles templates, does not count."""
    times = []
    for _ in range(ASKED + 1):
        began = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{name}: {answer.status_code}")
    p50, p95 = statistics.median(times[1:]), statistics.quantiles(times[1:], n=20)[-1]
    name = f"{name}, {SEATS} x {ROUNDS}"
    yield {"row": f"{name}, ms p50", "asked": "reported", "seen": round(p50, 1), "held": True, "n": ASKED}
    held = p95 <= LIMIT_MS
    yield {
        "row": f"{name}, ms p95",
        "asked": f"<= {LIMIT_MS}",
        "seen": round(p95, 1),
        "held": held,
        "n": ASKED,
    }


@transaction.atomic
def ten() -> Session:
    """A session that ran all of its rounds; the last seats are people's."""
    policy = publish_policy("bench-what-if", summary="For the benchmark.", rules=Rules.from_json(RULES))
    owner = User.objects.create_user(f"bench-{uuid4().hex[:8]}")
    session = Session.objects.create(
        policy=policy, rules=policy.rules, task="Which design is safer?", owner=owner, secret=bytes(32)
    )
    events.open_chain(str(session.pk))
    sit_down(session)
    chance, closed = random.Random(7), list[RoundOutcome]()
    for number in range(1, ROUNDS + 1):
        closed.append(one_round(session, number, chance, closed))
    Session.objects.filter(pk=session.pk).update(round=ROUNDS)
    session.refresh_from_db()
    return session


def sit_down(session: Session) -> None:
    endpoint = Endpoint.objects.create(name=f"bench-{uuid4().hex[:8]}", kind="simulated", base_url="")
    agents = []
    for seat in range(1, SEATS - PEOPLE + 1):
        family = f"family-{seat % 5}"
        name = f"bench-{seat}-{uuid4().hex[:6]}"
        model = Model.objects.create(alias=name, served_name=name, endpoint=endpoint, family=family)
        Participant.objects.create(session=session, seat=seat, kind="model", model=model, family=family)
        agents.append({"seat": seat, "family": family})
    events.record(session, "panel.chosen", actor="broker", payload={"seats": agents, "panel_of_one": False})
    for seat in range(SEATS - PEOPLE + 1, SEATS + 1):
        user = User.objects.create_user(f"bench-{uuid4().hex[:8]}")
        Participant.objects.create(session=session, seat=seat, kind="human", user=user)
        events.record(session, "participant.joined", actor="broker", payload={"seat": seat, "asked": False})


def one_round(
    session: Session, number: int, chance: random.Random, closed: list[RoundOutcome]
) -> RoundOutcome:
    """Everybody proposes, four answers among them, and weighs all the others."""
    for seat in range(1, SEATS + 1):
        text = {"final_answer": f"answer {seat % 4}", "answer": "Because. " * 60, "claims": []}
        blob = events.keep(session, json.dumps(text).encode())
        made = {"round": number, "seat": seat, "text": events.reference(blob)}
        events.record(session, "proposal.made", actor=f"seat:{seat}", payload=made)
    for seat in range(1, SEATS + 1):
        weights = {str(each): float(chance.randint(-20, 60)) for each in range(1, SEATS + 1) if each != seat}
        cast = {"round": number, "seat": seat, "version": 1, "weights": weights, "verdicts": []}
        events.record(session, "ballot.cast", actor=f"seat:{seat}", payload=cast)
    facts = record.load(session)
    outcome = close_round(facts.round_input(number, spent=Spent()), facts.rules, closed)
    value = outcome.to_json()
    told = {"round": number, "spent": Spent().to_json(), "stop": outcome.stop, "failure": outcome.failure}
    told |= {"tally": numbers_of(value["tally"]), "evidence": value["evidence"]}
    told["outcome"] = events.reference(events.keep(session, exact_bytes(value)))
    events.record(session, "round.closed", actor="orchestrator", payload=told)
    return outcome
