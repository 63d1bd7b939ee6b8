"""verify_trail and replay_session: silent on what was left alone, and naming the first event that somebody touched."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from deliberation.models import Chain, Event, Session
from deliberation.trail import canonical, chain
from tests import builders
from tests.commands.calling import called, is_a_sentence, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session() -> Session:
    """Concluded after one closed round, with a veto and a person's ballot in its trail."""
    owner = builders.person()
    table = builders.opened(owner, take_part=True)
    table.staff().all_propose()
    table.vote(owner, {table.agents[0]: 5, table.agents[2]: -3})
    table.strike(owner, table.agents[1])
    table.all_review()
    assert table.advance() == "proposing"
    table.stop(owner)
    assert table.state == "concluded"
    return table.session


def as_owner(statement: str, *values: object) -> None:
    """What the owner of the tables can do who takes the triggers off first."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("ALTER TABLE deliberation_event DISABLE TRIGGER USER")
        changed = owner.execute(statement, values)
        assert changed.rowcount == 1
        owner.execute("ALTER TABLE deliberation_event ENABLE TRIGGER USER")


@contextmanager
def put_back() -> Iterator[None]:
    """What was done to the trail meanwhile is undone, also by its owner."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        for table in ("event", "blob", "chain"):
            owner.execute(f"CREATE TABLE kept_{table} AS TABLE deliberation_{table}")
        yield
        owner.execute("ALTER TABLE deliberation_event DISABLE TRIGGER USER")
        owner.execute("DELETE FROM deliberation_event")
        owner.execute("INSERT INTO deliberation_event OVERRIDING SYSTEM VALUE TABLE kept_event")
        owner.execute(
            "UPDATE deliberation_blob now SET salt = kept.salt, content = kept.content"
            " FROM kept_blob kept WHERE kept.id = now.id"
        )
        owner.execute(
            "UPDATE deliberation_chain now SET head = kept.head FROM kept_chain kept WHERE kept.id = now.id"
        )
        owner.execute("ALTER TABLE deliberation_event ENABLE TRIGGER USER")
        owner.execute("DROP TABLE kept_event, kept_blob, kept_chain")


def event(session: Session, kind: str) -> Event:
    found = Event.objects.filter(chain_id=str(session.pk), kind=kind).order_by("seq").first()
    assert found is not None
    return found


def flipped(data: bytes, *, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def change_body(session: Session) -> int:
    """One digit of the ballot's weights."""
    told = event(session, "ballot.cast")
    body = bytes(told.body)
    at = body.index(b"25.0")
    as_owner("UPDATE deliberation_event SET body = %s WHERE id = %s", flipped(body, at=at), told.pk)
    return told.seq


def break_body(session: Session) -> int:
    """One byte, after which it is no JSON any more."""
    told = event(session, "panel.chosen")
    as_owner(
        "UPDATE deliberation_event SET body = %s WHERE id = %s", flipped(bytes(told.body), at=0), told.pk
    )
    return told.seq


def change_hash(session: Session) -> int:
    told = event(session, "round.opened")
    as_owner(
        "UPDATE deliberation_event SET hash = %s WHERE id = %s", flipped(bytes(told.hash), at=31), told.pk
    )
    return told.seq


def change_copy(session: Session) -> int:
    """The copy that pages and tallies read, with the hashed body left alone."""
    told = event(session, "proposal.made")
    data = {**told.data, "seat": 99}
    as_owner("UPDATE deliberation_event SET data = %s WHERE id = %s", json.dumps(data), told.pk)
    return told.seq


def change_actor(session: Session) -> int:
    told = event(session, "proposal.vetoed")
    as_owner("UPDATE deliberation_event SET actor = 'user:0' WHERE id = %s", told.pk)
    return told.seq


def change_text(session: Session) -> int:
    """One byte of what an agent said."""
    told = event(session, "proposal.made")
    content = "content = set_byte(content, 20, get_byte(content, 20) # 1)"
    as_owner(f"UPDATE deliberation_blob SET {content} WHERE id = %s", told.data["reply"]["blob"])
    return told.seq


def change_task(session: Session) -> int:
    told = event(session, "session.opened")
    content = "content = set_byte(content, 0, get_byte(content, 0) # 1)"
    as_owner(f"UPDATE deliberation_blob SET {content} WHERE id = %s", told.data["task"]["blob"])
    return told.seq


def change_salt(session: Session) -> int:
    told = event(session, "proposal.vetoed")
    salt = "salt = set_byte(salt, 0, get_byte(salt, 0) # 1)"
    as_owner(f"UPDATE deliberation_blob SET {salt} WHERE id = %s", told.data["reason"]["blob"])
    return told.seq


def delete_event(session: Session) -> int:
    told = event(session, "ballot.cast")
    as_owner("DELETE FROM deliberation_event WHERE id = %s", told.pk)
    return told.seq


def delete_last(session: Session) -> int:
    told = event(session, "session.concluded")
    as_owner("DELETE FROM deliberation_event WHERE id = %s", told.pk)
    return told.seq


def change_head(session: Session) -> int:
    """The app's own role may write this row."""
    Chain.objects.filter(pk=str(session.pk)).update(head=bytes(32))
    return event(session, "session.concluded").seq + 1


TAMPERINGS = [
    change_body,
    break_body,
    change_hash,
    change_copy,
    change_actor,
    change_text,
    change_task,
    change_salt,
    delete_event,
    delete_last,
    change_head,
]


def test_the_first_event_that_was_touched_is_named(session: Session) -> None:
    for tamper in TAMPERINGS:
        with put_back():
            seq = tamper(session)
            for command in ("verify_trail", "replay_session"):
                ended = called(command, str(session.pk))
                found = (ended.status, ended.err.partition(":")[0])
                assert (tamper.__name__, *found) == (tamper.__name__, 1, f"Event {seq}")
        assert called("verify_trail", str(session.pk)).status == 0


def test_what_was_left_alone_holds_and_recomputes(session: Session) -> None:
    count = Event.objects.filter(chain_id=str(session.pk)).count()
    head = bytes(Chain.objects.get(pk=str(session.pk)).head).hex()
    verified = run("verify_trail", str(session.pk))
    assert (verified.status, verified.err) == (0, "")
    assert verified.out == f"{count} events, chain intact, head {head}\n"
    replayed = called("replay_session", str(session.pk)[:8])
    assert (replayed.status, replayed.err) == (0, "")
    assert replayed.out == (
        f"1 round and the verdict recompute bit for bit from {count} events, "
        "and the rows that screens show say the same\n"
    )


def test_the_shell_gets_one_and_a_sentence(session: Session) -> None:
    seq = change_body(session)
    ended = run("verify_trail", str(session.pk))
    assert (ended.status, ended.out) == (1, "")
    assert f"Event {seq}: the hash of event {seq} is not that of its body" in ended.err
    assert is_a_sentence(ended.err)


# A chain that was rewritten as a whole is sound in itself; only recomputing tells.


def rewrite(session: Session, seq: int, change: Callable[[dict[str, object]], None]) -> None:
    """Changes one payload and hashes everything anew from there, as the owner of the database could."""
    rows = list(Event.objects.filter(chain_id=str(session.pk)).order_by("seq"))
    head = chain.genesis(str(session.pk))
    for row in rows:
        body = json.loads(bytes(row.body))
        if row.seq == seq:
            change(body["payload"])
        exact = canonical.canonical_bytes(body)
        head = hashlib.sha256(head + exact).digest()
        as_owner(
            "UPDATE deliberation_event SET body = %s, hash = %s, data = %s WHERE id = %s",
            exact,
            head,
            json.dumps(body["payload"]),
            row.pk,
        )
    Chain.objects.filter(pk=str(session.pk)).update(head=head)


def heavier(payload: dict[str, object]) -> None:
    weights = payload["weights"]
    assert isinstance(weights, dict)
    first = next(iter(weights))
    weights[first] = "49.0"


def bolder(payload: dict[str, object]) -> None:
    tally = payload["tally"]
    assert isinstance(tally, dict)
    tally["conviction"] = "0.99"


def longer(payload: dict[str, object]) -> None:
    payload["stop"] = "settled"


REWRITTEN = [
    ("ballot.cast", heavier, "the outcome recomputes to something else"),
    ("round.closed", bolder, "the tally or the stop test recomputes to something else"),
    ("round.closed", longer, "the tally or the stop test recomputes to something else"),
]


def test_a_number_changed_in_a_chain_hashed_anew_does_not_recompute(session: Session) -> None:
    closed = event(session, "round.closed").seq
    for told, change, what in REWRITTEN:
        with put_back():
            rewrite(session, event(session, told).seq, change)
            assert called("verify_trail", str(session.pk)).status == 0
            ended = called("replay_session", str(session.pk))
            assert (ended.status, ended.err.splitlines()[0]) == (1, f"Event {closed}: {what}.")


# Who may


def test_the_app_may_add_events_and_no_more(session: Session) -> None:
    told = event(session, "ballot.cast")
    for statement in (
        "UPDATE deliberation_event SET actor = 'user:0' WHERE id = %s",
        "DELETE FROM deliberation_event WHERE id = %s",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement, [told.pk])
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("TRUNCATE deliberation_event")
    assert called("verify_trail", str(session.pk)).status == 0


def test_the_owner_of_the_tables_is_refused_too_until_the_triggers_are_off(session: Session) -> None:
    told = event(session, "ballot.cast")
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        for statement in (
            f"UPDATE deliberation_event SET actor = 'user:0' WHERE id = {told.pk}",
            f"DELETE FROM deliberation_event WHERE id = {told.pk}",
            "TRUNCATE deliberation_event",
        ):
            with pytest.raises(psycopg.DatabaseError, match="append-only"):
                owner.execute(statement)  # type: ignore[call-overload]
    assert called("verify_trail", str(session.pk)).status == 0


# What is no session


@pytest.mark.django_db(transaction=False)
@pytest.mark.parametrize("command", ["verify_trail", "replay_session"])
def test_what_is_no_session_is_told_with_status_two(command: str) -> None:
    unknown = str(uuid4())
    for text, sentence in (
        (unknown, f"no session's id starts with {unknown}"),
        ("abc", "'abc' is not a session's id"),
        ("what?", "'what?' is not a session's id"),
        ("", "'' is not a session's id"),
        (unknown + "00", f"'{unknown}00' is not a session's id"),
    ):
        ended = called(command, text)
        assert (ended.status, ended.out, ended.err) == (2, "", sentence)
