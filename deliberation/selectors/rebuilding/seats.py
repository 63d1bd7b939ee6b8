"""Who sits at the table, who was replaced and who was asked to come."""

from collections.abc import Mapping
from typing import Any

from deliberation.models import Invitation, Participant, Turn
from deliberation.selectors.rebuilding.table import Table
from deliberation.selectors.room import Moment


def panel_chosen(table: Table, moment: Moment) -> None:
    table.session.selection = table.trail.names.selections.get(moment.data["selection"])
    for facts in moment.data["seats"]:
        _sit(table, facts, selection=moment.data["selection"])


def replaced(table: Table, moment: Moment) -> None:
    data = moment.data
    table.seats[data["seat"]].left_phase = data["phase"]
    _sit(table, data["by"], selection=data["selection"], phase=data["phase"])


def _sit(table: Table, facts: Mapping[str, Any], *, selection: int, phase: int = 0) -> None:
    model = table.trail.names.models[facts["model"]]
    chosen = table.trail.names.selections.get(selection)
    lines = {line["id"]: line for line in chosen.receipt.get("candidates", ())} if chosen else {}
    table.seats[facts["seat"]] = Participant(
        session=table.session,
        seat=facts["seat"],
        kind=Participant.Kind.MODEL,
        model=model,
        family=facts["family"] or "",
        role=facts["role"] or "",
        reason=lines.get(model.alias, {}).get("reason", ""),
        simulated=facts["simulated"],
        joined_phase=phase,
    )


def joined(table: Table, moment: Moment) -> None:
    data = moment.data
    table.seats[data["seat"]] = Participant(
        session=table.session,
        seat=data["seat"],
        kind=Participant.Kind.HUMAN,
        user=table.trail.names.users[data["user"]],
        asked=data["asked"],
    )
    is_late = data["round"] > table.session.round  # it was tallied already
    if data["asked"] and table.rounds and table.round.closed_at is None and not is_late:
        table.open_turn(moment, data["seat"], kind=Turn.Kind.REVIEW)


def invited(table: Table, moment: Moment) -> None:
    """The name that was written on the invitation is in its row alone."""
    number = moment.data["invitation"]
    named = table.trail.names.invitations.get(number)
    table.invitations[number] = Invitation(
        pk=number,
        session=table.session,
        name=named.name if named else "",
        user=table.trail.names.users.get(moment.data["user"]),
        invited_by=table.trail.names.actor(moment.actor),
        created_at=moment.time,
    )


def answered(table: Table, moment: Moment) -> None:
    invitation = table.invitations[moment.data["invitation"]]
    accepted = moment.data["answer"] == "accepted"
    invitation.accepted_at = moment.time if accepted else None
    invitation.declined_at = None if accepted else moment.time
