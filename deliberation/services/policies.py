"""Policies: named, versioned rules."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from deliberation import events
from deliberation.models import Chain, Event, Policy
from deliberation.protocol.types import Rules
from deliberation.services.acts import actor

BUILT_IN: dict[str, tuple[str, dict[str, Any]]] = {
    "fast": (
        "Up to 3 agents, at most 2 rounds; nobody is waited for.",
        {
            "min_rounds": 1,
            "max_rounds": 2,
            "effort": 0.4,
            "panel_size": [1, 3],
            "turn_deadline_s": 60,
            "blind": False,
        },
    ),
    "standard": (
        "Up to 5 agents, at most 4 rounds; people who take part have 60 seconds a round.",
        {"max_rounds": 4, "panel_size": [1, 5], "human_window_s": 60, "blind": False},
    ),
    "thorough": (
        "Up to 7 agents, at most 6 rounds; people have 3 minutes a round and vote before they see totals or names.",
        {"effort": 0.8, "panel_size": [1, 7], "human_window_s": 180, "blind": True, "turn_deadline_s": 300},
    ),
}


@dataclass(frozen=True)
class Edit:
    """What a person wants to publish. `base`: the version that was on the screen, 0 for a new name."""

    name: str
    summary: str
    rules: Rules
    base: int


class PolicyMoved(Exception):
    """Somebody else published under the name since the person's version was shown; `newest` is theirs."""

    def __init__(self, newest: Policy) -> None:
        super().__init__(f"{newest} is newer than the version that was shown.")
        self.newest = newest


def publish_policy(name: str, *, summary: str, rules: Rules) -> Policy:
    """The newest version where its rules are the same, else a new version."""
    return _publish(Edit(name, summary, rules, base=0), by=None)[0]


def publish_edit(edit: Edit, *, by: Any) -> tuple[Policy, bool]:
    """The same for a person; whether the version is new comes with it. The same press twice finds the first
    one's version. Raises PolicyMoved where the newest version is neither `base` nor the very same rules.
    """
    return _publish(edit, by=by)


@transaction.atomic
def _publish(edit: Edit, *, by: Any) -> tuple[Policy, bool]:
    """Publishers stand in line at the system's chain, so that the newest version stays the newest."""
    events.open_chain(events.SYSTEM)
    Chain.objects.select_for_update().get(pk=events.SYSTEM)
    newest = Policy.objects.filter(name=edit.name).order_by("-version").first()
    if newest is not None and newest.sha256 == edit.rules.sha256:
        return newest, False
    version = newest.version if newest else 0
    if newest is not None and by is not None and version != edit.base:
        raise PolicyMoved(newest)
    policy = Policy.objects.create(
        name=edit.name,
        version=version + 1,
        summary=edit.summary,
        rules=edit.rules.to_json(),
        sha256=edit.rules.sha256,
    )
    payload = {"policy": policy.pk, "version": policy.version, "sha256": policy.sha256}
    who = actor(by) if by is not None else "system"
    events.append(events.SYSTEM, [events.Fact("policy.published", who, payload)])
    return policy, True


def load_built_in() -> list[Policy]:
    """Publishes fast, standard and thorough; nothing is written where they are there already, or where a person has
    published a version of their own since.
    """
    return [
        _theirs(name) or publish_policy(name, summary=summary, rules=Rules.from_json(rules))
        for name, (summary, rules) in BUILT_IN.items()
    ]


def _theirs(name: str) -> Policy | None:
    """The newest version, if a person published it."""
    newest = Policy.objects.filter(name=name).order_by("-version").first()
    told = Event.objects.filter(chain_id=events.SYSTEM, kind="policy.published", actor__startswith="user:")
    return newest if newest and told.filter(data__policy=newest.pk).exists() else None
