"""What the broker knows: where models run, what they cost, how good they are, and what it chose.

Nothing here knows of sessions: a Call, a Budget and a Selection carry the caller's reference as a plain UUID.
"""

from broker.models.cost import Budget, Call, Price, Reservation
from broker.models.fleet import Endpoint, Host, Server, Telemetry
from broker.models.knowledge import Check, Competence, PeerScore, Selection
from broker.models.registry import Change, Model, Role, SmokeTest

__all__ = [
    "Budget",
    "Call",
    "Change",
    "Check",
    "Competence",
    "Endpoint",
    "Host",
    "Model",
    "PeerScore",
    "Price",
    "Reservation",
    "Role",
    "Selection",
    "Server",
    "SmokeTest",
    "Telemetry",
]
