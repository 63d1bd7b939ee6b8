"""How much of a reply is read, and how much work is spent on it."""

import pytest

from deliberation.prompts.base import MalformedReply
from deliberation.prompts.decoding import Limits, completed, depth_end, load
from deliberation.prompts.reading import read
from deliberation.prompts.repairing import Exhausted, Metered, repaired

LIMITS = Limits()


def anything(value: object) -> bool:
    return value is not None


def test_a_reply_is_read_up_to_its_bytes_and_no_further() -> None:
    assert read(b'{"a": 1}', wanted=anything, limits=Limits(bytes=8)).value == {"a": 1}
    with pytest.raises(MalformedReply, match="9 bytes; at most 8"):
        read(b'{"a": 12}', wanted=anything, limits=Limits(bytes=8))


def test_a_value_is_read_down_to_its_depth_and_no_further() -> None:
    assert load("[" * 5 + "]" * 5, limits=Limits(depth=5)) == [[[[[]]]]]
    assert load("[" * 6 + "]" * 6, limits=Limits(depth=5)) is None


def test_brackets_inside_strings_are_no_depth() -> None:
    text = '{"a": "' + "[{" * 500 + '\\"' + "[" * 500 + '"}'
    assert depth_end(text, limits=LIMITS) == (len(text), "closed")
    assert isinstance(load(text, limits=LIMITS), dict)


@pytest.mark.parametrize(
    ("text", "how"), [("[[", "open"), ('{"a": "', "open"), ("[" * 41, "deep"), ("[]]", "closed")]
)
def test_how_a_text_ends(text: str, how: str) -> None:
    assert depth_end(text, limits=LIMITS)[1] == how


@pytest.mark.parametrize(
    ("text", "value", "is_partial"),
    [
        ('{"a": [1, {"b": "c', {"a": [1, {"b": "c"}]}, True),
        ('{"a": [1, {"b": "c"', {"a": [1, {"b": "c"}]}, False),
        ('{"a": 1, "b": 2', {"a": 1}, False),
        ('{"a": 1, "b": tru', {"a": 1}, False),
        ('{"a": 1, "b": true,', {"a": 1, "b": True}, False),
        ('{"a": 1, "b": ', {"a": 1}, False),
        ('{"a": 1, "b', {"a": 1}, False),
        ('{"a": "x, y", "b": "\\', {"a": "x, y", "b": ""}, True),
        ('{"a": "x\\\\', {"a": "x\\"}, True),
        ('{"a": "x\\u12', {"a": "x"}, True),
        ('{"a": 1', None, False),
        ("{", {}, False),
    ],
)
def test_a_text_that_was_cut_off_is_completed(text: str, value: object, is_partial: bool) -> None:
    assert completed(text, limits=LIMITS) == (value, is_partial)


def test_the_repair_library_may_look_so_often_and_no_more() -> None:
    broken = "{'a': 'it is b', 'c': 1}"
    assert repaired(broken, limits=LIMITS) == ({"a": "it is b", "c": 1}, False)
    with pytest.raises(MalformedReply, match="could not be repaired"):
        repaired(broken, limits=Limits(repair_looks=10))


def test_a_look_at_a_long_part_costs_more_than_one_at_a_character() -> None:
    text = Metered("x" * 6_400)
    text.looks_left = 102
    assert len(text[:]) == 6_400
    assert text[0] == "x"
    with pytest.raises(Exhausted):
        text[0]


def test_the_repair_library_gets_no_long_and_no_deep_texts() -> None:
    for limits in (Limits(repair_chars=5), Limits(depth=1)):
        with pytest.raises(MalformedReply, match="too long or too deeply nested"):
            repaired("{'a': {'b': 1}}", limits=limits)


@pytest.mark.parametrize(
    "broken",
    [
        "{'a': 1, 'a': 2}",
        "[{'a': 1, 'a': 2}]",
        "{a: 1, a: 2}",
        "{'b': {'a': 1, 'a': 2}}",
        "{'a': 1 'a': 2}",
    ],
)
def test_a_key_that_comes_twice_in_a_damaged_text_is_refused(broken: str) -> None:
    with pytest.raises(MalformedReply, match="a key twice"):
        repaired(broken, limits=LIMITS)
