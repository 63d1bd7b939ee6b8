"""Exact arithmetic for the simulated experts: reads a question, works it out, knows the likely slips.

Nothing is executed: the text is parsed, and only numbers, + - * / // % **, signs and parentheses count.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

# Bounds that keep a hostile question cheap; anything beyond is "not arithmetic" to an expert.
LONGEST_CHARS = 300
MOST_NODES = 80
MOST_BITS = 2048

NUMBER = r"(?:\d+(?:\.\d+)?)"
TERM = rf"(?:{NUMBER}|\([^()]*\))"
WORDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
        (r"[×·∙⋅✕]", "*"),
        (r"÷", "/"),
        (r"[−–—]", "-"),
        (r"(?<=[\d)])(?<!\b0)\s*x\s*(?=[\d(])", "*"),  # but 0x10 is no product
        (r"\^", "**"),
        (r"\bpercent\b", "%"),
        (rf"({TERM})\s*%\s*of\s*({TERM})", r"(\1/100*\2)"),
        (rf"\bhalf of ({TERM})", r"(\1/2)"),
        (rf"\bsum of ({TERM}) and ({TERM})", r"(\1+\2)"),
        (rf"\bproduct of ({TERM}) and ({TERM})", r"(\1*\2)"),
        (rf"\bdifference (?:of|between) ({TERM}) and ({TERM})", r"(\1-\2)"),
        (rf"\bquotient of ({TERM}) and ({TERM})", r"(\1/\2)"),
        (rf"\bsquare of ({TERM})", r"(\1**2)"),
        (r"\bto the power of\b", "**"),
        (r"\bsquared\b", "**2"),
        (r"\bcubed\b", "**3"),
        (r"\bplus\b", "+"),
        (r"\bminus\b", "-"),
        (r"\b(?:times|multiplied by)\b", "*"),
        (r"\b(?:divided by|over)\b", "/"),
        (r"\b(?:modulo|mod)\b", "%"),
    )
)
AROUND = frozenset(
    re.findall(
        r"\w+",
        "a an and answer are as by calculate can compute could do does equal equals evaluate exact exactly "
        "expression final find following for give how i in integer is it just know made me much need number "
        "of only out please reply result s show simplify single solve step steps tell that the this to value "
        "want what whats with work would you your",
    )
)
EXPRESSION = re.compile(r"[\d(+\-][\d\s.()+\-*/%]*[\d)]")
OPERATIONS: dict[type[ast.operator], tuple[str, Callable[[Fraction, Fraction], Fraction | int]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
}


class NotArithmetic(ValueError):
    """The text is no arithmetic that an expert works out: other words, division by zero, too large."""


@dataclass(frozen=True)
class Worked:
    """A question worked out. steps: "17 * 23 = 391", one operation each, in order; at least one."""

    value: Fraction
    steps: tuple[str, ...]
    slips: tuple[Fraction, ...]  # what a hasty reckoner may get instead; never the value itself


def work_out(task: str) -> Worked:
    """Works the task out. Raises NotArithmetic."""
    steps: list[Step] = []
    value = evaluate(parse(task), steps=steps)
    if not steps:
        raise NotArithmetic("there is nothing to work out")
    return Worked(value, tuple(step.text() for step in steps), slips_of(steps[-1]))


@dataclass(frozen=True)
class Step:
    """One operation on two numbers."""

    left: Fraction
    sign: str
    right: Fraction
    value: Fraction

    def text(self) -> str:
        return f"{shown(self.left)} {self.sign} {shown(self.right)} = {shown(self.value)}"


def parse(task: str) -> ast.expr:
    """The one expression in the task, where all other words merely ask for its value."""
    text = task.casefold()
    if len(text) > LONGEST_CHARS:
        raise NotArithmetic("the text is too long")
    for pattern, by in WORDINGS:
        text = pattern.sub(by, text)
    found = max(EXPRESSION.findall(text), key=len, default="")
    if not set(re.findall(r"\w+", text.replace(found, " ", 1))) <= AROUND:
        raise NotArithmetic("the text asks for more than a value")
    try:
        tree = ast.parse(" ".join(found.split()), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise NotArithmetic("the text holds no expression") from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise NotArithmetic("the expression is too long")
    return tree.body


def evaluate(node: ast.expr, *, steps: list[Step]) -> Fraction:
    """The exact value; every operation is appended to `steps`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return bounded(Fraction(repr(node.value)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = evaluate(node.operand, steps=steps)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = evaluate(node.left, steps=steps), evaluate(node.right, steps=steps)
        sign, value = apply(node.op, left, right)
        steps.append(Step(left, sign, right, value))
        return value
    raise NotArithmetic("the text holds something that is no arithmetic")


def apply(operation: ast.operator, left: Fraction, right: Fraction) -> tuple[str, Fraction]:
    if isinstance(operation, ast.Pow):
        return "^", power(left, right)
    if type(operation) not in OPERATIONS:
        raise NotArithmetic("the text holds something that is no arithmetic")
    sign, function = OPERATIONS[type(operation)]
    if right == 0 and sign in ("/", "//", "%"):
        raise NotArithmetic("division by zero")
    return sign, bounded(Fraction(function(left, right)))


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Whole exponents alone, and only where the result stays small: its size is known beforehand."""
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if exponent.denominator != 1 or abs(exponent) * size > MOST_BITS or (base == 0 and exponent < 0):
        raise NotArithmetic("the power is not whole, too large or of zero")
    return bounded(base**exponent.numerator)


def bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise NotArithmetic("the numbers are too large")
    return value


def slips_of(step: Step) -> tuple[Fraction, ...]:
    """Plausible wrong results of the last operation: a lost carry, one factor off, digits swapped."""
    value = step.value
    near = [value + 10, value - 10, value - 1, value + 1, swapped(value)]
    if step.sign == "*":
        near += [value + step.left, value - step.right]
    reach = max(abs(value) / 2, Fraction(1))
    return tuple(dict.fromkeys(slip for slip in near if 0 < abs(slip - value) <= reach))


def swapped(value: Fraction) -> Fraction:
    """Its last two digits exchanged; the value itself where it is not whole or has one digit."""
    digits = str(abs(value.numerator))
    if value.denominator != 1 or len(digits) < 2:
        return value
    exchanged = int(digits[:-2] + digits[-1] + digits[-2])
    return Fraction(exchanged if value > 0 else -exchanged)


def shown(value: Fraction) -> str:
    """A whole number, an exact decimal where there is a short one, else a fraction in lowest terms."""
    if value.denominator == 1:
        return str(value.numerator)
    places = decimal_places(value.denominator)
    if places is None or places > 12:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def decimal_places(denominator: int) -> int | None:
    """How many decimal places 1/denominator needs, None where it never ends."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None
