"""The one composition of a round: tally, evidence, stop test, consensus state, diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deliberation.protocol import stopping
from deliberation.protocol.degradation import degradation
from deliberation.protocol.diagnostics import diagnose
from deliberation.protocol.state import update_state
from deliberation.protocol.tally import tally
from deliberation.protocol.types import RoundInput, RoundOutcome, Rules


def close_round(inputs: RoundInput, rules: Rules, history: Sequence[RoundOutcome]) -> RoundOutcome:
    """Close round `inputs.number`; `history` holds the outcomes of the rounds before it, in order.

    Pure; never raises on hostile numbers or unknown ids: they are dropped and noted in `outcome.tally.notes`.
    """
    outcome = _compose(inputs, rules, history)
    in_force = rules.for_panel_of_one() if inputs.panel_of_one else rules
    calm = [(each.diagnostics.new_classes, each.evidence.conviction) for each in (*history, outcome)]
    stop = stopping.stop_reason(inputs, outcome.evidence, rules=in_force, calm=calm)
    failure = stopping.failure(outcome.tally, stop=stop, history=history, panel_of_one=inputs.panel_of_one)
    return replace(outcome, stop=None if failure else stop, failure=failure)


def provisional_round(inputs: RoundInput, rules: Rules, history: Sequence[RoundOutcome]) -> RoundOutcome:
    """The same on what is there now: no stop test, marked `provisional`; for the live page and what-if, never
    stored.
    """
    return replace(_compose(inputs, rules, history), provisional=True)


def _compose(inputs: RoundInput, rules: Rules, history: Sequence[RoundOutcome]) -> RoundOutcome:
    in_force = rules.for_panel_of_one() if inputs.panel_of_one else rules
    counted = tally(inputs, in_force)
    previous = history[-1].state.kept if history else ()
    return RoundOutcome(
        number=inputs.number,
        tally=counted,
        evidence=stopping.evidence(counted, number=inputs.number, rules=in_force, history=history),
        state=update_state(inputs, counted, rules=in_force, previous=previous),
        diagnostics=diagnose(inputs, counted, history=history),
        degradation=degradation(inputs, counted, rules=in_force),
        stop=None,
        failure=None,
    )
