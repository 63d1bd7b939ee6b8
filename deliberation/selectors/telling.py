"""What happened, event by event, in sentences: the timeline."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deliberation import formats
from deliberation.models import Participant, Veto
from deliberation.selectors import words
from deliberation.selectors.access import BLIND, OPEN
from deliberation.selectors.room import STRIKERS, Moment, Room
from deliberation.selectors.words import letter


@dataclass(frozen=True)
class Line:
    """One event in words. loss: it took something away or went wrong."""

    seq: int
    time: datetime
    words: str
    loss: bool


@dataclass(frozen=True)
class Timeline:
    lines: tuple[Line, ...]


def timeline(room: Room, *, audience: str, after: int = 0) -> Timeline:
    """The events after number `after`, in order."""
    return Timeline(
        tuple(
            Line(each.seq, each.time, _told(room, each, audience=audience), each.kind in LOSSES)
            for each in room.moments
            if each.seq > after
        )
    )


LOSSES = frozenset(
    (
        "turn.abstained",
        "turn.discarded",
        "attempt.failed",
        "session.failed",
        "proposal.vetoed",
        "ballot.vetoed",
    )
)


def _told(room: Room, moment: Moment, *, audience: str) -> str:
    tell = TOLD.get(moment.kind)
    blind = audience == BLIND
    by = _actor(room, moment.actor, blind=blind)
    return tell(room, moment.data, by, blind) if tell else moment.kind.replace(".", " ")


def _actor(room: Room, actor: str, *, blind: bool) -> str:
    """Who did it: a person's name, or only that it was a person."""
    if not actor.startswith("user:"):
        return "The system"
    known = {f"user:{room.session.owner_id}": room.session.owner}
    known |= {f"user:{each.user_id}": each.user for each in room.seats.values() if each.user}
    known |= {f"user:{each.user_id}": each.user for each in (*room.guidance, *room.invitations) if each.user}
    strikers = (getattr(each, name) for each in room.vetoes for name in STRIKERS)
    known |= {f"user:{user.pk}": user for user in strikers if user}
    user = known.get(actor)
    if blind or user is None:
        return "A person"
    return user.get_full_name() or user.get_username()


Data = Mapping[str, Any]
Tell = Callable[[Room, Data, str, bool], str]


def _opened(room: Room, data: Data, by: str, blind: bool) -> str:
    seed = f", seed {data['seed']}: labels predictable" if data["labels_predictable"] else ""
    panel = data.get("panel")
    return f"{by} opened the deliberation{seed}{f' and named its {len(panel)} models' if panel else ''}"


def _joined(room: Room, data: Data, by: str, blind: bool) -> str:
    asked = "; each hold waits for this ballot" if data["asked"] else ""
    return f"{by} took seat {letter(data['seat'])}{asked}"


def _panel(room: Room, data: Data, by: str, blind: bool) -> str:
    seats = [each["seat"] for each in data["seats"]]
    one = ": one model, several answers" if data["panel_of_one"] else ""
    return f"The broker seated {words.letters(seats)}{one}"


def _replaced(room: Room, data: Data, by: str, blind: bool) -> str:
    why = words.reason(data["reason"])
    newcomer = letter(data["by"]["seat"])
    return f"Agent {letter(data['seat'])} went down ({why}); the broker seated {newcomer} in its place"


def _not_replaced(room: Room, data: Data, by: str, blind: bool) -> str:
    why = words.reason(data["reason"])
    nobody = "no solver took the question in time" if data["selection"] is None else "no other model can sit"
    return f"Agent {letter(data['seat'])} went down ({why}) and is not replaced: {nobody}"


def _taken(room: Room, data: Data, by: str, blind: bool) -> str:
    kind = "proposal" if data["turns"][0]["exchange"] == "propose" else "ballot"
    seats = [each["seat"] for each in data["turns"]]
    return f"A worker began the {kind}{'s' if len(seats) > 1 else ''} of {words.letters(seats)}"


def _failed_attempt(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"Attempt {data['attempt']} of agent {letter(data['seat'])}: {words.reason(data['code'])}"


def _cast(room: Room, data: Data, by: str, blind: bool) -> str:
    kind = room.seats[data["seat"]].kind
    caster = "agent" if kind == Participant.Kind.MODEL else "person"
    version = f", version {data['version']}" if data["version"] > 1 else ""
    head = f"Ballot of {caster} {letter(data['seat'])} in round {data['round']}{version}"
    return head if blind else f"{head}: {_weights(data['weights'])}"


def _weights(weights: Mapping[str, Any]) -> str:
    """A +80, B −20, in credits."""
    return ", ".join(
        f"{letter(int(seat))} {formats.signed(None if weight is None else float(weight), digits=0)}"
        for seat, weight in sorted(weights.items(), key=lambda item: int(item[0]))
    )


def _abstained(room: Room, data: Data, by: str, blind: bool) -> str:
    what = "proposal" if data["exchange"] == "propose" else "ballot"
    return f"Agent {letter(data['seat'])} gave no {what}: {words.reason(data['reason'])}"


def _human_done(room: Room, data: Data, by: str, blind: bool) -> str:
    person = f"Person {letter(data['seat'])}"
    if data.get("leaves"):
        return f"{person} withdrew in round {data['round']}: no round waits for them any more"
    return f"{person} {WINDOW_ENDS[data['outcome']]} in round {data['round']}"


WINDOW_ENDS = {
    "cast": "is done",
    "declined": "declined to vote",
    "expired": "did not vote in time",
    "withdrawn": f"was {words.NO_LONGER_ASKED}",
}


def _proposed(room: Room, data: Data, by: str, blind: bool) -> str:
    kind = room.seats[data["seat"]].kind
    return f"{'Agent' if kind == Participant.Kind.MODEL else 'Person'} {letter(data['seat'])} proposed"


def _requested(room: Room, data: Data, by: str, blind: bool) -> str:
    code = Veto.Code(data["code"]).label.lower()
    what = f"the {data['target']} of {letter(data['seat'])} in round {data['round']}"
    return f"{by} asks to strike {what}: {code}; a second person must confirm"


def _dropped(room: Room, data: Data, by: str, blind: bool) -> str:
    verb = "withdrew the request" if data["outcome"] == "withdrawn" else "refused"
    return f"{by} {verb} to strike the {data['target']} of {letter(data['seat'])} in round {data['round']}"


def _extended(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"Person {letter(data['seat'])} needs more time: the tally of round {data['round']} waits longer"


def _offered(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"{by} wrote a proposal for round {data['round']}"


def _overturned(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"{by} {'confirmed that the verdict is overturned' if 'asked_by' in data else 'overturned the verdict'}"


def _overturn_dropped(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"{by} {'withdrew the request' if data['outcome'] == 'withdrawn' else 'refused'} to overturn the verdict"


def _closed(room: Room, data: Data, by: str, blind: bool) -> str:
    if blind:
        return f"Round {data['round']} was tallied"
    tally = data["tally"]
    margin = None if tally["margin"] is None else float(tally["margin"])
    return f"Round {data['round']}: {words.wins_by(tally['winner'], margin=margin, ended=True)}"


def _vetoed(what: str) -> Tell:
    def tell(room: Room, data: Data, by: str, blind: bool) -> str:
        code = Veto.Code(data["code"]).label.lower()
        struck = "confirmed the request and struck" if "request" in data else "struck"
        return f"{by} {struck} the {what} of {letter(data['seat'])} in round {data['round']}: {code}"

    return tell


def _withdrawn(room: Room, data: Data, by: str, blind: bool) -> str:
    return (
        f"{by} took back the veto on the {data['target']} of {letter(data['seat'])} in round {data['round']}"
    )


def _guided(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"{by} left guidance for {'all' if data['seat'] is None else letter(data['seat'])}"


def _concluded(room: Room, data: Data, by: str, blind: bool) -> str:
    why = words.STOP_REASONS[data["stop_reason"]]
    return f"Concluded: proposal {letter(data['proposal'])} of round {data['round']}; {why}"


def _failed(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"Failed: {room.session.failure_detail or data['failure'].replace('_', ' ')}"


def _stopped(room: Room, data: Data, by: str, blind: bool) -> str:
    if "text" not in data:
        return f"{by} asked it to stop"
    reason = room.unnamed(room.facts.text(data["text"]), audience=BLIND if blind else OPEN)
    return f"{by} asked it to stop: {reason}"


def _checked(room: Room, data: Data, by: str, blind: bool) -> str:
    right = sum(each["right"] for each in data["checks"])
    return f"Checked against the known answer: {right} of {len(data['checks'])} models were right in round 1"


def _ruled(room: Room, data: Data, by: str, blind: bool) -> str:
    learned = f"; {len(data['checks'])} models were checked by it" if data["checks"] else ""
    return f"{by} ruled that the verdict is {'right' if data['right'] else 'wrong'}{learned}"


def _answered(room: Room, data: Data, by: str, blind: bool) -> str:
    return f"{by} answered the invitation: {data.get('answer', 'answered')}"


def _forked(room: Room, data: Data, by: str, blind: bool) -> str:
    if not data["round"]:
        return f"{by} asked the question of another session again"
    changed = f", with the proposal of {words.letters(data['edited'])} changed" if data["edited"] else ""
    return f"{by} went on from round {data['round']} of another session{changed}"


TOLD: Mapping[str, Tell] = {
    "session.opened": _opened,
    "session.forked": _forked,
    "participant.joined": _joined,
    "panel.chosen": _panel,
    "seat.replaced": _replaced,
    "seat.not_replaced": _not_replaced,
    "round.opened": lambda room, data, by, blind: f"Round {data['round']} opened",
    "turns.taken": _taken,
    "attempt.failed": _failed_attempt,
    "proposal.offered": _offered,
    "proposal.withdrawn": lambda room, data, by, blind: (
        f"{by} took back a proposal for round {data['round']}"
    ),
    "proposal.made": _proposed,
    "reviews.opened": lambda room, data, by, blind: f"Reviews of round {data['round']} opened",
    "ballot.cast": _cast,
    "names.revealed": lambda room, data, by, blind: (
        f"Names and totals are shown to person {letter(data['seat'])}"
    ),
    "turn.abstained": _abstained,
    "turn.discarded": lambda room, data, by, blind: f"A late answer of {letter(data['seat'])} was discarded",
    "round.asked": lambda room, data, by, blind: f"{by} asked for one more round after round {data['round']}",
    "round.unasked": lambda room, data, by, blind: (
        f"{by} asks for no further round after round {data['round']}"
    ),
    "round.held": lambda room, data, by, blind: f"The tally of round {data['round']} waits for people",
    "human.done": _human_done,
    "human.extended": _extended,
    "round.closed": _closed,
    "proposal.vetoed": _vetoed("proposal"),
    "ballot.vetoed": _vetoed("ballot"),
    "veto.withdrawn": _withdrawn,
    "veto.requested": _requested,
    "veto.dropped": _dropped,
    "guidance.left": _guided,
    "guidance.withdrawn": lambda room, data, by, blind: f"{by} withdrew guidance",
    "session.paused": lambda room, data, by, blind: f"{by} paused it",
    "session.resumed": lambda room, data, by, blind: f"{by} resumed it",
    "session.stop_requested": _stopped,
    "session.concluded": _concluded,
    "session.failed": _failed,
    "answer.checked": _checked,
    "answer.ruled": _ruled,
    "overturn.requested": lambda room, data, by, blind: (
        f"{by} asks to overturn the verdict; a second must confirm"
    ),
    "verdict.overturned": _overturned,
    "overturn.dropped": _overturn_dropped,
    "participant.invited": lambda room, data, by, blind: f"{by} invited a colleague",
    "invitation.answered": _answered,
}
