"""The trail of one session, read whole: its events, the texts of screens, and the rows that events name by id.

Of those rows only what people call things is used: a person's name, a model's alias, the broker's receipt. Everything
that a round is made of comes from events and blobs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from django.contrib.auth import get_user_model

from broker.models import Model, Selection
from deliberation import record
from deliberation.models import Blob, Event, Invitation, Policy, Session
from deliberation.protocol.types import Rules
from deliberation.selectors.room import Moment

TEXTS = ("task", "known_answer", "text", "reason", "outcome", "verdict", "answer", "carried")


@dataclass(frozen=True)
class Names:
    """Rows by their id, as they are called now."""

    users: Mapping[int, Any]
    models: Mapping[int, Model]
    selections: Mapping[int, Selection]
    invitations: Mapping[int, Invitation]
    policies: Mapping[int, Policy]

    def actor(self, actor: str) -> Any:
        """The person who acted; None where it was no person, or one who is gone."""
        kind, _, number = actor.partition(":")
        return self.users.get(int(number)) if kind == "user" else None


@dataclass(frozen=True)
class Trail:
    """All of it up to the newest event that was there. `secret`: the session's, to which event 1 is committed."""

    session_id: Any
    moments: tuple[Moment, ...]
    texts: Mapping[str, bytes]
    names: Names
    rules: Rules
    secret: bytes

    @property
    def head(self) -> int:
        return self.moments[-1].seq if self.moments else 0

    def text(self, reference: Mapping[str, str]) -> str:
        return self.texts[reference["blob"]].decode("utf-8", "replace")

    def json(self, reference: Mapping[str, str]) -> Any:
        return json.loads(self.texts[reference["blob"]])

    def record(self, until: int) -> record.Record:
        """The facts of a recount, of the events up to number `until`."""
        facts = [
            record.Fact(each.seq, each.kind, each.data)
            for each in self.moments
            if each.seq <= until and each.kind in record.COUNTED
        ]
        return record.Record(facts, self.texts, self.rules, self.secret)


def read(session_id: Any) -> Trail:
    """Eight queries, however long the session is."""
    rows = Event.objects.filter(chain_id=str(session_id)).order_by("seq")
    moments = tuple(Moment(*row) for row in rows.values_list("seq", "kind", "actor", "time", "data"))
    secret = Session.objects.values_list("secret", flat=True).get(pk=session_id)
    return Trail(
        session_id=session_id,
        moments=moments,
        texts=_texts(moments),
        names=_names(moments),
        rules=_rules(moments[0].data["rules"]),
        secret=bytes(secret),
    )


def _rules(told: Mapping[str, Any]) -> Rules:
    """An event holds a float as the decimal string of repr()."""
    floats = {name for name, hint in get_type_hints(Rules).items() if hint in (float, float | None)}
    return Rules.from_json(
        {
            name: float(value) if name in floats and value is not None else value
            for name, value in told.items()
        }
    )


def _texts(moments: Sequence[Moment]) -> dict[str, bytes]:
    """What was said and what came out; prompts and replies stay where they are."""
    references = [each.data.get(name) for each in moments for name in TEXTS]
    wanted = [each["blob"] for each in references if isinstance(each, dict)]
    rows = Blob.objects.filter(pk__in=wanted).values_list("pk", "content")
    return {str(pk): bytes(content) for pk, content in rows}


def _names(moments: Sequence[Moment]) -> Names:
    """Five queries."""
    users = {int(each.actor[5:]) for each in moments if each.actor.startswith("user:")}
    users |= {each.data["user"] for each in moments if each.data.get("user") is not None}
    chosen = {each.data["selection"] for each in moments if each.data.get("selection") is not None}
    invited = {each.data["invitation"] for each in moments if "invitation" in each.data}
    return Names(
        users=get_user_model().objects.in_bulk(users),
        models=Model.objects.select_related("endpoint").in_bulk(
            {seat["model"] for seat in seats_of(moments)}
        ),
        selections=Selection.objects.in_bulk(chosen),
        invitations=Invitation.objects.in_bulk(invited),
        policies=Policy.objects.in_bulk([moments[0].data["policy"]["id"]]),
    )


def seats_of(moments: Sequence[Moment]) -> Iterator[Mapping[str, Any]]:
    """The facts of each agent's seat, in the order in which they were taken."""
    for each in moments:
        if each.kind == "panel.chosen":
            yield from each.data["seats"]
        elif each.kind == "seat.replaced":
            yield each.data["by"]
