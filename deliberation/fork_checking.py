"""Whether a fork's first facts hold against its parent: the hash it names, and what it took along, recomputed."""

import json
from collections.abc import Iterator

from deliberation.models import Blob, Event, Session
from deliberation.row_checking import Mismatch
from deliberation.selectors import reading_back
from deliberation.selectors.carried import Carried
from deliberation.selectors.forking import carry
from deliberation.selectors.rebuilding.rooms import DoesNotFit, room_at
from deliberation.services.forks import FORKED
from deliberation.services.rounds import exact_bytes


def check_fork(session: Session) -> Iterator[Mismatch]:
    """Nothing for a session that is no fork, and for a fork that is what it says."""
    event = Event.objects.filter(chain_id=str(session.pk), kind=FORKED).first()
    shown = (str(session.parent_id or ""), session.parent_round)
    told = (event.data["parent"], event.data["round"]) if event else ("", None)
    if shown != told:
        yield Mismatch(
            event.seq if event else 1, "the parent that screens show is not the one it was forked from"
        )
    if event is None:
        return
    parent = Event.objects.filter(chain_id=event.data["parent"], seq=event.data["event"]).first()
    if parent is None or bytes(parent.hash).hex() != event.data["hash"]:
        yield Mismatch(event.seq, "the parent's trail is not the one that it was forked from")
        return
    if event.data["carried"] is not None and not _is_carried(event):
        yield Mismatch(event.seq, "what it took along from its parent recomputes to something else")


def _is_carried(event: Event) -> bool:
    stored = bytes(Blob.objects.values_list("content", flat=True).get(pk=event.data["carried"]["blob"]))
    edits = Carried.from_json(json.loads(stored)).edits
    try:
        room = room_at(reading_back.read(event.data["parent"]), event.data["event"])
    except DoesNotFit:
        return False
    again = carry(room, event.data["round"], edits=edits)
    return exact_bytes(again.to_json()) == stored and list(edits) == event.data["edited"]
