"""The tokens of the look as they stand in tokens.css, and the contrast of each pair of colours that meet on a page."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders

SHEETS = ("vendor/open-props-1.7.23/open-props.min.css", "css/tokens.css")
TEXT, SHAPE = 4.5, 3.0  # the least contrast, by WCAG 2.2: of text, and of marks and lines that mean something
RGB = tuple[float, float, float]

GROUNDS = ("ground", "surface", "surface-2")
SCALE = (*(f"favour-{i}" for i in range(1, 5)), *(f"against-{i}" for i in range(1, 5)), "neutral")
# What stands on what, and the least contrast that it needs.
PAIRS: tuple[tuple[str, str, float], ...] = (
    *((text, ground, TEXT) for text in ("text-1", "text-2", "text-3", "accent") for ground in GROUNDS),
    *((tone, f"{tone}-soft", TEXT) for tone in ("accent", "wait", "loss", "good")),
    *((tone, "surface", TEXT) for tone in ("wait", "loss", "good", "favour-text", "against-text")),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("on-loss", "loss", TEXT),
    *(("on-scale", step, TEXT) for step in SCALE),
    *((mark, "surface", SHAPE) for mark in ("line-strong", "focus", "chart-line", "chart-favour", "chart-against")),
    ("chart-threshold", "surface", SHAPE),
)  # fmt: skip


@dataclass(frozen=True)
class Contrast:
    """One colour on another: the ratio in light and in dark, from 1 to 21, and the least that is needed."""

    front: str
    back: str
    light: float
    dark: float
    least: float


def _place(name: str) -> Path:
    found = finders.find(name)
    if found is None:
        raise FileNotFoundError(name)
    return Path(found)


@cache
def declared() -> dict[str, str]:
    """Every custom property of the two sheets as it is written there; the later sheet counts."""
    found: dict[str, str] = {}
    for sheet in SHEETS:
        text = re.sub(r"/\*.*?\*/", "", _place(sheet).read_text(), flags=re.DOTALL)
        found |= {name: value.strip() for name, value in re.findall(r"--([\w-]+):([^;{}]+)", text)}
    return found


def own(prefix: str = "") -> tuple[str, ...]:
    """The names that tokens.css itself declares, in its order."""
    text = _place(SHEETS[-1]).read_text()
    return tuple(name for name in re.findall(r"--([\w-]+):", text) if name.startswith(prefix))


def colours() -> tuple[str, ...]:
    return tuple(
        name
        for name in own()
        if declared()[name].startswith("light-dark(") and "rgb(" not in declared()[name]
    )


@cache
def icons() -> tuple[str, ...]:
    """The names in the sprite, in its order."""
    sprite = next(_place("icons").glob("lucide-*.svg"))
    return tuple(re.findall(r'<symbol id="([^"]+)"', sprite.read_text()))


@cache
def colour(name: str, *, dark: bool) -> RGB:
    """Red, green and blue of a token, each in [0, 1]."""
    value = declared()[name]
    if value.startswith("light-dark("):
        light, _, night = value.removeprefix("light-dark(").removesuffix(")").partition(", ")
        value = night if dark else light
    if value.startswith("var("):
        return colour(value.removeprefix("var(--").removesuffix(")"), dark=dark)
    return _rgb(value.removeprefix("#"))


def _rgb(digits: str) -> RGB:
    """Of #abc or #aabbcc."""
    pairs = [each * 2 for each in digits] if len(digits) == 3 else [digits[i : i + 2] for i in (0, 2, 4)]
    red, green, blue = (int(pair, 16) / 255 for pair in pairs)
    return red, green, blue


def luminance(rgb: RGB) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(front: RGB, back: RGB) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    low, high = sorted((luminance(front), luminance(back)))
    return (high + 0.05) / (low + 0.05)


@cache
def contrasts() -> tuple[Contrast, ...]:
    return tuple(Contrast(front, back, *_both(front, back), least) for front, back, least in PAIRS)


def _both(front: str, back: str) -> tuple[float, float]:
    light, dark = (ratio(colour(front, dark=dark), colour(back, dark=dark)) for dark in (False, True))
    return light, dark
