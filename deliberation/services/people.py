"""What people do at the table. The verbs stand in the modules beside this one, by subject; this is their one door.

Every act carries the key that the browser made for it, so a double press or a retry counts once; every act is an
event, whose number is returned. The session's lock orders an act against the closing of its round; an act whose meaning
rests on what was seen carries the number of the event that its page had reached (acts.check_seen).
"""

from deliberation.services.acts import OLD_FORM
from deliberation.services.people_ballots import Vote, cast_ballot, check_counts, check_credits
from deliberation.services.people_guidance import (
    GUIDANCE_CHARS,
    check_heard,
    leave_guidance,
    withdraw_guidance,
)
from deliberation.services.people_overturns import Against, confirm_overturn, drop_overturn, overturn
from deliberation.services.people_proposals import Own, bring_in, propose, withdraw_own
from deliberation.services.people_seats import (
    done,
    need_more_time,
    open_human_turn,
    take_seat,
    withdraw_open_turns,
    withdraw_seat,
)
from deliberation.services.people_vetoes import (
    REASON_CHARS,
    Strike,
    confirm_veto,
    drop_veto_request,
    veto,
    withdraw_veto,
)

__all__ = [
    "Against",
    "GUIDANCE_CHARS",
    "OLD_FORM",
    "REASON_CHARS",
    "Own",
    "Strike",
    "Vote",
    "bring_in",
    "cast_ballot",
    "check_counts",
    "check_credits",
    "check_heard",
    "confirm_overturn",
    "confirm_veto",
    "done",
    "drop_overturn",
    "drop_veto_request",
    "leave_guidance",
    "need_more_time",
    "open_human_turn",
    "overturn",
    "propose",
    "take_seat",
    "veto",
    "withdraw_guidance",
    "withdraw_open_turns",
    "withdraw_own",
    "withdraw_seat",
    "withdraw_veto",
]
