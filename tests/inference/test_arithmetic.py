from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.inference.arithmetic import NotArithmetic, shown, work_out

CASES = [
    ("17*23", "391"),
    ("What is 17*23?", "391"),
    ("Please calculate 17 × 23.", "391"),
    ("17·23 =", "391"),
    ("What's 3 x 4?", "12"),
    ("15% of 80", "12"),
    ("What is 15 percent of 80?", "12"),
    ("sum of 3 and 4", "7"),
    ("What is the product of 12 and 12?", "144"),
    ("What is the difference between 9 and 14?", "-5"),
    ("12 squared plus 1", "145"),
    ("2^10", "1024"),
    ("2**10", "1024"),
    ("2 to the power of 10", "1024"),
    ("-5 + (3 - 8)*2", "-15"),
    ("10/4", "2.5"),
    ("1/3", "1/3"),
    ("10 divided by 4", "2.5"),
    ("10 // 3", "3"),
    ("-7 // 2", "-4"),
    ("17 % 5", "2"),
    ("17 mod 5", "2"),
    ("0.1 + 0.2", "0.3"),
    ("1,234,567 + 1", "1234568"),
    ("7 − 9", "-2"),
    ("2 + 3 * 4", "14"),
    ("(2 + 3) * 4", "20"),
    ("-2**2", "-4"),
    ("2**-2", "0.25"),
]
NOT_ARITHMETIC = [
    "",
    "5",
    "What is 5?",
    "Why is the sky blue?",
    "Which is larger, 17*23 or 400?",
    "What happened in 1914-1918?",
    "A train covers 60 * 2 km. How far is that?",
    "1/0",
    "1 % 0",
    "1 // 0",
    "0**-1",
    "2**0.5",
    "9**9**9",
    "2**99999999",
    "2**2000 * 2**2000",
    "+".join(["1"] * 100),
    "(" * 200 + "1+1" + ")" * 200,
    "1+" * 400 + "1",
    "__import__('os')",
    "1 if 1 else 2",
    "[1]*9",
    "1 << 4",
    "1 +",
    "2 + 2 and 3 + 3",
    "1e5 + 1",
    "0x10 + 1",
]


@pytest.mark.parametrize(("task", "value"), CASES)
def test_a_task_is_worked_out_exactly(task: str, value: str) -> None:
    assert shown(work_out(task).value) == value


@pytest.mark.parametrize("task", NOT_ARITHMETIC)
def test_everything_else_is_left_alone(task: str) -> None:
    with pytest.raises(NotArithmetic):
        work_out(task)


def test_the_steps_lead_to_the_value() -> None:
    assert work_out("What is 12 squared plus 1?").steps == ("12 ^ 2 = 144", "144 + 1 = 145")


@given(st.integers(-999, 999), st.sampled_from("+-*"), st.integers(0, 999))
def test_slips_are_plausible_and_never_right(left: int, sign: str, right: int) -> None:
    worked = work_out(f"{left} {sign} {right}")
    assert worked.value == {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert worked.slips
    assert worked.value not in worked.slips
    assert all(abs(slip - worked.value) <= max(abs(worked.value) / 2, Fraction(1)) for slip in worked.slips)


@given(st.fractions(max_denominator=10_000))
def test_a_value_is_shown_as_what_it_is(value: Fraction) -> None:
    assert Fraction(shown(value)) == value


@given(st.text(st.sampled_from("0123456789.+-*/%()^x ofsum,"), max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        worked = work_out(text)
    except NotArithmetic:
        return
    assert worked.steps
