"""What people did besides voting: struck, took back, guided."""

from collections.abc import Callable

from deliberation.models import Guidance, Veto
from deliberation.selectors.rebuilding.table import Table
from deliberation.selectors.room import Moment


def struck(kind: str) -> Callable[[Table, Moment], None]:
    def take_in(table: Table, moment: Moment) -> None:
        data, by = moment.data, table.trail.names.actor(moment.actor)
        asked_by = data.get("asked_by")  # of two people: who wanted it
        veto = Veto(
            session=table.session,
            round=table.rounds[data["round"]],
            target=table.seats[data["seat"]],
            kind=kind,
            user=by if asked_by is None else table.trail.names.users.get(asked_by),
            confirmed_by=None if asked_by is None else by,
            code=data["code"],
            reason=table.trail.text(data["reason"]),
            key=data["key"],
            created_at=moment.time,
        )
        table.vetoes.append(veto)

    return take_in


def taken_back(table: Table, moment: Moment) -> None:
    data = moment.data
    for veto in table.vetoes:
        place = (veto.kind, veto.round.number, veto.target.seat)
        if veto.withdrawn_at is None and place == (data["target"], data["round"], data["seat"]):
            veto.withdrawn_at, veto.withdrawn_by = moment.time, table.trail.names.actor(moment.actor)


def guided(table: Table, moment: Moment) -> None:
    data = moment.data
    table.guidance[data["guidance"]] = Guidance(
        pk=data["guidance"],
        session=table.session,
        user=table.trail.names.actor(moment.actor),
        to=table.seats.get(data["seat"]),
        round=data["round"],
        text=table.trail.text(data["text"]),
        key=data["key"],
        created_at=moment.time,
    )


def guidance_withdrawn(table: Table, moment: Moment) -> None:
    table.guidance[moment.data["guidance"]].withdrawn_at = moment.time
