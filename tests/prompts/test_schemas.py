"""The reply schemas lie in the subset that OpenAI-compatible servers accept as strict, and the words say
the same.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from deliberation.prompts import fields, propose, review
from deliberation.prompts.schema import in_words

SCHEMAS = {"propose": propose.SCHEMA, "review": review.schema(["A", "B", "C"])}
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "description"}


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from parts(inner)
    if "items" in schema:
        yield from parts(schema["items"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_only_keywords_of_the_strict_subset_are_used(name: str) -> None:
    for part in parts(SCHEMAS[name]):
        assert part.keys() <= KEYWORDS


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_object_is_closed_and_requires_all_of_its_properties(name: str) -> None:
    objects = [part for part in parts(SCHEMAS[name]) if part["type"] == "object"]
    assert objects
    for part in objects:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_may_be_missing_is_nullable_and_an_enum_lists_null(name: str) -> None:
    for part in parts(SCHEMAS[name]):
        if isinstance(part["type"], list):
            assert part["type"][1:] == ["null"]
            assert None in part.get("enum", [None])
        elif "enum" in part:
            assert None not in part["enum"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_words_name_every_field_of_the_schema(name: str) -> None:
    words = in_words(SCHEMAS[name])
    for part in parts(SCHEMAS[name]):
        for field, shape in part.get("properties", {}).items():
            assert f"- {field} (" in words
            assert shape["description"] in words


def test_the_fields_are_those_that_the_parsers_read() -> None:
    review_shape = SCHEMAS["review"]["properties"]["reviews"]["items"]["properties"]
    assert propose.SCHEMA["properties"].keys() == fields.PROPOSAL.keys()
    assert propose.SCHEMA["properties"]["addressed"]["items"]["properties"].keys() == fields.ADDRESSED.keys()
    assert SCHEMAS["review"]["properties"].keys() == fields.BALLOT.keys()
    assert review_shape.keys() == fields.REVIEW.keys()
    assert review_shape["claims"]["items"]["properties"].keys() == fields.VERDICT.keys()
    assert tuple(review_shape["categories"]["properties"]) == review.CATEGORIES


def test_a_weight_is_asked_for_after_the_verdicts_that_it_rests_on() -> None:
    order = list(SCHEMAS["review"]["properties"]["reviews"]["items"]["properties"])
    assert order.index("claims") < order.index("justification") < order.index("weight")
    assert list(propose.SCHEMA["properties"])[0] == "reasoning"
