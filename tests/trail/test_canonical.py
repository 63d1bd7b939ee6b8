import json
import math
import string

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from deliberation.trail.canonical import canonical_bytes, encode
from deliberation.trail.verify import canonical

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
KEYS = st.text(alphabet=string.ascii_letters + string.digits + '_.-\x00\x7f"\\', max_size=8)
INTEGERS = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
LEAVES = st.none() | st.booleans() | INTEGERS | TEXTS


def trees(leaves: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)
    )


@given(trees(LEAVES))
def test_bytes_are_those_of_rfc_8785(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(trees(LEAVES))
def test_writer_and_verifier_agree_on_the_bytes_without_sharing_code(value: object) -> None:
    assert canonical({"v": value}) == canonical_bytes({"v": value})


@given(trees(LEAVES))
def test_reading_the_bytes_gives_the_value_back(value: object) -> None:
    assert json.loads(canonical_bytes(value)) == value


def test_keys_are_sorted_and_nothing_is_escaped_that_need_not_be() -> None:
    value = {"b": 1, "a": "é\u2028/\x1f\n", "B": [True, None]}
    assert canonical_bytes(value) == '{"B":[true,null],"a":"é\u2028/\\u001f\\n","b":1}'.encode()


@pytest.mark.parametrize("value", [0.0, 1.5, math.nan, math.inf, -0.0, 1e300])
def test_a_float_is_refused_wherever_it_stands(value: float) -> None:
    for holder in (value, [value], {"a": {"b": [1, value]}}):
        with pytest.raises(TypeError, match="float"):
            canonical_bytes(holder)


def test_the_refusal_names_the_place() -> None:
    with pytest.raises(TypeError, match=r"\$\.payload\.weights\[1\]"):
        canonical_bytes({"payload": {"weights": [1, 2.0]}})


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), 1j])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical_bytes(value)


def test_keys_that_are_no_strings_or_not_ascii_are_refused() -> None:
    with pytest.raises(TypeError, match="a key is int"):
        canonical_bytes({1: "a"})
    with pytest.raises(ValueError, match="not ASCII"):
        canonical_bytes({"naïve": 1})


@pytest.mark.parametrize("value", [2**53, -(2**53), 10**30])
def test_an_integer_of_two_to_the_53_or_more_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=r"2\^53"):
        canonical_bytes([value])


def test_the_largest_integers_pass() -> None:
    assert canonical_bytes([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_a_lone_surrogate_is_refused_with_where_it_belongs(value: str) -> None:
    with pytest.raises(ValueError, match="put it in a blob"):
        canonical_bytes({"text": value})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_an_encoded_float_comes_back_exactly(value: float) -> None:
    back = float(encode(value))
    assert back == value
    assert math.copysign(1, back) == math.copysign(1, value)


@given(trees(LEAVES | st.floats(allow_nan=False, allow_infinity=False)))
def test_every_encoded_value_has_canonical_bytes(value: object) -> None:
    assert canonical_bytes(encode(value)) == rfc8785.dumps(encode(value))


def test_encode_reaches_every_depth_and_leaves_the_rest_alone() -> None:
    value = {"a": (1, 2.5, [True, 1e-07]), "b": {"c": -0.0, "d": None, "e": "x"}}
    assert encode(value) == {"a": [1, "2.5", [True, "1e-07"]], "b": {"c": "-0.0", "d": None, "e": "x"}}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_encode_refuses_what_has_no_decimal_form(value: float) -> None:
    with pytest.raises(ValueError, match="unknown number is None"):
        encode({"conviction": value})
