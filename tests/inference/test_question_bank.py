import pytest

from broker.inference.expertise import same
from broker.inference.question_bank import BANK, Question, find


def test_the_bank_is_small_but_not_tiny() -> None:
    assert 35 <= len(BANK) <= 50


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.wordings[0])
def test_each_question_is_found_under_all_its_wordings_and_its_answers_differ(question: Question) -> None:
    assert all(find(wording) is question for wording in question.wordings)
    answers = (question.right, *question.wrong)
    assert len(question.wrong) in (1, 2, 3)
    assert not any(same(one, other) for one in answers for other in answers if one is not other)
    assert question.why.endswith(".")


@pytest.mark.parametrize(
    "asked",
    [
        "WHAT IS THE CAPITAL OF AUSTRALIA",
        " what is the capital of australia ?!",
        "Please: capital of Australia",
    ],
)
def test_case_punctuation_and_articles_do_not_count(asked: str) -> None:
    question = find(asked)
    assert question is not None
    assert question.right == "Canberra"


@pytest.mark.parametrize(
    "asked", ["", "What is the capital of Atlantis?", "capital", "What is 5?", "Why is 91 a prime number?"]
)
def test_another_question_is_not_taken_for_one_of_these(asked: str) -> None:
    assert find(asked) is None
