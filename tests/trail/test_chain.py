import dataclasses
import hashlib
import json

import pytest

from deliberation.trail.chain import Entry, blob_digest, body, genesis, next_hash
from tests.trail.chains import entry

# Worked out apart from this code: printf 'nsed-trail-v1session-1' | sha256sum
GENESIS = "ba5a25ff21290f4a07f8bcef8ed215097f99ae68a842505b869700c504bc2edc"


def test_the_first_hash_is_that_of_the_domain_and_the_chain_id() -> None:
    assert genesis("session-1").hex() == GENESIS
    assert genesis("session-1") != genesis("session-2")


def test_a_hash_is_that_of_the_raw_hash_before_it_and_the_body() -> None:
    first = genesis("c")
    assert next_hash(first, b"{}") == hashlib.sha256(first + b"{}").digest()


def test_a_hash_in_hex_is_refused_as_the_previous_one() -> None:
    with pytest.raises(ValueError, match="64 bytes, not 32"):
        next_hash(genesis("c").hex().encode(), b"{}")


def test_a_body_holds_the_six_fields_in_canonical_form() -> None:
    made = body(
        Entry(
            chain="c",
            seq=1,
            time="2026-03-01T12:00:00Z",
            actor="user:4",
            kind="ballot.cast",
            payload={"q": 0.5},
        )
    )
    assert made == (
        b'{"actor":"user:4","chain":"c","kind":"ballot.cast","payload":{"q":"0.5"},"seq":1,"time":"2026-03-01T12:00:00Z"}'
    )


def test_seq_starts_at_one() -> None:
    with pytest.raises(ValueError, match="starts at 1"):
        body(dataclasses.replace(entry(1), seq=0))


def test_the_same_entry_gives_the_same_bytes_whatever_the_order_of_its_payload() -> None:
    payload = {"b": 1, "a": {"y": 2, "x": 3}}
    turned = {"a": {"x": 3, "y": 2}, "b": 1}
    assert body(dataclasses.replace(entry(1), payload=payload)) == body(
        dataclasses.replace(entry(1), payload=turned)
    )


def test_a_body_reads_back_as_what_was_written_with_floats_as_text() -> None:
    fields = json.loads(body(entry(7)))
    assert fields["payload"]["weights"] == {"3": "62.5", "4": "-1.0"}
    assert fields["seq"] == 7


def test_a_blob_is_bound_to_its_salt() -> None:
    one, two = b"1" * 16, b"2" * 16
    assert blob_digest(one, b"text\x00\xff") == hashlib.sha256(one + b"text\x00\xff").hexdigest()
    assert blob_digest(one, b"yes") != blob_digest(two, b"yes")


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        blob_digest(b"salt", b"yes")
