"""Leases with a fencing epoch: one worker at a time, and one that wakes up late writes nothing."""

import contextlib
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from deliberation.claims import LostClaim, claim, claimed, renew
from deliberation.models import Event, Session, Turn
from deliberation.services.turns import settle
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> Table:
    return builders.opened()


def rows(table: Table) -> "QuerySet[Session]":
    return Session.objects.filter(pk=table.id)


def lease_runs_out(table: Table) -> None:
    rows(table).update(leased_until=Now() - timedelta(seconds=1))


def test_what_somebody_holds_cannot_be_claimed_until_it_is_given_back(table: Table) -> None:
    with claimed(rows(table)) as first:
        assert len(first) == 1
        assert claim(rows(table)) == []
    with claimed(rows(table)) as again:
        assert again[0].epoch == first[0].epoch + 1


def test_a_lease_that_ran_out_goes_to_the_next_and_the_late_one_writes_nothing(table: Table) -> None:
    (late,) = claim(rows(table))
    lease_runs_out(table)
    (now,) = claim(rows(table))
    with pytest.raises(LostClaim), transaction.atomic():
        late.fence()
    with transaction.atomic():
        assert now.fence().pk == table.id


def test_only_what_is_still_ours_is_renewed(table: Table) -> None:
    (late,) = claim(rows(table))
    lease_runs_out(table)
    renew([late])
    (now,) = claim(rows(table)) or [None]
    assert now is None, "a renewed lease is held"
    lease_runs_out(table)
    (now,) = claim(rows(table))
    held_until = rows(table).get().leased_until
    renew([late])
    assert rows(table).get().leased_until == held_until
    renew([now])
    assert rows(table).get().leased_until >= held_until


def test_an_error_leaves_the_lease_to_run_out_so_that_it_is_tried_again_later(table: Table) -> None:
    with pytest.raises(ZeroDivisionError), claimed(rows(table)):
        1 / 0  # noqa: B018
    assert claim(rows(table)) == []
    lease_runs_out(table)
    assert len(claim(rows(table))) == 1


def test_an_answer_of_a_worker_that_lost_its_turn_writes_nothing(table: Table) -> None:
    turn = table.staff().turn(table.agents[0], "propose")
    with table.taken(turn) as late:
        Turn.objects.filter(pk=turn.pk).update(leased_until=Now() - timedelta(seconds=1))
        with claimed(Turn.objects.filter(pk=turn.pk)):
            before = Event.objects.count()
            settle([table.answer(late)])
            assert Event.objects.count() == before
    turn.refresh_from_db()
    assert turn.state == Turn.State.OPEN
    assert not turn.round.proposals.exists()
    table.propose(table.agents[0])  # and the turn itself is as good as before
    assert turn.round.proposals.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_renewal_waits_for_nobody_so_that_it_ends_in_no_deadlock() -> None:
    """Whoever settles holds some of the rows; a renewal that waited for them while it held others could stop both."""
    turns = Turn.objects.filter(session=builders.opened().staff().id).order_by("pk")
    first, *others = claim(turns)
    turns.update(leased_until=Now() + timedelta(seconds=1))
    before = dict(turns.values_list("pk", "leased_until"))
    settling = connection.copy()
    with contextlib.closing(settling), settling.cursor() as theirs, connection.cursor() as ours:
        theirs.execute("BEGIN")
        theirs.execute("SELECT 1 FROM deliberation_turn WHERE id = %s FOR UPDATE", [first.pk])
        ours.execute("SET lock_timeout = '2s'")  # a renewal that waits fails
        renew([first, *others])
        theirs.execute("ROLLBACK")
    after = dict(turns.values_list("pk", "leased_until"))
    assert after[first.pk] == before[first.pk]
    assert all(after[each.pk] > before[each.pk] for each in others)
