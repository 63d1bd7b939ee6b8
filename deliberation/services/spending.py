"""What a session's calls may cost: the caps that hold for it, and how long a reply they pay for.

A session without a cap, where the deployment sets none, costs no statement here.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from broker.inference.base import Request
from broker.inference.sizes import most_tokens_in
from broker.models import Price
from broker.selectors.prices import affordable_tokens_out, cost_usd, current_price
from broker.services import budgets
from broker.services.budgets import Ask, BudgetExceeded, Cap
from deliberation.models import Session, Turn
from deliberation.protocol.types import Rules
from deliberation.services.exchanges import Held

LONGER = 1.5  # how much more room a reply gets that was cut at its length
OVER_BUDGET = "over_budget"
TRIES = 3  # others may take the money between the look at it and the hold on it


class Unpaid(Exception):
    """The call cannot be made under the caps. code: why, as the turn's reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_capped(session: Session) -> bool:
    """Whether any cap on money holds for its calls."""
    deployment = settings.NSED
    return session.rules.get("max_cost_usd") is not None or not (
        math.isinf(deployment.max_day_usd) and math.isinf(deployment.max_turn_usd)
    )


def for_a_new_session(rules: Rules) -> float | None:
    """What a session under these rules can spend if it starts now: its own cap, or what is left of the day where that
    is less; None where nothing is capped. One query under a cap of the day, else none.
    """
    if math.isinf(settings.NSED.max_day_usd):
        return rules.max_cost_usd
    today = Cap(day_scope(timezone.now()), Decimal(str(settings.NSED.max_day_usd)))
    left = float(budgets.left_usd([today]))
    return left if rules.max_cost_usd is None else min(left, rules.max_cost_usd)


def day_scope(moment: datetime) -> str:
    return f"day {moment.astimezone(UTC):%Y-%m-%d}"


def is_short(session: Session) -> bool:
    """Whether an agent was not asked in the running round, because the money left would not have paid for it. One
    query, none where nothing is capped.
    """
    return (
        is_capped(session) and session.turns.filter(round__number=session.round, reason=OVER_BUDGET).exists()
    )


def caps(turn: Turn) -> list[Cap]:
    """The budgets that a call for this turn has to fit in: of its session, of the day (UTC) on which the turn was
    opened, of the turn itself.
    """
    found = [
        (f"session {turn.session_id}", turn.session.rules.get("max_cost_usd")),
        (day_scope(turn.opened_at), settings.NSED.max_day_usd),
        (f"turn {turn.pk}", settings.NSED.max_turn_usd),
    ]
    return [Cap(scope, Decimal(str(cap))) for scope, cap in found if cap is not None and not math.isinf(cap)]


def begin(session: Session, turns: Iterable[Turn]) -> None:
    """A worker takes these turns: their budgets stand, and what a worker before it left behind counts as spent."""
    if not is_capped(session):
        return
    turns = list(turns)
    budgets.open_budgets({cap for turn in turns for cap in caps(turn)})
    count_lost(session, turns)


def count_lost(session: Session, turns: Iterable[Turn]) -> None:
    """No call is under way for these turns any more."""
    if is_capped(session):
        budgets.count_lost(session.pk, [str(turn.pk) for turn in turns])


def pay(held: Held, request: Request, *, sharing: int = 1) -> tuple[Held, Request]:
    """Holds what the call may cost. Where the money is short its reply gets less room: what a `sharing`-th of the
    money pays for, or the least that is of use. Raises Unpaid.
    """
    turn = held.turn
    if not is_capped(turn.session):
        return held, request
    price = current_price(turn.participant.model)
    if price is None or None in (price.input_usd, price.output_usd):
        raise Unpaid("price_unknown")
    limits, tokens_in = caps(turn), most_tokens_in(request)
    for _ in range(TRIES):
        left = budgets.left_usd(limits)
        room = _room(price, tokens_in=tokens_in, left=left, sharing=sharing, wanted=request.max_tokens)
        amount = cost_usd(price, tokens_in=tokens_in, tokens_out=room)
        ask = Ask(turn.session_id, str(turn.pk), request.attempt, price, amount or Decimal(0))
        try:
            return replace(held, reservation=budgets.reserve(ask, limits)), replace(request, max_tokens=room)
        except BudgetExceeded:
            continue
    raise Unpaid(OVER_BUDGET)


def _room(price: Price, *, tokens_in: int, left: Decimal, sharing: int, wanted: int) -> int:
    """Tokens of reply that the money pays for. Raises Unpaid where they would be of no use."""
    least = min(settings.NSED.min_reply_tokens, wanted)
    room = affordable_tokens_out(price, tokens_in=tokens_in, usd=left / sharing, most=wanted)
    if room < least:
        room = affordable_tokens_out(price, tokens_in=tokens_in, usd=left, most=least)
    if room < least:
        raise Unpaid(OVER_BUDGET)
    return room
