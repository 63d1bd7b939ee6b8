"""record(): one fact into a chain, in the caller's transaction. The chain's row lock orders them.

Payloads hold ids, numbers and hashes, never free text or names; texts are Blobs (keep).
"""

import json
import os
from typing import Any

from django.db import connection, transaction

from deliberation import live
from deliberation.models import Blob, Chain, Session
from deliberation.trail import canonical, chain

SYSTEM = "system"


def open_chain(chain_id: str) -> None:
    """Starts a chain at its genesis hash; does nothing where it exists."""
    Chain.objects.get_or_create(pk=chain_id, defaults={"head": chain.genesis(chain_id)})


def record(session: Session, kind: str, *, actor: str, payload: dict[str, Any]) -> int:
    """Appends one event to a session's chain and nudges its watchers on commit. Returns its number. Two statements."""
    seq = append(str(session.pk), kind, actor=actor, payload=payload)
    live.nudge_on_commit(session.pk, seq)
    return seq


def append(chain_id: str, kind: str, *, actor: str, payload: dict[str, Any]) -> int:
    """Appends one event to any chain."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event belongs into the transaction of what it tells")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq + 1, head, clock_timestamp() FROM deliberation_chain WHERE id = %s FOR UPDATE",
            [chain_id],
        )
        seq, head, now = cursor.fetchone()
        data = canonical.encode(payload)
        body = chain.body(chain.Entry(chain_id, seq, now.isoformat(), actor, kind, data))
        hashed = chain.next_hash(bytes(head), body)
        cursor.execute(
            "WITH told AS (INSERT INTO deliberation_event (chain_id, seq, kind, actor, time, data, body, hash)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s))"
            " UPDATE deliberation_chain SET seq = %s, head = %s WHERE id = %s",
            [chain_id, seq, kind, actor, now, json.dumps(data), body, hashed, seq, hashed, chain_id],
        )
    return int(seq)


def keep(session: Session, content: bytes) -> Blob:
    """Stores exact bytes with a fresh salt. One statement."""
    return keep_all(session, content)[0]


def keep_all(session: Session, *contents: bytes) -> list[Blob]:
    """Several at once, in one statement."""
    return Blob.objects.bulk_create(
        Blob(session=session, salt=os.urandom(16), content=content) for content in contents
    )


def reference(blob: Blob) -> dict[str, str]:
    """How an event names a blob: its id and SHA-256(salt || bytes)."""
    return {"blob": str(blob.pk), "sha256": chain.blob_digest(bytes(blob.salt), bytes(blob.content))}
