"""Which answers are the same answer (protocol.md 4, equivalence classes)."""

import pytest

from deliberation.protocol.equivalence import classes_of, normalise
from deliberation.protocol.types import Proposal

SAME = {
    "exact": [["391", " 391 ", "391\n"], ["a  b", "a\tb"], ["é", "e\u0301"]],
    "number": [
        ["391", "391.0", "391.", "3.91e2", "3.91 × 10^2", "3.91*10^{2}", "x = 391", "= 391", "0391", "+391"],
        ["1/2", "0.5", ".5", "50 %", "50\\%", "½", "2/4", "5e-1"],
        ["1,234", "1234", "$1,234", "$1,234.00"],
        ["-5", "−5", "- 5", "–5"],
        ["0", "-0", "0.000"],
    ],
    "latex_math": [
        [r"\frac{1}{2}", r"$\dfrac12$", "0.5", r"\boxed{\tfrac{1}{2}}", r"50\%", "1/2"],
        [r"\frac{\pi}{2}", r"\pi/2", "π/2", r"\left.\frac{\pi}{2}\right."],
        [r"\sqrt2", r"\sqrt{2}", r"\( \sqrt{2} \)"],
        ["(1, 2)", r"\left( 1,\, 2 \right)", "(1,2)"],
        [r"5\text{ cm}", "5", "x=5", r"5\,\mathrm{cm}^2", "5."],
        [r"90^\circ", r"90^{\circ}", "90°", "90"],
        [r"\text{Evelyn}", "Evelyn", r"\textbf{Evelyn}"],
        [r"x^{2}+1", "x^2 + 1", r"f(x)=x^2+1"],
        [r"1{,}234", "1,234", r"1\,234"],
        [r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"],
        [r"x \le 3", r"x\leq 3"],
    ],
    "choice": [
        ["B", "b", "(b)", "B.", "B)", "**B**", r"\boxed{B}", r"\text{(B)}", "Answer: B",
         "The correct answer is B.",
         "option b", "B) because it is so", "B: 42", "B - foo"],
    ],
    "json": [
        ['{"a": 1, "b": [true, null]}', '{"b":[true,null],"a":1.0}', '{"b":[true,null],"a":1e0}'],
        ['"a"', ' "\\u0061" '],
    ],
}  # fmt: skip
DIFFERENT = {
    "exact": ["Paris", "paris", "Paris."],
    "number": ["391", "-391", "0.333", "1/3", "3.91"],
    "latex_math": [r"\sqrt{2}", "2", "(1,2)", "(2,1)", r"\frac{1}{3}", "x^2", "x_2", "Evelyn", "Briana"],
    "choice": ["A", "B", "C"],
    "json": ["1", '"1"', '"n1"', "true", "null", "[1]", '{"a":1}', '{"a":"1"}', '{"a":[1]}'],
}
UNREADABLE = {
    "number": ["a dozen", "12 cm", "1½", "10²", "1 234", "1 1/2", "3 4", "NaN", "inf", "1e999", "1/0",
        "1/2/3", "9" * 500],
    "choice": ["A dog", "AB", "none of them", "42", "B or C"],
    "json": ["NaN", "Infinity", "{", "{'a': 1}", '{"a":1,"a":2}', "[" * 100_000 + "]" * 100_000, "1e999999",
        "01"],
    "none": ["391"],
    "exact": ["", "  ", "\n"],
    "latex_math": ["", "$$"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "answers"), [(kind, group) for kind, groups in SAME.items() for group in groups]
)
def test_the_same_answer_in_other_words(kind: str, answers: list[str]) -> None:
    keys = {answer: normalise(kind, answer) for answer in answers}
    assert None not in keys.values(), keys
    assert len(set(keys.values())) == 1, keys


@pytest.mark.parametrize(("kind", "answers"), DIFFERENT.items())
def test_different_answers_stay_apart(kind: str, answers: list[str]) -> None:
    keys = {answer: normalise(kind, answer) for answer in answers}
    assert len(set(keys.values())) == len(answers), keys


@pytest.mark.parametrize(
    ("kind", "answer"), [(kind, answer) for kind, answers in UNREADABLE.items() for answer in answers]
)
def test_what_cannot_be_read_is_not_guessed_at(kind: str, answer: str) -> None:
    assert normalise(kind, answer) is None


def test_classes_hold_equal_answers_and_leave_the_rest_alone() -> None:
    answers = {4: "7", 1: "7.0", 2: None, 3: "seven", 5: None, 6: "8"}
    classes = classes_of([Proposal(each, each, text) for each, text in answers.items()], kind="number")
    assert [(group.key, group.members) for group in classes] == [
        ("7", (1, 4)), (None, (2,)), (None, (3,)), (None, (5,)), ("8", (6,)),
    ]  # fmt: skip
