"""The verifier finds every change to a chain and names the first event that does not hold."""

import base64
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliberation.trail import verify
from deliberation.trail.canonical import canonical_bytes
from deliberation.trail.chain import blob_digest, body, genesis
from deliberation.trail.verify import Row, bad_blob, verify_chain
from tests.trail.chains import CHAIN, chain_of, entry, sealed, write_jsonl

LENGTH = 300
ROWS = chain_of(LENGTH)


def checked(rows: list[Row], **options: str) -> tuple[bool, int | None]:
    verdict = verify_chain(CHAIN, rows, **options)
    return verdict.ok, verdict.bad_seq


def replaced(index: int, row: Row) -> list[Row]:
    return [*ROWS[:index], row, *ROWS[index + 1 :]]


def mutated(value: object) -> object:
    """Another value of the same JSON type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    return "x"


def mutations(value: Any) -> Iterator[Any]:
    """The value with each of its leaves changed, and each of its items taken away, one at a time."""
    if isinstance(value, dict):
        for key in value:
            yield {other: value[other] for other in value if other != key}
            yield from ({**value, key: inner} for inner in mutations(value[key]))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value[:index] + value[index + 1 :]
            yield from (value[:index] + [inner] + value[index + 1 :] for inner in mutations(value[index]))
    else:
        yield mutated(value)


def test_an_untouched_chain_holds() -> None:
    verdict = verify_chain(CHAIN, ROWS, expected_head=ROWS[-1][2].hex())
    assert verdict == verify.Verdict(ok=True, events=LENGTH, head=ROWS[-1][2].hex())


def test_a_chain_without_events_holds_at_its_first_hash() -> None:
    assert verify_chain(CHAIN, []) == verify.Verdict(ok=True, events=0, head=genesis(CHAIN).hex())


def test_rows_may_come_as_memory_views_as_a_database_gives_them() -> None:
    rows = [(seq, memoryview(made), memoryview(digest)) for seq, made, digest in ROWS[:5]]
    assert verify_chain(CHAIN, rows).ok  # type: ignore[arg-type]


def test_every_changed_field_of_every_event_is_found_at_its_place() -> None:
    """Every mutation of every event against the hash before it, and one of each event, in turn, in the
    whole chain.
    """
    count, head = 0, genesis(CHAIN)
    for index, (seq, made, digest) in enumerate(ROWS):
        changed = [(seq, canonical_bytes(fields), digest) for fields in mutations(json.loads(made))]
        for row in changed:
            with pytest.raises(verify.Unsound, match=f"event {seq} "):
                verify.next_head(CHAIN, head, expected_seq=seq, row=row)
        assert checked(replaced(index, changed[index % len(changed)])) == (False, seq)
        count, head = count + len(changed), digest
    assert count >= 15 * LENGTH


def test_a_changed_seq_or_hash_of_a_row_is_found_at_its_place() -> None:
    for index, (seq, made, digest) in list(enumerate(ROWS))[::3]:
        flipped = bytes([digest[0] ^ 1]) + digest[1:]
        for row in ((seq + 1, made, digest), (seq - 1, made, digest), (seq, made, flipped), (seq, made, b"")):
            assert checked(replaced(index, row)) == (False, seq)


@settings(max_examples=300)
@given(st.integers(0, LENGTH - 1), st.data())
def test_any_changed_byte_of_a_body_is_found_at_its_place(index: int, data: st.DataObject) -> None:
    seq, made, digest = ROWS[index]
    place = data.draw(st.integers(0, len(made) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != made[place]))
    changed = made[:place] + bytes([other]) + made[place + 1 :]
    assert checked(replaced(index, (seq, changed, digest))) == (False, seq)


def test_a_deleted_event_is_found_where_it_is_missing() -> None:
    for index in range(LENGTH - 1):
        assert checked(ROWS[:index] + ROWS[index + 1 :]) == (False, index + 1)


def test_two_swapped_events_are_found_at_the_first() -> None:
    rng = random.Random(5)
    for _ in range(200):
        one, two = sorted(rng.sample(range(LENGTH), 2))
        rows = list(ROWS)
        rows[one], rows[two] = rows[two], rows[one]
        assert checked(rows) == (False, one + 1)


def test_swapped_bodies_under_the_old_numbers_are_found_at_the_first() -> None:
    rows = list(ROWS)
    rows[10], rows[11] = (11, ROWS[11][1], ROWS[10][2]), (12, ROWS[10][1], ROWS[11][2])
    assert checked(rows) == (False, 11)


def test_an_event_that_comes_twice_is_found_where_the_next_should_stand() -> None:
    assert checked(ROWS[:20] + ROWS[19:]) == (False, 21)


def test_an_inserted_event_with_a_right_hash_breaks_the_event_after_it() -> None:
    forged = sealed([made for _, made, _ in ROWS[:19]] + [body(entry(20))] + [body(entry(99))])[:20]
    assert checked(forged[:20] + ROWS[20:]) == (True, None), "the forged event equals the true one here"
    other = json.loads(body(entry(20))) | {"actor": "seat:9"}
    forged = sealed([made for _, made, _ in ROWS[:19]] + [canonical_bytes(other)])
    assert checked(forged + ROWS[20:]) == (False, 21)


def test_a_cut_tail_is_found_by_whoever_holds_the_head() -> None:
    head = ROWS[-1][2].hex()
    for kept in (0, 1, 150, LENGTH - 1):
        assert checked(ROWS[:kept]) == (True, None)
        assert checked(ROWS[:kept], expected_head=head) == (False, kept + 1)


def test_a_chain_rewritten_as_a_whole_is_found_by_whoever_holds_the_head() -> None:
    bodies = [made for _, made, _ in ROWS]
    bodies[4] = canonical_bytes(json.loads(bodies[4]) | {"actor": "seat:9"})
    assert checked(sealed(bodies)) == (True, None)
    verdict = verify_chain(CHAIN, sealed(bodies), expected_head=ROWS[-1][2].hex().upper())
    assert not verdict.ok
    assert verdict.reason is not None and "rewritten" in verdict.reason


def test_the_head_may_be_given_in_capitals() -> None:
    assert verify_chain(CHAIN, ROWS, expected_head=ROWS[-1][2].hex().upper()).ok


def test_the_events_of_another_chain_do_not_hold() -> None:
    assert verify_chain("another", ROWS).bad_seq == 1


SOUND = json.loads(body(entry(1)))
UNSOUND = {
    "white space": (json.dumps(SOUND, sort_keys=True).encode(), "canonical"),
    "keys out of order": (
        json.dumps(SOUND, separators=(",", ":")).encode()[::1].replace(b'{"actor"', b'{ "actor"'),
        "canonical",
    ),
    "a key twice": (body(entry(1)).replace(b'"seq":1', b'"seq":1,"seq":1'), "canonical"),
    "an escape that need not be": (body(entry(1)).replace(b"seat", b"se\\u0061t"), "canonical"),
    "a byte order mark": (b"\xef\xbb\xbf" + body(entry(1)), "cannot be read"),
    "a float": (body(entry(1)).replace(b'"round":1', b'"round":1.0'), "number in a body is an integer"),
    "an exponent": (body(entry(1)).replace(b'"round":1', b'"round":1e3'), "number in a body is an integer"),
    "NaN": (body(entry(1)).replace(b'"round":1', b'"round":NaN'), "number in a body is an integer"),
    "a large integer": (body(entry(1)).replace(b'"round":1', b'"round":9007199254740992'), r"2\^53"),
    "a huge integer": (body(entry(1)).replace(b'"round":1', b'"round":' + b"9" * 6000), r"2\^53"),
    "a lone surrogate": (body(entry(1)).replace(b"seat", b"\\ud800"), "canonical"),
    "a key that is not ASCII": (body(entry(1)).replace(b'"round"', '"rönd"'.encode()), "canonical"),
    "bytes that are not UTF-8": (body(entry(1)).replace(b"seat", b"\xff\xfe"), "cannot be read"),
    "no JSON": (b"hello", "cannot be read"),
    "an empty body": (b"", "cannot be read"),
    "a list": (b"[]", "no object"),
    "deep nesting": (b'{"a":' + b"[" * 100_000, "cannot be read"),
    "deep but closed nesting": (b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", "canonical|fields"),
    "a field missing": (
        canonical_bytes({key: SOUND[key] for key in SOUND if key != "actor"}),
        "exactly the fields",
    ),
    "a field too many": (canonical_bytes(SOUND | {"note": "x"}), "exactly the fields"),
    "another chain": (canonical_bytes(SOUND | {"chain": "another"}), "another chain"),
    "another seq": (canonical_bytes(SOUND | {"seq": 2}), "another event"),
    "true as seq": (canonical_bytes(SOUND | {"seq": True}), "another event"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_body_that_is_not_sound_is_refused_even_where_its_hash_is_right(name: str) -> None:
    made, reason = UNSOUND[name]
    verdict = verify_chain(CHAIN, sealed([made]))
    assert (verdict.ok, verdict.bad_seq, verdict.events) == (False, 1, 0)
    assert verdict.reason is not None
    assert re.search(reason, verdict.reason), verdict.reason
    assert verdict.reason.endswith(".")


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_verifier_fail(made: bytes) -> None:
    assert verify_chain(CHAIN, sealed([made])).bad_seq == 1


def blobs() -> list[tuple[str, bytes, bytes]]:
    texts = (b"an answer", b"nul \x00 and \xff\xfe", b"")
    return [(blob_digest(bytes([n]) * 16, text), bytes([n]) * 16, text) for n, text in enumerate(texts)]


def test_texts_that_are_the_recorded_ones_pass() -> None:
    assert bad_blob(blobs()) is None


def test_a_changed_text_or_salt_is_named_by_its_digest() -> None:
    good = blobs()
    for index, (digest, salt, text) in enumerate(good):
        for bad in ((digest, salt, text + b"x"), (digest, bytes([salt[0] ^ 1]) + salt[1:], text)):
            assert bad_blob([*good[:index], bad, *good[index + 1 :]]) == digest


def ran(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Runs a copy of the file alone, with nothing of ours on the path and no site packages."""
    script = tmp_path / "verify.py"
    shutil.copy(verify.__file__, script)
    command = [sys.executable, "-I", "-S", str(script), *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PATH": os.defpath}, check=False
    )
    assert done.stderr == "" or done.returncode == 2
    return done.returncode, done.stdout


def test_the_script_accepts_an_export(tmp_path: Path) -> None:
    export = write_jsonl(tmp_path / "events.jsonl", ROWS)
    status, said = ran(tmp_path, str(export), "--chain", CHAIN, "--head", ROWS[-1][2].hex())
    assert (status, said) == (0, f"ok: {LENGTH} events of chain {CHAIN}, head {ROWS[-1][2].hex()}\n")


def test_the_script_takes_the_chain_from_the_first_event(tmp_path: Path) -> None:
    assert ran(tmp_path, str(write_jsonl(tmp_path / "events.jsonl", ROWS)))[0] == 0


def test_the_script_names_the_first_bad_event(tmp_path: Path) -> None:
    seq, made, digest = ROWS[41]
    export = write_jsonl(
        tmp_path / "events.jsonl", replaced(41, (seq, made.replace(b"seat:2", b"seat:3"), digest))
    )
    status, said = ran(tmp_path, str(export))
    assert status == 1
    assert said.startswith(f"bad event 42 of chain {CHAIN}: the hash of event 42")


def test_the_script_finds_a_cut_tail(tmp_path: Path) -> None:
    export = write_jsonl(tmp_path / "events.jsonl", ROWS[:-1])
    status, said = ran(tmp_path, str(export), "--head", ROWS[-1][2].hex())
    assert status == 1
    assert f"bad event {LENGTH} " in said


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b'{"seq": 3}',
        b'{"seq": 3, "body": 5, "hash": 7}',
        b'{"seq": 3, "body": "{}", "hash": "zz"}',
        b'{"seq": "3", "body": "\\ud800", "hash": ""}',
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_the_script_survives_a_damaged_line_and_says_where(tmp_path: Path, line: bytes) -> None:
    export = write_jsonl(tmp_path / "events.jsonl", ROWS[:5])
    kept = export.read_bytes().splitlines()
    for place in (0, 2):
        export.write_bytes(b"\n".join([*kept[:place], line, *kept[place + 1 :]]) + b"\n")
        status, said = ran(tmp_path, str(export))
        assert status == 1
        assert f"event {place + 1} " in said or f"line {place + 1} " in said, said


def test_the_script_checks_texts_on_request(tmp_path: Path) -> None:
    export = write_jsonl(tmp_path / "events.jsonl", ROWS[:3])
    texts = tmp_path / "blobs.jsonl"
    good = [
        {"sha256": digest, "salt": salt.hex(), "bytes": base64.b64encode(data).decode()}
        for digest, salt, data in blobs()
    ]
    texts.write_text("\n".join(map(json.dumps, good)))
    assert ran(tmp_path, str(export), "--blobs", str(texts))[0] == 0
    texts.write_text(json.dumps(good[0] | {"bytes": base64.b64encode(b"forged").decode()}))
    status, said = ran(tmp_path, str(export), "--blobs", str(texts))
    assert status == 1
    assert good[0]["sha256"] in said


def test_the_script_exits_2_where_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert ran(tmp_path, str(tmp_path / "none.jsonl"))[0] == 2
    assert ran(tmp_path)[0] == 2


def test_the_verifier_is_one_short_file_of_the_standard_library() -> None:
    source = Path(verify.__file__).read_text(encoding="utf-8")
    imported = {
        line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names
    assert len(source.splitlines()) <= 300


def test_hashing_is_sha_256_over_raw_bytes() -> None:
    made = body(entry(1))
    assert (
        ROWS[0][2]
        == hashlib.sha256(hashlib.sha256(b"nsed-trail-v1" + CHAIN.encode()).digest() + made).digest()
    )
