"""The parts of a room: which event changes which, and each as the HTML that both the page and the push use.

A part is one name: selector, template `_NAME.html`, root element `id="NAME"` (proposals: `proposal-ROUND-SEAT`). It is
rendered once per change and audience in a process, whoever watches.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from deliberation import charts
from deliberation.models import Participant
from deliberation.selectors import (
    cards,
    ending,
    evidence,
    glance,
    influence,
    room,
    seating,
    steering,
    tallies,
    telling,
)
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Moment, Room

VIEWS: Mapping[str, Callable[..., Any]] = {
    "strip": glance.strip,
    "actions": glance.actions,
    "verdict": ending.verdict,
    "rail": glance.rail,
    "people": seating.people,
    "panel": seating.panel,
    "proposals": cards.proposals,
    "proposal": cards.proposal,
    "offer": cards.offer,
    "tally": tallies.tally,
    "matrix": tallies.matrix,
    "influence": influence.influence,
    "evidence": evidence.evidence,
    "utility": evidence.utility,
    "vetoes": steering.vetoes,
    "guidance": steering.guidance,
    "timeline": telling.timeline,
}
KEYED = "proposal"  # one for each round and seat; it stands inside `proposals`
APPENDED = "timeline"
WHOLE = tuple(name for name in VIEWS if name not in (KEYED, APPENDED))
STEERING = "actions"  # shown to those alone who may steer
NUMBERS = ("tally", "matrix", "influence")
COUNTED = ("proposal", *NUMBERS)
KEPT_MESSAGES = 16

# The strip and the timeline change with every event.
PARTS: Mapping[str, tuple[str, ...]] = {
    "session.opened": WHOLE,
    "session.forked": (),
    "participant.joined": ("rail", "people", *NUMBERS),
    "panel.chosen": ("rail", "panel", "proposals"),
    "seat.replaced": ("rail", "panel", "proposals", *NUMBERS),
    "seat.not_replaced": ("rail",),
    "round.opened": ("actions", "rail", "proposals", "offer", *NUMBERS, "utility", "guidance"),
    "turns.taken": ("rail",),
    "attempt.failed": ("rail", "proposal"),
    "proposal.offered": (),
    "proposal.withdrawn": (),
    "proposal.made": ("rail", "proposal", "offer", *NUMBERS),
    "reviews.opened": ("rail",),
    "ballot.cast": (*COUNTED, "rail", "people"),
    "names.revealed": (),
    "turn.abstained": ("rail", "proposal", "matrix"),
    "turn.discarded": (),
    "round.held": ("rail",),
    "round.asked": ("actions", "rail", "evidence", "utility"),
    "round.unasked": ("actions", "rail", "evidence", "utility"),
    "human.done": ("rail", "offer", "people"),
    "human.extended": (),
    "round.closed": (*COUNTED, "actions", "rail", "offer", "evidence"),
    "proposal.vetoed": (*COUNTED, "vetoes"),
    "ballot.vetoed": (*COUNTED, "vetoes"),
    "veto.withdrawn": (*COUNTED, "vetoes"),
    "veto.requested": ("vetoes",),
    "veto.dropped": ("vetoes",),
    "guidance.left": ("guidance",),
    "guidance.withdrawn": ("guidance",),
    "session.paused": ("actions",),
    "session.resumed": ("actions",),
    "session.stop_requested": ("actions",),
    "session.concluded": WHOLE,
    "session.failed": WHOLE,
    "answer.checked": (),
    "answer.ruled": (),
    "verdict.overturned": ("verdict",),
    "overturn.requested": ("verdict",),
    "overturn.dropped": ("verdict",),
    "participant.invited": ("people",),
    "invitation.answered": ("people",),
}
OWN_CARD = frozenset(
    {"proposal.made", "attempt.failed", "turn.abstained"}
)  # the others concern all cards of a round


class Sheet:
    """A room with what was rendered of it, shared by all who watch."""

    def __init__(self, room_: Room) -> None:
        self.room = room_
        self._rendered: dict[tuple[str, str, str], SafeString] = {}
        self._lock = threading.RLock()
        self._messages: dict[tuple[str, int, bool], str] = {}

    @property
    def seq(self) -> int:
        return self.room.seq

    def html(self, part: str, audience: str, key: str = "") -> SafeString:
        """The part, rendered at the first call."""
        with self._lock:
            known = self._rendered.get((part, audience, key))
            if known is None:
                known = self._rendered[part, audience, key] = render(self, part, key, audience)
            return known

    def message(self, audience: str, *, after: int, steers: bool) -> str:
        """What push() sends. Most who watch are at the same event, so a few are kept."""
        with self._lock:
            known = self._messages.get((audience, after, steers))
            if known is None:
                if len(self._messages) == KEPT_MESSAGES:
                    self._messages.clear()
                known = self._messages[audience, after, steers] = _message(self, audience, after, steers)
            return known

    def page(self, audience: str) -> dict[str, SafeString]:
        """Every part of a fresh page, by name."""
        return {name: self.html(name, audience) for name in (*WHOLE, APPENDED)}


def render(sheet: Sheet, part: str, key: str, audience: str) -> SafeString:
    """One part as HTML with one root element."""
    arguments = {"key": key} if key else {}
    view = VIEWS[part](sheet.room, audience=audience, **arguments)
    more = EXTRAS[part](sheet, view, audience) if part in EXTRAS else {}
    return render_to_string(f"deliberation/_{part}.html", {"view": view, **more})


def _cards(sheet: Sheet, view: cards.Cards, audience: str) -> dict[str, Any]:
    rounds = [(each, [sheet.html(KEYED, audience, key) for key in each.keys]) for each in view.rounds]
    return {"rounds": rounds}


def _evidence(sheet: Sheet, view: evidence.EvidenceView, audience: str) -> dict[str, Any]:
    rounds = [
        charts.RoundEvidence(number, each.conviction, each.total, each.target) for number, each in view.rounds
    ]
    figure = charts.conviction_figure(
        rounds, max_rounds=view.max_rounds, threshold=view.target, empty=view.empty
    )
    return {"figure": figure_json(figure), "table": charts.conviction_table(rounds)}


def _utility(sheet: Sheet, view: evidence.UtilityView, audience: str) -> dict[str, Any]:
    figure = charts.utility_figure(view.points, current_round=view.round, t_opt=view.t_opt)
    table = charts.utility_table(view.points, current_round=view.round, t_opt=view.t_opt)
    return {"figure": figure_json(figure), "table": table}


EXTRAS: Mapping[str, Callable[[Sheet, Any, str], dict[str, Any]]] = {
    "proposals": _cards,
    "evidence": _evidence,
    "utility": _utility,
}


def figure_json(figure: Mapping[str, Any]) -> SafeString:
    """A figure for a <script type="application/json">: no tag can end in it."""
    escapes = {ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&"}
    return mark_safe(json.dumps(figure, separators=(",", ":")).translate(escapes))  # noqa: S308  escaped above


class Sheets:
    """The newest sheet of each session that this process shows; the least used are let go."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._slots: OrderedDict[str, _Slot] = OrderedDict()

    def at_least(self, session_id: Any, seq: int) -> Sheet:
        """The session's sheet with event `seq` on it; read anew where the known one is older."""
        slot = self._slot(str(session_id))
        with slot.lock:
            if slot.sheet is None or slot.sheet.seq < seq:
                slot.sheet = Sheet(room.load(session_id))
            return slot.sheet

    def _slot(self, session_id: str) -> "_Slot":
        with self._lock:
            slot = self._slots.setdefault(session_id, _Slot())
            self._slots.move_to_end(session_id)
            if len(self._slots) > self._limit:
                self._slots.popitem(last=False)
            return slot


class _Slot:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sheet: Sheet | None = None


sheets = Sheets()


def fresh(session_id: Any) -> Sheet:
    """The sheet with every event that is in the database now. One query where nothing has happened since."""
    return sheets.at_least(session_id, room.head(session_id))


def changed(sheet: Sheet, after: int) -> list[tuple[str, str]]:
    """The parts that the events after number `after` change, as (name, key); each once, in page order."""
    found = {
        place
        for moment in sheet.room.moments
        if moment.seq > after
        for place in _parts_of(sheet.room, moment)
    }
    if ("proposals", "") in found:
        found = {(name, key) for name, key in found if name != KEYED}
    order = list(VIEWS)
    return sorted(found, key=lambda place: (order.index(place[0]), place[1]))


def _parts_of(room_: Room, moment: Moment) -> list[tuple[str, str]]:
    names = ("strip", *PARTS.get(moment.kind, WHOLE))
    places = [(name, "") for name in names if name != KEYED]
    if moment.kind == "proposal.made" and room_.seats[moment.data["seat"]].kind == Participant.Kind.HUMAN:
        places.append(("proposals", ""))  # nobody asked for it, so it has no card yet
    return places + [(KEYED, key) for key in _keys(room_, moment)] if KEYED in names else places


def _keys(room_: Room, moment: Moment) -> list[str]:
    """The cards that an event changes: its own, or all that are written in its round."""
    number = moment.data["round"]
    if moment.kind in OWN_CARD:
        return [f"{number}-{moment.data['seat']}"] if moment.data["exchange"] == "propose" else []
    return [f"{round_}-{seat}" for round_, seat in room_.proposals if round_ == number]


def push(sheet: Sheet, audience: str, *, after: int, steers: bool) -> str:
    """One message: what the events after `after` change, whole; their rows of the timeline; the number it brings to."""
    return sheet.message(audience, after=after, steers=steers)


def _message(sheet: Sheet, audience: str, after: int, steers: bool) -> str:
    fragments = [
        sheet.html(name, audience, key) for name, key in changed(sheet, after) if steers or name != STEERING
    ]
    fragments.append(_rows(sheet, audience, after))
    return "".join([*fragments, seq_element(sheet.seq)])


def push_all(sheet: Sheet, audience: str, *, steers: bool) -> str:
    """Every part: for a page that was made for another audience."""
    names = [name for name in (*WHOLE, APPENDED) if steers or name != STEERING]
    return "".join([*(sheet.html(name, audience) for name in names), seq_element(sheet.seq)])


def _rows(sheet: Sheet, audience: str, after: int) -> SafeString:
    """New rows for the end of the timeline; htmx inserts what is inside the wrapper."""
    view = telling.timeline(sheet.room, audience=audience, after=after)
    return render_to_string("deliberation/_timeline_rows.html", {"view": view})


def seq_element(seq: int, *, head: int | None = None) -> SafeString:
    """The number that the page is brought to; `head`: the trail's, where that is further."""
    return render_to_string("deliberation/_seq.html", {"seq": seq, "head": seq if head is None else head})


@lru_cache(maxsize=64)
def written(round_number: int, seat: int, text: str) -> str:
    """A proposal as it is written: replaced by the finished card. The same for all who read along."""
    return render_to_string("deliberation/_written.html", {"key": f"{round_number}-{seat}", "text": text})


@lru_cache(maxsize=64)
def present(names: tuple[str, ...], audience: str) -> str:
    """Who has the page open; to a blind person their number alone. No part of the trail, so no event changes it."""
    return render_to_string("deliberation/_present.html", {"names": names, "hidden": audience == BLIND})
