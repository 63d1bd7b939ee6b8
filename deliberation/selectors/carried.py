"""What a fork takes along from its parent, as its own trail keeps it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from broker.models import Model
from deliberation.models import Blob, Event, Session
from deliberation.prompts.base import OwnProposal
from deliberation.prompts.propose import ProposeInputs
from deliberation.protocol.codec import Json
from deliberation.protocol.types import StateItem
from deliberation.services.forks import FORKED


@dataclass(frozen=True)
class Own(Json):
    """The last proposal of one model in the parent, with its net support there and what was said of it. Of a text that
    was edited since nothing was said: net_support is None, and there are no critiques. critiques: their groups, as
    the exact JSON that the prompt is made from.
    """

    model: int
    answer: str
    reasoning: str
    net_support: float | None
    weakest_category: str | None
    critiques: str

    def told(self, inputs: ProposeInputs, scrub: Callable[[str], str]) -> ProposeInputs:
        """The inputs of the next round's prompt, as the parent's own next round would have had them."""
        groups = json.loads(self.critiques)
        return replace(
            inputs,
            own=OwnProposal(answer=self.answer, reasoning=self.reasoning, net_support=self.net_support),
            critiques=tuple({**group, "items": _scrubbed(group["items"], scrub)} for group in groups),
            weakest_category=self.weakest_category,
        )


def _scrubbed(items: Sequence[Mapping[str, Any]], scrub: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{**item, "text": scrub(item["text"])} for item in items]


@dataclass(frozen=True)
class Carried(Json):
    """The consensus state after the parent's round, the proposals that its next round would have begun from, and what a
    person wrote in place of one: the text by its seat in the parent.
    """

    state: tuple[StateItem, ...]
    proposals: tuple[Own, ...]
    edits: Mapping[int, str]

    def own(self, model: int | None) -> Own | None:
        return next((each for each in self.proposals if each.model == model), None)


def fork_event(session: Session) -> Mapping[str, Any] | None:
    """What the event says that makes a session a fork; None where it is none. One query for a fork."""
    if session.parent_id is None:
        return None
    return Event.objects.values_list("data", flat=True).get(chain_id=str(session.pk), kind=FORKED)


def pinned(session: Session) -> tuple[str, ...]:
    """The models that a person chose, by name; none where the broker chooses. Two queries; one more for a fork."""
    told = fork_event(session) or _opened(session)
    return named(told.get("panel") or ())


def _opened(session: Session) -> Mapping[str, Any]:
    """What the first event says; nothing of a session that is no more than thought of."""
    rows = Event.objects.filter(chain_id=str(session.pk), kind="session.opened")
    return rows.values_list("data", flat=True).first() or {}


def named(numbers: Sequence[int]) -> tuple[str, ...]:
    """The models' names, in their order. One query where there are any."""
    if not numbers:
        return ()
    return tuple(Model.objects.filter(pk__in=numbers).order_by("alias").values_list("alias", flat=True))


def into(session: Session) -> Carried | None:
    """What a fork took along; None for other sessions, and where it began from the question alone. Two queries."""
    told = fork_event(session)
    if told is None or told["carried"] is None:
        return None
    content = Blob.objects.values_list("content", flat=True).get(pk=told["carried"]["blob"])
    return Carried.from_json(json.loads(bytes(content)))
