"""The doors of the pure functions: one JSON value in, one JSON value out, for `manage.py tally` and
`manage.py utility`.

What is malformed is refused with one sentence (DoorError) that names the place; what a model's ballot gets
wrong is dropped or clamped and listed, as in a session (protocol.md 3).
"""

from __future__ import annotations

import json
from typing import Any

from deliberation.protocol.door_reading import DoorError, Pairs, Reader
from deliberation.protocol.rules import PRESETS
from deliberation.protocol.stopping import t_opt, utility_table
from deliberation.protocol.tally import tally
from deliberation.protocol.types import Note, Tally

__all__ = ["DoorError", "tally_door", "utility_door"]

MOST_ROUNDS = 1000


def tally_door(data: bytes) -> Any:
    """The tally of one round, or of each of a list of rounds. Raises DoorError."""
    value = _load(data)
    if isinstance(value, list):
        return [_tally_of(item, where=f"[{index}]") for index, item in enumerate(value)]
    return _tally_of(value, where="")


def utility_door(*, preset: str, rounds: int) -> dict[str, Any]:
    """T_opt and the rows t, U(t), u'(t) of a preset for t = 0..rounds (protocol.md 5). Raises DoorError."""
    if preset not in PRESETS:
        raise DoorError(f"There is no preset {preset!r}; there are {' and '.join(PRESETS)}.")
    if not 0 <= rounds <= MOST_ROUNDS:
        raise DoorError(f"rounds must be from 0 to {MOST_ROUNDS}, not {rounds}.")
    law = PRESETS[preset]
    return {
        "preset": preset,
        "p_g": law.p_g,
        "k": law.k,
        "beta": law.beta,
        "T_opt": t_opt(law),
        "rows": [
            {"t": t, "U": utility, "u'": slope} for t, utility, slope in utility_table(law, rounds=rounds)
        ],
    }


def _load(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=Pairs.of)
    except UnicodeDecodeError:
        raise DoorError("The input is not UTF-8 text.") from None
    except RecursionError:
        raise DoorError("The input is nested too deeply.") from None
    except ValueError as error:
        raise DoorError(f"The input is not JSON: {error}.") from None


def _tally_of(value: Any, *, where: str) -> dict[str, Any]:
    reader = Reader(where)
    inputs, rules = reader.read(value)
    return _written(tally(inputs, rules), reader)


def _written(counted: Tally, reader: Reader) -> dict[str, Any]:
    """The tally in the caller's own names."""
    seats, ids = reader.seats, reader.ids
    return {
        "net_support": ids.keyed(counted.net_support),
        "influence": {str(seats.name(voter)): ids.keyed(given) for voter, given in counted.influence.items()},
        "eligible": ids.names(counted.eligible),
        "winner": ids.name(counted.winner),
        "conviction": counted.conviction,
        "controversy": ids.keyed(counted.controversy),
        "coverage": counted.coverage,
        "classes": [{"key": group.key, "proposals": ids.names(group.members)} for group in counted.classes],
        "ties": ids.names(counted.ties),
        "tie_break": counted.tie_break,
        "dropped": [_dropped(note, reader) for note in (*reader.notes, *counted.notes)],
        "median": {
            "net_support": ids.keyed(counted.median_net_support),
            "winner": ids.name(counted.median_winner),
        },
        "median_differs": counted.median_differs,
        "pivotal": None if counted.pivotal is None else seats.names(counted.pivotal),
    }


def _dropped(note: Note, reader: Reader) -> dict[str, Any]:
    return {
        "voter": reader.seats.name(note.voter),
        "proposal": reader.ids.name(note.proposal),
        "kind": note.kind,
        "text": note.text,
    }
