"""A hundred sessions under a cap, each with prices, counts and failures of its own; and what short money ends."""

import math
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from broker.inference import base
from broker.inference.base import Reply, Request
from broker.inference.sizes import most_tokens_in
from broker.models import Model
from deliberation import orchestrator, staffing, turn_taking
from deliberation.replaying import replay, verify_kept_chain
from tests.deliberation.driving import drive, events, opened
from tests.deliberation.paying import Answering, Server, assumed, budget, charged, costs, models
from tests.deliberation.paying import deployment as deployment  # noqa: F401  fixtures
from tests.deliberation.paying import server as server

pytestmark = pytest.mark.django_db(transaction=True)


def erratic(seed: int) -> Answering:
    """Counts anything up to what was allowed, leaves the counts out, breaks off, refuses, or writes nonsense."""

    def answer(request: Request, reply: Reply) -> Reply:
        draw = random.Random(f"{seed} {request.exchange} {request.seat} {request.round} {request.attempt}")
        roll = draw.random()
        for share, failure in ((0.06, base.ServerError), (0.12, base.StreamCut), (0.16, base.Refused)):
            if roll < share:
                raise failure("It went wrong.")
        counted = replace(
            reply,
            tokens_in=draw.randint(1, most_tokens_in(request)),
            tokens_out=draw.randint(1, request.max_tokens),
        )
        if roll < 0.24:
            return replace(counted, body=b"not what was asked for")
        return replace(counted, tokens_in=None, tokens_out=None) if roll < 0.28 else counted

    return answer


def priced_anew(panel: list[Model], draw: random.Random) -> None:
    """From $0.02 to $20 per million tokens, most of them small: after the panel has sat down."""
    for model in panel:
        costs(model, *(Decimal(f"{math.exp(draw.uniform(math.log(0.02), math.log(20))):.6f}") for _ in "io"))


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_a_hundred_random_sessions_never_pass_a_cap_of_a_cent(server: Server, first: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(first, first + 25):
        draw = random.Random(seed)
        size = draw.choice((2, 3))
        panel = models(*(f"s{seed}-{number}" for number in range(size)))
        session = opened(
            panel_size=[size, size], max_rounds=1 if seed % 4 else 2, attempts=3, seed=seed, max_cost_usd=0.01
        )
        staffing.staff(session.pk)
        priced_anew(panel, draw)
        server.answer = erratic(seed)
        session = drive(session)

        spent = budget(session)
        assert spent.spent_usd + spent.reserved_usd <= Decimal("0.01"), seed
        assert spent.reserved_usd == spent.overrun_usd == 0, seed
        assert spent.spent_usd == charged(session) + assumed(session), seed
        assert charged(session) <= Decimal("0.01"), seed
        seen += Counter(each["reason"] for each in events(session, "turn.abstained"))
        seen[session.state] += 1
        seen["most of it"] += spent.spent_usd > Decimal("0.006")
        seen["shorter"] += any(each.max_tokens < 4096 for each in server.asked)
        server.asked.clear()

    assert min(seen[what] for what in ("concluded", "failed", "over_budget", "most of it", "shorter")) > 0, (
        seen
    )


def test_money_that_is_short_ends_the_session_with_what_was_found(server: Server) -> None:
    panel = models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=6, min_rounds=6, effort=1.0, max_cost_usd=0.01)
    staffing.staff(session.pk)
    while session.round < 2:  # the second round is open, nobody has been asked
        turn_taking.take_turns(session.pk, None)
        orchestrator.advance(session.pk)
        session.refresh_from_db()
    for model in panel:
        costs(model, Decimal(1), Decimal(50))
    session = drive(session)
    assert (session.state, session.stop_reason) == ("concluded", "money")
    assert session.verdict["round"] == 1
    assert verify_kept_chain(str(session.pk)).ok
    assert not list(replay(session))


def test_an_agent_that_could_not_be_paid_for_ends_the_session_after_its_round(server: Server) -> None:
    panel = models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=6, min_rounds=6, effort=1.0, max_cost_usd=0.01)
    staffing.staff(session.pk)
    costs(panel[1], Decimal("0.01"), Decimal(50))
    session = drive(session)
    assert (session.state, session.stop_reason, session.round) == ("concluded", "money", 1)
    assert events(session, "round.closed")[0]["spent"]["money_short"] is True
    assert not list(replay(session))


def test_reviews_that_nobody_could_pay_for_leave_the_round_before(server: Server) -> None:
    panel = models("a", "b", "c")
    session = opened(panel_size=[3, 3], max_rounds=6, min_rounds=6, effort=1.0, max_cost_usd=0.01)
    staffing.staff(session.pk)
    while session.round < 2 or session.state != "reviewing":
        turn_taking.take_turns(session.pk, None)
        orchestrator.advance(session.pk)
        session.refresh_from_db()
    for model in panel:
        costs(model, Decimal(1), Decimal(50))
    session = drive(session)
    assert (session.state, session.stop_reason) == ("concluded", "money")
    assert session.verdict["round"] == 1
    assert not list(replay(session))
