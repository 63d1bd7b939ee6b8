"""Policies as people choose and read them, and what earlier sessions under them took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Sum

from broker.models import Call, Competence
from deliberation import rule_words
from deliberation.models import Participant, Policy, Session
from deliberation.protocol.types import Rules
from deliberation.selectors.sessions import costs
from deliberation.services.spending import LONGER

ORDER = ("fast", "standard", "thorough")


@dataclass(frozen=True)
class Card:
    """The newest version of a policy, with what its rules do in three lines."""

    policy: Policy
    rules: Rules
    lines: tuple[str, ...]


def cards() -> list[Card]:
    """One card per policy that new sessions may be opened under: from the quickest built-in one on, the team's own
    after them. One query.
    """
    return [each for each in all_cards() if each.policy.retired_at is None]


def all_cards() -> list[Card]:
    """The same with the retired ones in their places. One query."""
    newest = Policy.objects.order_by("name", "-version").distinct("name")
    rank = {name: place for place, name in enumerate(ORDER)}
    ordered = sorted(newest, key=lambda each: (rank.get(each.name, len(ORDER)), each.name))
    return [card(each) for each in ordered]


def card(policy: Policy) -> Card:
    rules = Rules.from_json(policy.rules)
    return Card(policy, rules, rule_words.brief(rules))


def versions(name: str) -> list[Policy]:
    """All versions of a policy, newest first; empty where there is none of that name. One query."""
    return list(Policy.objects.filter(name=name).order_by("-version"))


def known_categories() -> list[str]:
    """Categories in which some model's competence is known. One query."""
    found = Competence.objects.exclude(category="").values_list("category", flat=True)
    return list(found.distinct().order_by("category"))


@dataclass(frozen=True)
class Past:
    """What `n` concluded sessions took: medians. `cost_usd` and `tokens` are None where those of one are unknown."""

    n: int
    cost_usd: float | None
    tokens: int | None
    wall_s: float


def past(*, newest: int = 20) -> "Known":
    """Medians by policy version (its id) and whether it was simulated, over the newest concluded sessions.

    Three queries. Sessions that waited for people are in it: their time is what such sessions take. Those with rules
    of their own are not: they say nothing of the policy.
    """
    agents = Participant.objects.filter(session=OuterRef("pk"), simulated=True)
    rows = (
        Session.objects.filter(state=Session.State.CONCLUDED, rules=F("policy__rules"))
        .annotate(simulated=Exists(agents))
        .annotate(wall=ExpressionWrapper(F("concluded_at") - F("created_at"), DurationField()))
        .order_by("-created_at")
        .values_list("pk", "policy_id", "simulated", "wall")[: 25 * newest]
    )
    groups: dict[tuple[int, bool], list[tuple[UUID, float]]] = defaultdict(list)
    for pk, policy_id, simulated, wall in rows:
        groups[policy_id, simulated].append((pk, wall.total_seconds()))
    kept = {key: group[:newest] for key, group in groups.items()}
    ids = [pk for group in kept.values() for pk, _ in group]
    money, used = costs(ids), tokens(ids)
    return {key: _past(group, money=money, used=used) for key, group in kept.items()}


def tokens(session_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Tokens in and out, for the sessions in which every answered call has known counts. One query."""
    known = Q(tokens_in__isnull=False, tokens_out__isnull=False)
    sums = (
        Call.objects.filter(reference__in=list(session_ids), error="")
        .values("reference")
        .annotate(tokens=Sum(F("tokens_in") + F("tokens_out")), unknown=Count("pk", filter=~known))
    )
    return {each["reference"]: each["tokens"] for each in sums if not each["unknown"]}


def _past(group: list[tuple[UUID, float]], *, money: Mapping[UUID, float], used: Mapping[UUID, int]) -> Past:
    typical = _median(group, used)
    return Past(
        n=len(group),
        cost_usd=_median(group, money),
        tokens=None if typical is None else round(typical),
        wall_s=median(seconds for _, seconds in group),
    )


def _median(group: list[tuple[UUID, float]], known: Mapping[UUID, float]) -> float | None:
    found = [known[pk] for pk, _ in group if pk in known]
    return median(found) if len(found) == len(group) else None


@dataclass(frozen=True)
class Estimate:
    """What a session would be like if it started now. `refusal` says why none would; else `agents` would sit.

    At most: every agent writes to its limit in every round, and each turn takes all of its attempts. `at_most_usd` is
    never above the policy's cap, and None with `why_unknown` where a price is missing. `at_most_s` leaves out waiting
    for a place at a server. `likely` is None without a session to learn from.
    """

    agents: int
    simulated: bool
    refusal: str | None
    at_most_usd: float | None
    why_unknown: str
    at_most_tokens: int | None
    at_most_s: float
    likely: Past | None


Known = Mapping[tuple[int, bool], Past]


def estimate(
    policy: Policy, receipt: Mapping[str, Any], *, known: Known, task_chars: int | None = None
) -> Estimate:
    """Pure: from the broker's receipt as JSON, with what earlier sessions of the same kind took. task_chars: None
    where the question is not known, and so the most tokens are not.
    """
    seated = [line for line in receipt["candidates"] if line["chosen"]]
    rules = Rules.from_json(policy.rules)
    rules = rules.for_panel_of_one() if len(seated) == 1 else rules
    agents = rules.samples if len(seated) == 1 else len(seated)
    simulated = any(line["simulated"] for line in seated)
    unpriced = [line["id"] for line in seated if line["cost"] is None]
    round_usd = (
        None if unpriced else sum(line["cost"] or 0.0 for line in seated) * agents / max(len(seated), 1)
    )
    return Estimate(
        agents=agents,
        simulated=simulated,
        refusal=receipt["conflict"],
        at_most_usd=None if round_usd is None else _at_most_usd(round_usd, rules),
        why_unknown=f"no price is known for {', '.join(unpriced)}" if unpriced else "",
        at_most_tokens=None if task_chars is None else _at_most_tokens(agents, rules, task_chars=task_chars),
        at_most_s=_at_most_s(rules, alone=len(seated) == 1),
        likely=known.get((policy.pk, simulated)) if seated else None,
    )


def tokens_a_round(rules: Rules, *, task_chars: int) -> tuple[int, int]:
    """The most tokens, in and out, that the rules let one agent use in the two calls of a round, if each comes off."""
    tokens_in = (task_chars + rules.panel_size[1] * rules.peer_reasoning_chars) // 4 + rules.state_tokens
    return 2 * tokens_in, rules.propose_max_tokens + rules.review_max_tokens


def _calls_a_turn(rules: Rules) -> float:
    """In calls of ordinary length: all attempts, one that asks anew for what could not be read, one for what was cut
    at its length; all after the first with the longer room.
    """
    return 1 + LONGER * (rules.attempts + 1)


def _at_most_usd(round_usd: float, rules: Rules) -> float:
    worst = round_usd * rules.max_rounds * _calls_a_turn(rules)
    return worst if rules.max_cost_usd is None else min(worst, rules.max_cost_usd)


def _at_most_tokens(agents: int, rules: Rules, *, task_chars: int) -> int:
    return round(
        agents * rules.max_rounds * sum(tokens_a_round(rules, task_chars=task_chars)) * _calls_a_turn(rules)
    )


def _at_most_s(rules: Rules, *, alone: bool) -> float:
    """Both phases to their deadlines, and the window for people, in every round."""
    phases = 1 if alone else 2
    return float(rules.max_rounds * (phases * rules.turn_deadline_s + rules.human_window_s))
