"""What a session took, against what was said before it started."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef

from deliberation import formats
from deliberation.models import Participant, Policy, Session
from deliberation.selectors import policies
from deliberation.selectors.policies import Estimate, Past
from deliberation.selectors.room import Room, Usage
from deliberation.selectors.sessions import costs

NEWEST = 20  # sessions that "likely" is the median of, as the form that opens one takes them


@dataclass(frozen=True)
class Spent:
    """One line of the account, as text: what is unknown is "-". share: of the most, in words; empty where unknown."""

    what: str
    likely: str
    at_most: str
    actual: str
    share: str


@dataclass(frozen=True)
class Account:
    """learned_from: the sessions that "likely" is the median of. why_unknown: why there is no most in money."""

    lines: tuple[Spent, ...]
    learned_from: int
    why_unknown: str
    cap_usd: float | None


def account(room: Room, *, wall_s: float | None) -> Account:
    """Money, tokens and time. Three queries."""
    likely, most, usage = _likely(room), at_most(room), room.usage
    usd = (likely.cost_usd if likely else None, most.at_most_usd if most else None, usage.cost_usd)
    tokens = (likely.tokens if likely else None, most.at_most_tokens if most else None, _tokens(usage))
    seconds = (likely.wall_s if likely else None, most.at_most_s if most else None, wall_s)
    return Account(
        lines=(
            _line("Money", usd, say=partial(formats.cost, simulated=room.simulated)),
            _line("Tokens", tokens, say=formats.count),
            _line("Time", seconds, say=formats.duration),
        ),
        learned_from=likely.n if likely else 0,
        why_unknown=most.why_unknown if most else "",
        cap_usd=room.rules.max_cost_usd,
    )


def _tokens(usage: Usage) -> int | None:
    """In and out; None where one is unknown."""
    if usage.tokens_in is None or usage.tokens_out is None:
        return None
    return usage.tokens_in + usage.tokens_out


def _line(
    what: str, numbers: tuple[float | None, float | None, float | None], *, say: Callable[..., str]
) -> Spent:
    likely, most, actual = numbers
    return Spent(what, say(likely), say(most), say(actual), _share(actual, most))


def _share(actual: float | None, most: float | None) -> str:
    if actual is None or not most:
        return ""
    part = "less than 1 %" if 0 < actual / most < 0.01 else formats.percent(actual / most)
    return f"{part} of the most"


def at_most(room: Room) -> Estimate | None:
    """What the form said when the panel was chosen, from the broker's receipt; None without one."""
    selection, session = room.session.selection, room.session
    if selection is None or not selection.receipt["chosen"]:
        return None
    seated = {line["id"] for line in selection.receipt.get("candidates", ()) if line["chosen"]}
    if set(selection.receipt["chosen"]) - seated:  # a receipt of an earlier form has no lines
        return None
    return policies.estimate(
        Policy(pk=session.policy_id, rules=session.rules),  # the session's own copy of the rules
        {"conflict": None, **selection.receipt},
        known={},
        task_chars=len(session.task),
    )


def _likely(room: Room) -> Past | None:
    """Medians of the sessions of this kind that had ended when this one was opened; None without any."""
    session = room.session
    if session.rules != session.policy.rules:  # rules of its own: no other session is of its kind
        return None
    agents = Participant.objects.filter(session=OuterRef("pk"), simulated=True)
    before = Session.objects.filter(
        state=Session.State.CONCLUDED,
        policy_id=session.policy_id,
        rules=F("policy__rules"),
        concluded_at__lt=session.created_at,
    ).annotate(
        simulated=Exists(agents),
        wall=ExpressionWrapper(F("concluded_at") - F("created_at"), DurationField()),
    )
    rows = before.filter(simulated=room.simulated).order_by("-created_at").values_list("pk", "wall")[:NEWEST]
    walls = {pk: wall.total_seconds() for pk, wall in rows}
    if not walls:
        return None
    money, tokens = costs(walls), policies.tokens(walls)
    return Past(
        n=len(walls),
        cost_usd=median(money.values()) if len(money) == len(walls) else None,
        tokens=round(median(tokens.values())) if len(tokens) == len(walls) else None,
        wall_s=median(walls.values()),
    )
