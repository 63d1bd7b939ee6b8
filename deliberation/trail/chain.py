"""The hash chain (architecture.md "One log, many readers"): each hash covers a body and all before it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from deliberation.trail.canonical import canonical_bytes, encode

DOMAIN = b"nsed-trail-v1"
DIGEST_BYTES = 32
SALT_BYTES_MIN = 16


@dataclass(frozen=True)
class Entry:
    """The six fields of an event body. time: ISO 8601 in UTC. actor: an id, never a name. payload: no free
    text.
    """

    chain: str
    seq: int
    time: str
    actor: str
    kind: str
    payload: Mapping[str, object]


def body(entry: Entry) -> bytes:
    """The exact bytes that are stored and hashed; floats of the payload become decimal strings.

    Raises ValueError for a seq below 1, and as canonical_bytes() does.
    """
    if entry.seq < 1:
        raise ValueError(f"an event's seq starts at 1, not {entry.seq}")
    return canonical_bytes(
        {
            "chain": entry.chain,
            "seq": entry.seq,
            "time": entry.time,
            "actor": entry.actor,
            "kind": entry.kind,
            "payload": encode(entry.payload),
        }
    )


def genesis(chain_id: str) -> bytes:
    """h_0 = SHA-256("nsed-trail-v1" || chain id): 32 raw bytes."""
    return hashlib.sha256(DOMAIN + chain_id.encode()).digest()


def next_hash(previous: bytes, body: bytes) -> bytes:
    """h_n = SHA-256(h_(n-1) || body): 32 raw bytes. Raises ValueError where previous is not 32 bytes."""
    if len(previous) != DIGEST_BYTES:
        raise ValueError(f"the previous hash has {len(previous)} bytes, not {DIGEST_BYTES}")
    return hashlib.sha256(previous + body).digest()


def blob_digest(salt: bytes, data: bytes) -> str:
    """SHA-256(salt || bytes) in hex: what a body carries in place of a text, so that the text can be
    redacted.

    Raises ValueError for a salt under 16 bytes: a short text could then be found by trying.
    """
    if len(salt) < SALT_BYTES_MIN:
        raise ValueError(f"a salt of {len(salt)} bytes is too short; {SALT_BYTES_MIN} or more")
    return hashlib.sha256(salt + data).hexdigest()
