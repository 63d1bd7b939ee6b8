"""Which policies there are, their versions with who published them and when, and the sessions that used them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Max

from deliberation.events import SYSTEM
from deliberation.models import Event, Policy
from deliberation.protocol.types import Rules
from deliberation.selectors.access import visible_sessions
from deliberation.selectors.policies import Card, all_cards
from deliberation.selectors.policy_preview import Difference, Sentence, differences, sentences


@dataclass(frozen=True)
class Use:
    """The sessions under a policy that a person may see. `last`: when the newest was opened."""

    sessions: int = 0
    last: datetime | None = None


@dataclass(frozen=True)
class Published:
    """Who published a version or retired a policy, and when; unknown where the trail does not tell."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Version:
    """A version with what it changed against the one before it: nothing is told of the first."""

    policy: Policy
    published: Published | None
    use: Use
    differences: tuple[Difference, ...]
    sentences: tuple[Sentence, ...]


def listed(user: Any) -> list[tuple[Card, Use]]:
    """The newest version of each policy, retired ones last, and the use of all of its versions. Two queries."""
    rows = visible_sessions(user).values_list("policy__name").annotate(Count("pk"), Max("created_at"))
    used = {name: Use(sessions, last) for name, sessions, last in rows}
    ordered = sorted(all_cards(), key=lambda card: card.policy.retired_at is not None)
    return [(card, used.get(card.policy.name, Use())) for card in ordered]


def history(versions: Sequence[Policy], user: Any) -> list[Version]:
    """`versions`: newest first, as selectors.policies gives them. Three queries."""
    told, used = published(versions), _used(versions, user)
    older = [*versions[1:], None]
    return [
        _version(each, before, published=told.get(each.pk), use=used.get(each.pk, Use()))
        for each, before in zip(versions, older, strict=True)
    ]


def _version(policy: Policy, before: Policy | None, *, published: Published | None, use: Use) -> Version:
    if before is None:
        return Version(policy, published, use, (), ())
    old, new = Rules.from_json(before.rules), Rules.from_json(policy.rules)
    changed = tuple(each for each in sentences(new, before=old) if each.before is not None)
    return Version(policy, published, use, differences(old, new), changed)


def published(versions: Sequence[Policy]) -> Mapping[int, Published]:
    """By the version's id, from the system's chain. Two queries."""
    events = Event.objects.filter(
        chain_id=SYSTEM, kind="policy.published", data__policy__in=[each.pk for each in versions]
    )
    told = [(event.data["policy"], event.actor, event.time) for event in events]
    names = _names({actor for _, actor, _ in told})
    return {policy: Published(names.get(actor, "the system"), time) for policy, actor, time in told}


def retired(policy: Policy) -> Published | None:
    """Who retired a policy, and when; None where it is in use, or the trail does not tell. Two queries."""
    if policy.retired_at is None:
        return None
    told = Event.objects.filter(
        chain_id=SYSTEM, kind="policy.retired", data__policy__in=_versions(policy.name)
    ).last()
    if told is None:
        return None
    return Published(_names({told.actor}).get(told.actor, "the system"), told.time)


def _versions(name: str) -> list[int]:
    return list(Policy.objects.filter(name=name).values_list("pk", flat=True))


def _names(actors: set[str]) -> Mapping[str, str]:
    """`user:5` -> the user's name."""
    ids = [actor.removeprefix("user:") for actor in actors if actor.startswith("user:")]
    users = get_user_model().objects.filter(pk__in=ids)
    return {f"user:{each.pk}": each.get_full_name() or each.get_username() for each in users}


def _used(versions: Sequence[Policy], user: Any) -> Mapping[int, Use]:
    rows = visible_sessions(user).filter(policy__in=versions).values_list("policy_id")
    counted = rows.annotate(Count("pk"), Max("created_at"))
    return {policy: Use(sessions, last) for policy, sessions, last in counted}
