"""JSON that remembers its lines: it reads what json reads, and says where something is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.services.portable_json import BadFile, read


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{", 1),
        ('{\n "a": 1,\n "a": 2}', 3),
        ("[1,\n2,\n]", 3),
        ("{}x", 1),
        ('{"a": NaN}', 1),
        ("[" * 99, 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(BadFile) as refusal:
        read(text)
    assert refusal.value.line == line


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from([None, 1, 2]),
)
def test_it_reads_what_json_reads(value: Any, indent: int | None) -> None:
    assert read(json.dumps(value, indent=indent)).value == value


def test_each_value_knows_its_line() -> None:
    document = read('{\n "a": [\n  1,\n  {"b":\n   2}\n ]\n}')

    assert document.lines[("a", 1, "b")] == 5
    assert str(document.bad("no.", ("a", 1, "c"))) == "Line 4, a[1].c: no."
