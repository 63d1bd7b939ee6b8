"""What ends a step: a lost claim quietly, a fault of our own counted, a session without a way on with its reason."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from deliberation.claims import Claim, LostClaim
from deliberation.services import sessions

log = logging.getLogger(__name__)

CRASHES_MAX = 3
FAILURES = {
    "no_panel": "No panel could be seated.",
    "no_proposals": "Fewer than two agents answered, so there was nothing to compare.",
    "no_ballots": "It ended before any round was tallied.",
    "no_eligible_proposal": "No proposal was left that enough participants had weighed and nobody had struck.",
    "internal": "The system met a fault of its own; the worker's log has it.",
}


@contextmanager
def guarded(claim: Claim) -> Iterator[None]:
    """A lost claim ends the step quietly. A bug is raised, after it was counted: the third one ends the session.
    That the database went away is no bug: the step is tried again once the lease has run out.
    """
    is_bug = True
    try:
        yield
        is_bug = False
    except LostClaim:
        log.info("session %s went to another worker", claim.pk)
        is_bug = False
    except (OperationalError, InterfaceError):
        is_bug = False
        raise
    finally:
        if is_bug and sessions.count_crash(claim) >= CRASHES_MAX:
            sessions.fail(claim, "internal", detail=FAILURES["internal"])
