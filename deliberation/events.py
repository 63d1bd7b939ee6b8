"""record(): one fact into a chain, in the caller's transaction. The chain's row lock orders them.

Payloads hold ids, numbers and hashes, never free text or names; texts are Blobs (keep).
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from deliberation import live
from deliberation.models import Blob, Chain, Session
from deliberation.trail import canonical, chain

SYSTEM = "system"


def open_chain(chain_id: str) -> None:
    """Starts a chain at its genesis hash; does nothing where it exists."""
    Chain.objects.get_or_create(pk=chain_id, defaults={"head": chain.genesis(chain_id)})


@dataclass(frozen=True)
class Fact:
    """What is to be told. payload: ids, numbers and hashes."""

    kind: str
    actor: str
    payload: Mapping[str, Any]


def record(session: Session, kind: str, *, actor: str, payload: Mapping[str, Any]) -> int:
    """Appends one event to a session's chain and nudges its watchers on commit. Returns its number. Two statements."""
    return record_all(session, [Fact(kind, actor, payload)])


def record_all(session: Session, facts: Sequence[Fact]) -> int:
    """Appends several at once, in order, and nudges once. Returns the last one's number. Two statements."""
    seq = append(str(session.pk), facts)
    live.nudge_on_commit(session.pk, seq)
    return seq


def append(chain_id: str, facts: Sequence[Fact]) -> int:
    """Appends to any chain."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event belongs into the transaction of what it tells")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, head, clock_timestamp() FROM deliberation_chain WHERE id = %s FOR UPDATE", [chain_id]
        )
        seq, head, now = cursor.fetchone()
        hashed, rows = bytes(head), []
        for fact in facts:
            seq += 1
            data = canonical.encode(fact.payload)
            body = chain.body(chain.Entry(chain_id, seq, now.isoformat(), fact.actor, fact.kind, data))
            hashed = chain.next_hash(hashed, body)
            rows += [chain_id, seq, fact.kind, fact.actor, now, json.dumps(data), body, hashed]
        cursor.execute(
            "WITH told AS (INSERT INTO deliberation_event (chain_id, seq, kind, actor, time, data, body, hash)"
            f" VALUES {', '.join(['(%s, %s, %s, %s, %s, %s, %s, %s)'] * len(facts))})"
            " UPDATE deliberation_chain SET seq = %s, head = %s WHERE id = %s",
            [*rows, seq, hashed, chain_id],
        )
    return int(seq)


def keep(session: Session | None, content: bytes) -> Blob:
    """Stores exact bytes with a fresh salt; a text of the system's chain has no session. One statement."""
    return keep_all(session, content)[0]


def keep_all(session: Session | None, *contents: bytes) -> list[Blob]:
    """Several at once, in one statement. Those of the system's chain are of no session."""
    return Blob.objects.bulk_create(
        Blob(session=session, salt=os.urandom(16), content=content) for content in contents
    )


def reference(blob: Blob) -> dict[str, str]:
    """How an event names a blob: its id and SHA-256(salt || bytes)."""
    return {"blob": str(blob.pk), "sha256": chain.blob_digest(bytes(blob.salt), bytes(blob.content))}
