"""Verifies a chain of events with Python's standard library alone; imports nothing of ours, so that it can
be copied.

As a script: python verify.py EVENTS.jsonl [--chain ID] [--head HEX] [--blobs BLOBS.jsonl] EVENTS.jsonl: one
line per event, {"seq": 1, "body": "<the exact body>", "hash": "<64 hex digits>"}. BLOBS.jsonl: one line per
text, {"sha256": "<hex>", "salt": "<hex>", "bytes": "<base64>"}. Exit 0 where everything holds, 1 with the
first bad event or text named, 2 on bad arguments or unreadable input.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOMAIN = b"nsed-trail-v1"
FIELDS = {"chain", "seq", "time", "actor", "kind", "payload"}
INTEGER_LIMIT = 2**53

Row = tuple[int, bytes, bytes]
Blob = tuple[str, bytes, bytes]


@dataclass(frozen=True)
class Verdict:
    """What the check came to. events: how many hold. head: hash of the last that holds, in hex (h_0 before
    the first).

    bad_seq: the place of the first event that does not hold, and reason: a sentence; both None where all
    hold.
    """

    ok: bool
    events: int
    head: str
    bad_seq: int | None = None
    reason: str | None = None


class Unsound(ValueError):
    """An event that does not hold; str() is the reason in a sentence."""


def verify_chain(chain_id: str, rows: Iterable[Row], *, expected_head: str | None = None) -> Verdict:
    """Checks (seq, body, hash) rows in order of seq: hashes are 32 raw bytes.

    Each body must be canonical, name this chain and its own seq (1, 2, 3 ...), and hash with the one before
    it to the hash given. expected_head: a hash in hex from elsewhere (a checkpoint, a verdict page); only
    with it is a cut tail found, or a chain that was rewritten as a whole.
    """
    head, events = hashlib.sha256(DOMAIN + chain_id.encode()).digest(), 0
    for seq, body, digest in rows:
        try:
            head = next_head(chain_id, head, expected_seq=events + 1, row=(seq, bytes(body), bytes(digest)))
        except Unsound as unsound:
            return Verdict(False, events, head.hex(), events + 1, str(unsound))
        events += 1
    if expected_head is not None and expected_head.lower() != head.hex():
        reason = (
            f"the chain ends at event {events} with another hash than the expected head: events are missing"
        )
        return Verdict(False, events, head.hex(), events + 1, f"{reason} or were rewritten.")
    return Verdict(True, events, head.hex())


def next_head(chain_id: str, head: bytes, *, expected_seq: int, row: Row) -> bytes:
    """h_n = SHA-256(h_(n-1) || body). Raises Unsound where the row is not the next event of the chain."""
    seq, body, digest = row
    check_body(body, chain_id=chain_id, expected_seq=expected_seq, seq=seq)
    computed = hashlib.sha256(head + body).digest()
    if computed != digest:
        raise Unsound(f"the hash of event {seq} is not that of its body after event {seq - 1}.")
    return computed


def check_body(body: bytes, *, chain_id: str, expected_seq: int, seq: int) -> None:
    """Raises Unsound where the body is not canonical or does not say of itself what the row says of it."""
    if seq != expected_seq:
        raise Unsound(f"event {expected_seq} is missing or out of order: event {seq} stands in its place.")
    fields = parsed(body, seq=seq)
    if canonical(fields) != body:
        raise Unsound(f"the body of event {seq} is not in canonical form.")
    if fields.keys() != FIELDS:
        raise Unsound(
            f"the body of event {seq} does not have exactly the fields {', '.join(sorted(FIELDS))}."
        )
    if fields["chain"] != chain_id:
        raise Unsound(f"event {seq} says that it belongs to another chain.")
    if type(fields["seq"]) is not int or fields["seq"] != seq:
        raise Unsound(f"event {seq} says in its body that it is another event.")


def parsed(body: bytes, *, seq: int) -> dict[str, Any]:
    try:
        fields = json.loads(
            body.decode("utf-8"), parse_float=no_float, parse_int=small_integer, parse_constant=no_float
        )
    except (ValueError, RecursionError) as refused:
        raise Unsound(f"the body of event {seq} cannot be read: {str(refused)[:120]}.") from refused
    if not isinstance(fields, dict):
        raise Unsound(f"the body of event {seq} is no object.")
    return fields


def no_float(digits: str) -> float:
    raise ValueError(f"it holds {digits[:30]}, and a number in a body is an integer")


def small_integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) >= INTEGER_LIMIT:
        raise ValueError("it holds an integer of 2^53 or more")
    return int(digits)


def canonical(value: dict[str, Any]) -> bytes | None:
    """RFC 8785 for a value without floats and with ASCII keys: there it is what the standard library
    writes.

    None where the value has no canonical form: a lone surrogate, a key that is not ASCII, nesting too deep
    to read.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8") if ascii_keys(value) else None
    except (UnicodeEncodeError, RecursionError):
        return None


def ascii_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return all(key.isascii() and ascii_keys(item) for key, item in value.items())
    return all(ascii_keys(item) for item in value) if isinstance(value, list) else True


def bad_blob(blobs: Iterable[Blob]) -> str | None:
    """The digest of the first (sha256 in hex, salt, bytes) whose bytes are not those that the trail holds;
    else None.
    """
    for digest, salt, data in blobs:
        if hashlib.sha256(bytes(salt) + bytes(data)).hexdigest() != digest.lower():
            return digest
    return None


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Each line's object. Raises Unsound, naming the line, where it is none."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            yield parsed_line(line, number=number)


def parsed_line(line: str, *, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as refused:
        raise Unsound(f"line {number} is no JSON.") from refused
    if not isinstance(value, dict):
        raise Unsound(f"line {number} is no object.")
    return value


def rows_of(path: Path) -> Iterator[Row]:
    """What cannot be bytes becomes bytes that no check lets through, so that its event is the one that is
    named.
    """
    for line in lines(path):
        body = str(line.get("body", "")).encode("utf-8", errors="surrogatepass")
        yield line.get("seq", 0), body, from_hex(line.get("hash"))


def from_hex(digits: object) -> bytes:
    try:
        return bytes.fromhex(digits) if isinstance(digits, str) else b""
    except ValueError:
        return b""


def blobs_of(path: Path) -> Iterator[Blob]:
    for line in lines(path):
        yield str(line.get("sha256")), from_hex(line.get("salt")), from_base64(line.get("bytes"))


def from_base64(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""


def chain_of(path: Path) -> str:
    """The chain that the first event names; "" where there is none, or none that can be read."""
    body = next((body for _, body, _ in rows_of(path)), b"{}")
    try:
        return str(parsed(body, seq=1).get("chain", ""))
    except Unsound:
        return ""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="verify.py", description="Verifies a chain of events.")
    parser.add_argument("events", type=Path)
    parser.add_argument("--chain", help="the chain's id; without it, the one that the first event names")
    parser.add_argument("--head", help="the hash that the last event must have, in hex")
    parser.add_argument("--blobs", type=Path, help="texts to check against their digests")
    return parser.parse_args(argv)


def check_files(options: argparse.Namespace) -> tuple[int, str]:
    """(exit status, sentence) for the files named."""
    chain_id = options.chain if options.chain is not None else chain_of(options.events)
    verdict = verify_chain(chain_id, rows_of(options.events), expected_head=options.head)
    if not verdict.ok:
        return 1, f"bad event {verdict.bad_seq} of chain {chain_id}: {verdict.reason}"
    digest = bad_blob(blobs_of(options.blobs)) if options.blobs else None
    if digest is not None:
        return 1, f"the text {digest} is not the one that was recorded."
    return 0, f"ok: {verdict.events} events of chain {chain_id}, head {verdict.head}"


def main(argv: list[str]) -> int:
    options = arguments(argv)
    try:
        status, sentence = check_files(options)
    except Unsound as unsound:
        status, sentence = 1, f"{unsound}"
    except OSError as unreadable:
        status, sentence = 2, f"the input cannot be read: {unreadable}"
    sys.stdout.write(f"{sentence}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
