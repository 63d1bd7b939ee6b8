"""Agents' seats: the chosen panel sits down, and others take the place of agents whose models went down."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from broker.models import Model, Selection
from broker.selectors.candidates import newest_personas
from deliberation import events
from deliberation.claims import Claim
from deliberation.models import Participant, Session, Turn
from deliberation.protocol.phases import phase_number
from deliberation.protocol.types import Rules


@transaction.atomic
def seat_panel(claim: Claim, selection: Selection) -> None:
    """Seats the chosen models in an order that tells nothing of their rank."""
    session = claim.fence()
    session.selection = selection
    session.save(update_fields=["selection"])
    chosen = Model.objects.filter(alias__in=selection.receipt["chosen"]).select_related("endpoint")
    models = {each.alias: each for each in chosen}
    lines = {line["id"]: line for line in selection.receipt["candidates"]}
    personas = newest_personas(selection.receipt["roles"].values())
    taken = session.participants.count()
    panel = [
        _seat(session, models[alias], seat=seat, line=lines[alias], personas=personas)
        for seat, alias in enumerate(_seat_order(session, selection.receipt["chosen"]), start=taken + 1)
    ]
    Participant.objects.bulk_create(panel)
    events.record(
        session,
        "panel.chosen",
        actor="broker",
        payload={
            "selection": selection.pk,
            "panel_of_one": len(selection.receipt["chosen"]) == 1,
            "seats": [_seat_facts(each) for each in panel],
        },
    )


def _seat_order(session: Session, chosen: Sequence[str]) -> list[str]:
    """Shuffled by the secret; a panel of one sits `samples` times (protocol.md 2, panel of one)."""
    rules = Rules.from_json(session.rules)
    aliases = list(chosen) * rules.samples if len(chosen) == 1 else chosen

    def key(item: tuple[int, str]) -> bytes:
        return hmac.digest(bytes(session.secret), f"seat/{item[1]}/{item[0]}".encode(), hashlib.sha256)

    return [alias for _, alias in sorted(enumerate(aliases), key=key)]


def _seat(
    session: Session, model: Model, *, seat: int, line: Mapping[str, Any], personas: Mapping[str, str]
) -> Participant:
    return Participant(
        session=session,
        seat=seat,
        kind=Participant.Kind.MODEL,
        model=model,
        family=model.family,
        reason=line["reason"],
        role=line["role"] or "",
        persona=personas.get(line["role"] or "", ""),
        simulated=model.endpoint.simulated,
    )


def _seat_facts(participant: Participant) -> dict[str, Any]:
    return {
        "seat": participant.seat,
        "model": participant.model_id,
        "endpoint": participant.model.endpoint_id,
        "family": participant.family or None,
        "role": participant.role or None,
        "simulated": participant.simulated,
    }


def next_phase(session: Session) -> int:
    """The number of the next phase in which agents are asked."""
    if session.state == Session.State.PROPOSING:
        return phase_number(session.round, "review")
    return phase_number(session.round + 1, "propose")


@transaction.atomic
def look_for_others(claim: Claim) -> None:
    """The solver is asked for others; the session waits a while for them."""
    claim.fence()
    Session.objects.filter(pk=claim.pk).update(replacing_since=Now())


@transaction.atomic
def replace(claim: Claim, gone: Sequence[Turn], selection: Selection | None) -> None:
    """Models that the broker chose beside the rest take new seats in place of those that went down; a seat for which
    there is nobody stays lost. selection: None where no solver took the question in time.
    """
    session = claim.fence()
    phase = next_phase(session)
    for turn, model in zip(gone, _newcomers(session, selection, count=len(gone)), strict=True):
        if model is None or selection is None:
            events.record(session, "seat.not_replaced", actor="broker", payload=_lost(turn, phase, selection))
        else:
            _take_over(session, turn, model, phase=phase, selection=selection)
    session.replaced_phase, session.replacing_since = phase, None
    session.save(update_fields=["replaced_phase", "replacing_since"])


def _newcomers(session: Session, selection: Selection | None, *, count: int) -> list[Model | None]:
    """Chosen models without a seat, as many as are asked for, with None for each that is missing."""
    chosen = selection.receipt["chosen"] if selection else []
    seated = session.participants.filter(left_phase=None, model__isnull=False).values("model")
    found = list(Model.objects.filter(alias__in=chosen).exclude(pk__in=seated).order_by("alias"))
    return [*found, *[None] * count][:count]


def _take_over(session: Session, turn: Turn, model: Model, *, phase: int, selection: Selection) -> None:
    last = session.participants.aggregate(last=Max("seat"))["last"] or 0
    lines = {line["id"]: line for line in selection.receipt["candidates"]}
    newcomer = _seat(session, model, seat=last + 1, line=lines[model.alias], personas={})
    newcomer.role, newcomer.persona = turn.participant.role, turn.participant.persona
    newcomer.joined_phase = phase
    newcomer.save()
    Participant.objects.filter(pk=turn.participant_id).update(left_phase=phase)
    payload = {**_lost(turn, phase, selection), "by": _seat_facts(newcomer)}
    events.record(session, "seat.replaced", actor="broker", payload=payload)


def _lost(turn: Turn, phase: int, selection: Selection | None) -> dict[str, Any]:
    return {
        "round": turn.session.round,
        "phase": phase,
        "seat": turn.participant.seat,
        "reason": turn.reason,
        "selection": selection.pk if selection else None,
    }
