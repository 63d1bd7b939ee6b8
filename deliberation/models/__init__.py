"""The rows of a deliberation. Constraints hold the invariants; the trail (Chain, Event, Blob) holds the facts.

State lives here and nowhere else: Redis only carries wake-ups. Session and Turn are claimed (claims.py).
"""

from deliberation.models.acts import Guidance, Overturn, OwnProposal, Veto, VetoRequest
from deliberation.models.rounds import Ballot, Proposal, Review, Round, Turn
from deliberation.models.searching import SearchDocument, SessionWords
from deliberation.models.sessions import Claimable, Invitation, Participant, Policy, Session
from deliberation.models.trail import Blob, Chain, Event

__all__ = [
    "Ballot",
    "Blob",
    "Chain",
    "Claimable",
    "Event",
    "Guidance",
    "Invitation",
    "Overturn",
    "OwnProposal",
    "Participant",
    "Policy",
    "Proposal",
    "Review",
    "Round",
    "SearchDocument",
    "Session",
    "SessionWords",
    "Turn",
    "Veto",
    "VetoRequest",
]
