"""Numbers and times as the screens write them. Unknown is None and reads "-"; it is never 0."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from math import ceil

UNKNOWN = "-"
MINUS = "\u2212"


def signed(value: float | None, *, digits: int = 2) -> str:
    """A number with its sign, without the zero before the point: +.54, −.31, +12.00, and 0 for nothing."""
    if value is None:
        return UNKNOWN
    digits_text = _bare(abs(value), digits=digits)
    if not digits_text.strip("0."):
        return "0"
    return ("+" if value > 0 else MINUS) + digits_text


def number(value: float | None, *, digits: int = 2) -> str:
    """A number that is never meant as a change: .54, −.31, 12.00."""
    if value is None:
        return UNKNOWN
    digits_text = _bare(abs(value), digits=digits)
    return digits_text if value >= 0 or not digits_text.strip("0.") else MINUS + digits_text


def count(value: int | None) -> str:
    """A whole number with its thousands set off: 12,480."""
    return UNKNOWN if value is None else f"{value:,}"


def percent(share: float | None) -> str:
    """A share in [0, 1] as whole per cent: 80 %."""
    return UNKNOWN if share is None else f"{share * 100:.0f} %"


def money(usd: float | None) -> str:
    """US dollars: to the cent, below one cent two significant digits: $1,204.50, $0.18, $0.0042, $0.00."""
    if usd is None:
        return UNKNOWN
    if usd and abs(usd) < 0.01:
        places = max(4, 1 - int(f"{abs(usd):e}".partition("e")[2]))
        return f"${usd:.{places}f}"
    return f"${usd:,.2f}"


def money_up(usd: float | None) -> str:
    """An amount that is enough: rounded up in the fourth place, so that what is read can be typed."""
    if usd is None:
        return UNKNOWN
    enough = Decimal(repr(usd)).quantize(Decimal("0.0001"), rounding=ROUND_CEILING)
    whole, _, places = f"{enough:,f}".partition(".")
    return f"${whole}.{places.rstrip('0').ljust(2, '0')}"


def cost(usd: float | None, *, simulated: bool, none: str = "none (simulated)") -> str:
    """What calls cost. Simulated experts are not paid, so their 0 is a word and no sum: it says nothing of models."""
    return none if simulated and usd == 0 else money(usd)


def duration(seconds: float | None) -> str:
    """Elapsed or remaining time: 0.4 s, 12 s, 3:12, 1:02:09."""
    if seconds is None:
        return UNKNOWN
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def tone(value: float | None, *, steps: int = 4) -> str:
    """Step of a signed number in [-1, 1] on the diverging scale: against-4 .. neutral .. favour-4."""
    if value is None:
        return "unknown"
    if signed(value) == "0":
        return "neutral"
    step = min(steps, ceil(abs(value) * steps))
    return f"{'favour' if value > 0 else 'against'}-{step}"


def tick(value: float) -> str:
    """A number on an axis, as short as it can be: 0, .5, 1, −.25."""
    digits_text = f"{abs(value):.4f}".rstrip("0").rstrip(".")
    return (MINUS if value < 0 else "") + (digits_text.removeprefix("0") or "0")


def _bare(magnitude: float, *, digits: int) -> str:
    text = f"{magnitude:,.{digits}f}"
    return text.removeprefix("0") if digits else text
