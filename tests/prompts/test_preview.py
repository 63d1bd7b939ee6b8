"""The readable text of a reply that is still arriving."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.prompts.preview import preview


@pytest.mark.parametrize(
    ("partial", "readable"),
    [
        ("", ""),
        ("{", ""),
        ('{"reas', ""),
        ('{"reasoning"', ""),
        ('{"reasoning":', ""),
        ('{"reasoning": "', ""),
        ('{"reasoning": "First', "First"),
        ('{"reasoning": "First"', "First"),
        ('{"reasoning": "First", "answer": "Th', "First\n\nTh"),
        ('{"answer": "Th', "Th"),
        ('{"answer": "a\\nb\\t\\"c\\" \\/ \\\\ d', 'a\nb\t"c" / \\ d'),
        ('{"answer": "a\\', "a"),
        ('{"answer": "a\\\\', "a\\"),
        ('{"answer": "a\\u', "a"),
        ('{"answer": "a\\u00', "a"),
        ('{"answer": "caf\\u00e9', "café"),
        ('{"answer": "a \\ud83d', "a"),
        ('{"answer": "a \\ud83d\\ude00', "a \U0001f600"),
        ('{"answer": "a \\ude00 b', "a  b"),
        ('{"answer": "a\\u0000b', "a\ufffdb"),
        ('{"answer": null, "confidence": 0.', ""),
        ('{"answer": 391', ""),
        ('{"answer": ["a", "b', ""),
        ('```json\n{"answer": "in a fence', "in a fence"),
        ('Sure, "here" it is: {"answer": "after talk', "after talk"),
        ('<think>hmm {"answer": "draft', ""),
        ('<think>hmm</think>{"answer": "final', "final"),
        ('{"reasoning": "say \\"answer\\": \\"x\\"", "answer": "y', 'say "answer": "x"\n\ny'),
        ('{"final_answer": "391", "claims": [{"text": "c"}]}', ""),
        ('{"answer": "raw\nline', "raw\nline"),
        (r'{"answer": "\frac{1}{2} \sqrt{2} \underline{x}', r"\frac{1}{2} \sqrt{2} \underline{x}"),
        ("no JSON at all", ""),
        ("'answer': 'single'", ""),
    ],
)
def test_it_is_what_can_be_read_so_far(partial: str, readable: str) -> None:
    assert preview(partial) == readable


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])), st.booleans())
def test_at_the_end_it_is_the_whole_answer(answer: str, ascii_only: bool) -> None:
    reply = json.dumps({"answer": answer, "final_answer": None}, ensure_ascii=ascii_only)
    assert preview(reply).replace("\ufffd", "") == answer.strip().translate(
        dict.fromkeys([*range(0xE0000, 0xE0080), 0xFFFD])
    )


@given(st.text(alphabet='ab\\"\n\u00e9\U0001f600', max_size=30), st.data())
def test_it_only_grows_as_the_reply_arrives(answer: str, data: st.DataObject) -> None:
    reply = json.dumps({"reasoning": "r", "answer": answer})
    cut = data.draw(st.integers(0, len(reply)))
    assert preview(reply).startswith(preview(reply[:cut]).rstrip())


@given(st.text(max_size=100))
def test_no_text_makes_it_fail(partial: str) -> None:
    assert preview(partial).encode("utf-8") is not None


@given(st.text(alphabet='{}[]":,\\ua0', max_size=60))
def test_no_scraps_of_json_make_it_fail(partial: str) -> None:
    assert preview('{"answer": "' + partial).encode("utf-8") is not None
