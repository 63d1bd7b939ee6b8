"""Answers that came together are settled together, and each counts as it would alone."""

from contextlib import ExitStack

import pytest
from django.core.management import call_command

from broker.models import Call
from deliberation.models import Event, Turn
from deliberation.services import turns
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> Table:
    return builders.opened().staff()


def kinds(table: Table) -> list[str]:
    return list(Event.objects.filter(chain_id=str(table.id)).order_by("seq").values_list("kind", flat=True))


def settle_together(table: Table, held_turns: list[Turn]) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(table.taken(turn)) for turn in held_turns]
        turns.settle([table.answer(each) for each in held])


def test_each_becomes_a_proposal_an_event_and_a_call_in_the_order_of_arrival(table: Table) -> None:
    one, two, three = table.agents
    settle_together(table, [table.turn(two, "propose"), table.turn(one, "propose")])
    made = Event.objects.filter(chain_id=str(table.id), kind="proposal.made").order_by("seq")
    assert [event.data["seat"] for event in made] == [two, one]
    assert made[1].seq == made[0].seq + 1
    assert Call.objects.filter(reference=table.id).count() == 2
    states = dict(table.session.turns.values_list("participant__seat", "state"))
    assert states == {one: "settled", two: "settled", three: "open"}
    call_command("verify_trail", str(table.id))


def test_one_that_comes_too_late_is_discarded_with_its_cost_and_the_others_count(table: Table) -> None:
    one, two, _ = table.agents
    late = table.turn(one, "propose")
    table.abstain(one, "propose")
    settle_together(table, [late, table.turn(two, "propose")])
    assert sorted(kinds(table)[-2:]) == ["proposal.made", "turn.discarded"]
    discarded = Event.objects.get(chain_id=str(table.id), kind="turn.discarded")
    assert discarded.data["seat"] == one
    assert discarded.data["call"]["cost_usd"] is not None
    assert [each.participant.seat for each in late.round.proposals.all()] == [two]
    assert Call.objects.filter(reference=table.id).count() == 2
