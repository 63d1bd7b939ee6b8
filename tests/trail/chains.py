"""Builds chains for the tests, from the writer's own functions."""

import json
from pathlib import Path

from deliberation.trail.chain import Entry, body, genesis, next_hash
from deliberation.trail.verify import Row

CHAIN = "session-7f3c9a"


def entry(seq: int, *, chain: str = CHAIN) -> Entry:
    return Entry(
        chain=chain,
        seq=seq,
        time=f"2026-03-01T12:{seq // 60 % 60:02d}:{seq % 60:02d}.000000Z",
        actor=f"seat:{seq % 5}",
        kind=("turn.settled", "ballot.cast", "round.closed")[seq % 3],
        payload={"round": seq // 50 + 1, "weights": {"3": 62.5, "4": -seq / 7}, "notes": ["é\n", None, True]},
    )


def sealed(bodies: list[bytes], *, chain: str = CHAIN) -> list[Row]:
    """Rows with the right hashes for these bodies."""
    rows, head = [], genesis(chain)
    for seq, each in enumerate(bodies, 1):
        head = next_hash(head, each)
        rows.append((seq, each, head))
    return rows


def chain_of(length: int) -> list[Row]:
    return sealed([body(entry(seq)) for seq in range(1, length + 1)])


def write_jsonl(path: Path, rows: list[Row]) -> Path:
    lines = (
        json.dumps({"seq": seq, "body": each.decode(), "hash": digest.hex()}) for seq, each, digest in rows
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
