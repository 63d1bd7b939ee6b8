"""Policies: named, versioned rules."""

from typing import Any

from django.db import transaction

from deliberation import events
from deliberation.models import Policy
from deliberation.protocol.types import Rules

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


@transaction.atomic
def publish_policy(name: str, *, summary: str, rules: Rules) -> Policy:
    """The newest version where its rules are the same, else a new version."""
    newest = Policy.objects.filter(name=name).order_by("-version").first()
    if newest is not None and newest.sha256 == rules.sha256:
        return newest
    policy = Policy.objects.create(
        name=name,
        version=newest.version + 1 if newest else 1,
        summary=summary,
        rules=rules.to_json(),
        sha256=rules.sha256,
    )
    events.open_chain(events.SYSTEM)
    payload = {"policy": policy.pk, "version": policy.version, "sha256": policy.sha256}
    events.append(events.SYSTEM, [events.Fact("policy.published", "system", payload)])
    return policy


def load_built_in() -> list[Policy]:
    """Publishes fast, standard and thorough; nothing is written where they are there already."""
    return [
        publish_policy(name, summary=summary, rules=Rules.from_json(rules))
        for name, (summary, rules) in BUILT_IN.items()
    ]
