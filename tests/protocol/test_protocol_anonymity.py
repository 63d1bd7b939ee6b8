"""Labels and scrubbing (protocol.md 2, anonymity)."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.anonymity import commitment, label, label_order, labels, scrub, secret_from_seed
from tests.protocol.rounds import LAWS, SECRET

NAMES = ("Qwen", "qwen2.5-7b-instruct", "GPT-4", "OpenAI", "Alibaba Cloud", "Llama", "Mistral Large")


def test_the_secret_of_a_seed_and_its_commitment() -> None:
    assert secret_from_seed(7) == hashlib.sha256(b"nsed7").digest()
    assert commitment(SECRET) == hashlib.sha256(SECRET).hexdigest()


def test_labels_go_on_after_z() -> None:
    assert [label(n) for n in (0, 1, 25, 26, 27, 51, 52, 701, 702)] == [
        "A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


def test_anybody_can_check_the_order() -> None:
    """Recomputed from the formula, with nothing of ours."""
    for reviewer in (1, 2, 3):
        others = [seat for seat in (1, 2, 3, 4, 5) if seat != reviewer]
        order = sorted(
            others, key=lambda j: hmac.new(SECRET, f"2/{reviewer}/{j}".encode(), "sha256").digest()
        )
        assert label_order(SECRET, round=2, reviewer=reviewer, seats=[1, 2, 3, 4, 5]) == order


@LAWS
@given(
    st.binary(min_size=32, max_size=32),
    st.integers(1, 9),
    st.lists(st.integers(1, 40), min_size=2, unique=True),
)
def test_every_other_seat_has_one_label_whatever_the_order_of_seats(secret, round, seats) -> None:
    found = labels(secret, round=round, reviewer=seats[0], seats=seats)
    assert sorted(found.values()) == sorted(seats[1:])
    assert list(found) == [label(n) for n in range(len(seats) - 1)]
    assert found == labels(secret, round=round, reviewer=seats[0], seats=reversed(seats))


def test_reviewers_and_rounds_have_orders_of_their_own() -> None:
    orders = {
        (round, reviewer): tuple(label_order(SECRET, round=round, reviewer=reviewer, seats=range(1, 9)))
        for round in (1, 2, 3)
        for reviewer in (9, 10, 11)
    }
    assert len(set(orders.values())) == 9


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("As Qwen, I think 391.", "As a participant, I think 391."),
        ("As Qwen2.5-7B-Instruct, I think so.", "As a participant, I think so."),
        ("As GPT-4 I cannot know.", "As a participant I cannot know."),
        ("I am Qwen, created by Alibaba Cloud.", "I am a participant, created by a participant."),
        ("I'm GPT-4. The answer is 7.", "I'm a participant. The answer is 7."),
        ("I’m Mistral Large and I say 7.", "I’m a participant and I say 7."),
        ("My name is Llama 3.1 and I say 7.", "My name is a participant and I say 7."),
        ("Speaking as Llama, my view is 7.", "Speaking as a participant, my view is 7."),
        ("Well, as Qwen, I disagree.", "Well, as a participant, I disagree."),
        ("I, Qwen, disagree.", "I, a participant, disagree."),
        ("As an AI model trained by OpenAI, I add.", "As an AI model trained by a participant, I add."),
        ("Qwen: the answer is 7", "a participant: the answer is 7"),
        ("**Llama**: the answer is 7", "**a participant**: the answer is 7"),
        ("The answer is 7.\n\n— Qwen", "The answer is 7.\n\n— a participant"),
    ],
)  # fmt: skip
def test_self_identification_is_scrubbed(text: str, clean: str) -> None:
    assert scrub(text, NAMES) == (clean, text.count("Qwen, created") + 1)


@pytest.mark.parametrize(
    "text",
    [
        "Qwen and GPT-4 are language models; OpenAI made the second.",
        "The llama is an animal, and I like it.",
        "Animals such as llama, which I like, are camelids.",
        "The task names OpenAI, Alibaba Cloud and Llama.",
        "I am qwenching my thirst.",
        "I am Llama's keeper.",
        "Compare alpaca - Llama",
        "def Llama(x): return x",
        "",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert scrub(text, NAMES) == (text, 0)


def test_without_names_nothing_is_scrubbed() -> None:
    assert scrub("As Qwen, I think 391.", ()) == ("As Qwen, I think 391.", 0)
    assert scrub("As , I think.", ("", "  ")) == ("As , I think.", 0)


@LAWS
@given(st.text(), st.lists(st.text(min_size=1, max_size=8), max_size=3))
def test_scrubbing_never_fails_whatever_the_names(text, names) -> None:
    clean, count = scrub(text, names)
    assert (clean == text) == (count == 0) or "a participant" in text
