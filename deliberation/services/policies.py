"""Policies: named, versioned rules."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from deliberation import events
from deliberation.models import Chain, Event, Policy
from deliberation.protocol.types import Rules
from deliberation.services.acts import ActRefused, actor, is_text

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
    """A version of a retired policy is retired as well."""
    _stand_in_line()
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
        retired_at=newest.retired_at if newest else None,
    )
    _tell("policy.published", policy, by=by)
    return policy, True


def _stand_in_line() -> None:
    """At the system's chain, one writer at a time: so the newest version stays the newest, and the last in use."""
    events.open_chain(events.SYSTEM)
    Chain.objects.select_for_update().get(pk=events.SYSTEM)


def _tell(kind: str, policy: Policy, *, by: Any) -> None:
    payload = {"policy": policy.pk, "version": policy.version, "sha256": policy.sha256}
    who = actor(by) if by is not None else "system"
    events.append(events.SYSTEM, [events.Fact(kind, who, payload)])


def names_in_use() -> list[str]:
    """The policies that new sessions may be opened under. One query."""
    return list(
        Policy.objects.filter(retired_at=None).values_list("name", flat=True).distinct().order_by("name")
    )


def in_use(name: str) -> Policy:
    """The newest version of a policy, for a new session. Refused where it is retired or there is none."""
    policy = Policy.objects.filter(name=name).order_by("-version").first() if is_text(name) else None
    if policy is not None and policy.retired_at is None:
        return policy
    what = f"There is no policy named {name!r}." if policy is None else f"The policy {name} is retired."
    known = ", ".join(names_in_use())
    raise ActRefused(f"{what} Choose one of: {known or 'none is loaded'}.")


@transaction.atomic
def retire_policy(name: str, *, by: Any) -> bool:
    """No new session is opened under it; those that there are keep their rules. False: it was retired before."""
    _stand_in_line()
    names = names_in_use()
    if name not in names:
        return False
    if names == [name]:
        raise ActRefused(
            f"{name} is the last policy in use: without it nobody could open a deliberation. "
            "Bring another one back, or write one, before you retire it."
        )
    _set_retired(name, Now())
    _tell("policy.retired", _newest(name), by=by)
    return True


@transaction.atomic
def bring_back_policy(name: str, *, by: Any) -> bool:
    """New sessions may be opened under it again. False: it was in use."""
    _stand_in_line()
    if name in names_in_use():
        return False
    _set_retired(name, None)
    _tell("policy.brought_back", _newest(name), by=by)
    return True


def _set_retired(name: str, moment: Any) -> None:
    Policy.objects.filter(name=name).update(retired_at=moment)


def _newest(name: str) -> Policy:
    return Policy.objects.filter(name=name).latest("version")


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
