"""Policies as people choose and read them, and what earlier sessions under them took."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef

from broker.models import Competence
from broker.selection.types import Candidate, Receipt
from deliberation import rule_words
from deliberation.models import Participant, Policy, Session
from deliberation.protocol.types import Rules
from deliberation.selectors.sessions import costs

ORDER = ("fast", "standard", "thorough")


@dataclass(frozen=True)
class Card:
    """The newest version of a policy, with what its rules do in three lines."""

    policy: Policy
    rules: Rules
    lines: tuple[str, ...]


def cards() -> list[Card]:
    """One card per policy: from the quickest built-in one on, the team's own after them. One query."""
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
    """What `n` concluded sessions took: medians. `cost_usd` is None where one of them has an unknown cost."""

    n: int
    cost_usd: float | None
    wall_s: float


def past(*, newest: int = 20) -> "Known":
    """Medians by policy version (its id) and whether it was simulated, over the newest concluded sessions.

    Two queries. Sessions that waited for people are in it: their time is what such sessions take.
    """
    agents = Participant.objects.filter(session=OuterRef("pk"), simulated=True)
    rows = (
        Session.objects.filter(state=Session.State.CONCLUDED)
        .annotate(simulated=Exists(agents))
        .annotate(wall=ExpressionWrapper(F("concluded_at") - F("created_at"), DurationField()))
        .order_by("-created_at")
        .values_list("pk", "policy_id", "simulated", "wall")[: 25 * newest]
    )
    groups: dict[tuple[int, bool], list[tuple[UUID, float]]] = defaultdict(list)
    for pk, policy_id, simulated, wall in rows:
        groups[policy_id, simulated].append((pk, wall.total_seconds()))
    kept = {key: group[:newest] for key, group in groups.items()}
    known = costs(pk for group in kept.values() for pk, _ in group)
    return {key: _past(group, known) for key, group in kept.items()}


def _past(group: list[tuple[UUID, float]], known: Mapping[UUID, float]) -> Past:
    found = [known[pk] for pk, _ in group if pk in known]
    cost_usd = median(found) if len(found) == len(group) else None
    return Past(len(group), cost_usd, median(seconds for _, seconds in group))


@dataclass(frozen=True)
class Estimate:
    """What a session would be like if it started now. `refusal` says why none would; else `agents` would sit.

    `at_most_usd`: every agent writes to its limit in every round, and each reply takes all of its attempts;
    None with `why_unknown` where a price is missing. `likely` is None without a session to learn from.
    """

    agents: int
    simulated: bool
    refusal: str | None
    at_most_usd: float | None
    why_unknown: str
    likely: Past | None


Known = Mapping[tuple[int, bool], Past]


def estimate(
    policy: Policy, receipt: Receipt, *, candidates: Mapping[str, Candidate], known: Known
) -> Estimate:
    """Pure: the broker's answer for this moment, with what earlier sessions of the same kind took."""
    seated = [candidates[alias] for alias in receipt.chosen]
    rules = Rules.from_json(policy.rules)
    simulated = any(each.simulated for each in seated)
    unpriced = [each.id for each in seated if each.cost_usd is None]
    return Estimate(
        agents=rules.samples if len(seated) == 1 else len(seated),
        simulated=simulated,
        refusal=receipt.conflict,
        at_most_usd=None if receipt.cost_usd is None else receipt.cost_usd * rules.attempts,
        why_unknown=f"no price is known for {', '.join(unpriced)}" if unpriced else "",
        likely=known.get((policy.pk, simulated)) if seated else None,
    )
