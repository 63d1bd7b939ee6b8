"""Which open turns their servers have room for: the others wait in the database, where it is seen, and not inside a
server.
"""

from typing import Any

from broker.models import Endpoint, plain
from broker.selectors.servers import room_at
from deliberation.services import turns

_FREE = (
    "FROM deliberation_turn AS turn JOIN deliberation_session AS session ON session.id = turn.session_id"
    " JOIN broker_endpoint AS endpoint ON endpoint.id = turn.endpoint_id"
    " JOIN broker_host AS host ON host.id = endpoint.host_id"
    " LEFT JOIN (SELECT endpoint_id, count(*) AS turns FROM deliberation_turn"
    " WHERE state = 'open' AND leased_until >= statement_timestamp() GROUP BY endpoint_id) AS in_hand"
    " ON in_hand.endpoint_id = endpoint.id"
    " WHERE turn.session_id = %s AND host.name = %s AND turn.state = 'open' AND session.paused_at IS NULL"
    " AND session.stop_requested_at IS NULL"
    " AND (turn.leased_until IS NULL OR turn.leased_until < statement_timestamp()) ORDER BY turn.id"
)


def within_room(session_id: Any, host: str) -> list[int]:
    """The session's turns at this host that may be begun, beside the turns in hand of all sessions; the others are
    looked at again in a moment. Two queries.
    """
    free = plain.rows(
        _FREE, [session_id, host], more=("turn.id", "coalesce(in_hand.turns, 0)"), endpoint=Endpoint
    )
    endpoints = {endpoint.pk: endpoint for endpoint, _, _ in free}
    if not free:
        return []
    room = room_at(endpoints.values())
    places = {endpoint.pk: room[endpoint.pk] - in_hand for endpoint, _, in_hand in free}
    taken = []
    for endpoint, turn, _ in free:
        places[endpoint.pk] -= 1
        if places[endpoint.pk] >= 0:
            taken.append(turn)
    if len(taken) < len(free):
        turns.postpone([turn for _, turn, _ in free if turn not in taken])
    return taken
