"""Template filters and tags of every screen, `{% load screens %}`: they return safe HTML or plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from deliberation import formats, rendering

register = template.Library()

# As in a text's own Markdown: $5 and $6 are money, since a formula ends at no space and before no digit.
FORMULA = re.compile(r"\$\$?(?![\s$])[^$\n]{1,200}(?<![\s\\])\$\$?(?!\d)|\\\([^\n]{1,200}?\\\)")
SPRITE = "icons/lucide-1.62.0.svg"
# One shape for each seat, repeating after six; with the letter no two seats below 27 look alike.
SHAPES = (
    '<circle cx="12" cy="12" r="11"/>',
    '<rect x="1.5" y="1.5" width="21" height="21" rx="3"/>',
    '<path d="M12 .5 23.5 12 12 23.5 .5 12Z"/>',
    '<path d="M6.5 2h11l6 10-6 10h-11l-6-10Z"/>',
    '<path d="M12 .7 23.6 9.2 19.2 22.8H4.8L.4 9.2Z"/>',
    '<path d="M12 1 23 7.5v9L12 23 1 16.5v-9Z"/>',
)


@register.filter
def markdown(text: str | None) -> SafeString:
    """Markdown and maths of a model or a person as prose; htmx reads nothing inside."""
    body = rendering.markdown_html(text or "")
    return mark_safe(f'<div class="prose" hx-disable>{body}</div>')  # noqa: S308  cleaned in rendering.py


@register.filter
def is_long(text: str | None, chars: int = 900) -> bool:
    """Whether a text is shown folded, with its beginning to read."""
    return len(text or "") > chars or (text or "").count("\n") * 60 > chars


@register.filter
def shown(text: str | None) -> str:
    """Plain text that can be displayed; the template escapes it as usual."""
    return rendering.plain_text(text or "")


@register.filter
def titled(text: str | None, chars: int = 0) -> SafeString:
    """A question or an answer as a title: its formulas are set, the rest is plain text. Cut after `chars` characters
    at a word, and never within a formula.
    """
    pieces: list[str] = []
    left = chars or len(text or "")
    for plain, formula in _split(rendering.plain_text(text or "")):
        if len(plain) > left or (formula and len(plain) + len(formula) > left):
            return _joined([*pieces, escape(_cut(plain, chars=left))])
        pieces += [escape(plain), _formula(formula) if formula else ""]
        left -= len(plain) + len(formula)
    return _joined(pieces)


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Each formula of the text with its dollar signs, after the text before it; the rest comes with none."""
    at = 0
    for match in FORMULA.finditer(text):
        yield text[at : match.start()], match.group()
        at = match.end()
    yield text[at:], ""


def _cut(text: str, *, chars: int) -> str:
    kept = text if len(text) <= chars else text[:chars].rsplit(" ", 1)[0]
    return kept.rstrip(" .,;:") + "\u2026"


@lru_cache(maxsize=1_000)
def _formula(source: str) -> SafeString:
    inner = source.strip("$") if source.startswith("$") else source[2:-2]
    return mark_safe(rendering.formula_html(inner, block=False))  # noqa: S308  rebuilt from allow lists


def _joined(pieces: Iterable[str]) -> SafeString:
    return mark_safe("".join(pieces))  # noqa: S308  each is escaped, or a formula


@register.filter
def signed(value: float | None, unit: str = "") -> SafeString:
    """+.54 with its unit dimmed; "-" where it is unknown."""
    return _with_unit(formats.signed(value), unit=unit if value is not None else "")


@register.filter
def number(value: float | None, unit: str = "") -> SafeString:
    return _with_unit(formats.number(value), unit=unit if value is not None else "")


@register.filter
def amount(value: int | None, unit: str = "") -> SafeString:
    """A whole number: 12,480 tokens."""
    return _with_unit(formats.count(value), unit=unit if value is not None else "")


@register.filter
def percent(share: float | None) -> str:
    return formats.percent(share)


@register.filter
def points(share: float | None) -> str:
    """A difference of shares: 2.1 points, −0.5 points."""
    return formats.UNKNOWN if share is None else f"{100 * share:.1f} points".replace("-", "\u2212")


@register.filter
def money(usd: float | None) -> str:
    return formats.money(usd)


@register.filter
def money_up(usd: float | None) -> str:
    return formats.money_up(usd)


@register.filter
def cost(usd: float | None, simulated: bool) -> str:
    """Money, but "none (simulated)" for the calls of simulated experts."""
    return formats.cost(usd, simulated=simulated)


@register.filter
def brief_cost(usd: float | None, simulated: bool) -> str:
    """The same in a narrow column: "none"."""
    return formats.cost(usd, simulated=simulated, none="none")


@register.filter
def duration(seconds: float | None) -> str:
    return formats.duration(seconds)


@register.filter
def tone(value: float | None) -> str:
    """Class of a matrix cell: against-4 .. against-1, neutral, favour-1 .. favour-4, unknown."""
    return formats.tone(value)


@register.filter
def known(value: object) -> object:
    """The value, or "-" where it is unknown (None or an empty text); 0 stays 0."""
    return formats.UNKNOWN if value is None or value == "" else value


@register.filter
def letter(seat: int | None) -> str:
    """The letter of a seat: 1 is A, 26 is Z, 27 is AA; "-" without a seat."""
    if seat is None:
        return formats.UNKNOWN
    letters = ""
    while seat > 0:
        seat, rest = divmod(seat - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@register.simple_tag
def mark(seat: int, kind: str = "model", *, name: str = "") -> SafeString:
    """The mark of a participant: its shape and letter; people's marks are outlined. `name` is read aloud."""
    label = name or f"{'person' if kind == 'human' else 'agent'} {letter(seat)}"
    return format_html(
        '<svg class="mark mark-{}" viewBox="0 0 24 24" role="img" aria-label="{}">{}'
        '<text x="12" y="12" dy=".35em" text-anchor="middle">{}</text></svg>',
        kind,
        label,
        mark_safe(SHAPES[(seat - 1) % len(SHAPES)]),  # noqa: S308  one of the shapes above
        letter(seat),
    )


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite. Beside a word it is decoration; alone it needs its label."""
    href = f"{static(SPRITE)}#{name}"
    if not label:
        return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', href)
    return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, href)


@register.simple_tag
def spark(values: Sequence[float | None], *, low: float = -1.0, high: float = 1.0) -> SafeString:
    """A line of the size of a word, 64 by 16, of values in [low, high]; unknown ones are left out."""
    known_values = [value for value in values if value is not None]
    if not known_values:
        return mark_safe(formats.UNKNOWN)  # noqa: S308  a constant
    step = 60 / max(len(known_values) - 1, 1)
    points = " ".join(
        f"{2 + index * step:.1f},{14 - 12 * (value - low) / (high - low):.1f}"
        for index, value in enumerate(known_values)
    )
    words = ", ".join(formats.signed(value) for value in known_values)
    last_x, last_y = points.split(" ")[-1].split(",")
    return format_html(
        '<svg class="spark" viewBox="0 0 64 16" role="img" aria-label="{}">'
        '<line x1="0" x2="64" y1="8" y2="8"/><polyline points="{}"/><circle cx="{}" cy="{}" r="2"/></svg>',
        words, points, last_x, last_y,
    )  # fmt: skip


@register.simple_tag
def interval_bar(mean: float, interval: tuple[float, float]) -> SafeString:
    """A line from low to high with a dot at the mean, on a scale from 0 to 1; the numbers stand beside it."""
    low, high = (f"{100 * share:.1f}" for share in interval)
    return format_html(
        '<svg class="interval" viewBox="-2 0 104 8" preserveAspectRatio="none" aria-hidden="true">'
        '<line class="scale" x1="0" x2="100" y1="4" y2="4"/><line class="reach" x1="{}" x2="{}" y1="4" y2="4"/>'
        '<line class="mean" x1="{}" x2="{}" y1="0" y2="8"/></svg>',
        low, high, f"{100 * mean:.1f}", f"{100 * mean:.1f}",
    )  # fmt: skip


@register.simple_tag
def support_bar(value: float | None) -> SafeString:
    """A bar from 0 to `value` in [-1, 1], right in favour and left against; the number stands beside it."""
    reach = min(abs(value or 0), 1)
    sign = "positive" if (value or 0) > 0 else "negative"
    return format_html(
        '<svg viewBox="-1 0 2 1" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="-1" y="0" width="2" height="1"/>'
        '<rect class="{}" x="{}" y=".1" width="{}" height=".8"/>'
        '<line class="zero" x1="0" x2="0" y1="-.15" y2="1.15"/></svg>',
        sign, 0 if sign == "positive" else -reach, reach,
    )  # fmt: skip


@register.simple_tag
def deadline(due: datetime | None, now: datetime | None = None) -> SafeString:
    """Time left until `due`, which the page keeps counting; "-" without one. `now`: for the first reading."""
    if due is None:
        return mark_safe(formats.UNKNOWN)  # noqa: S308  a constant
    seconds = max((due - now).total_seconds(), 0) if now else None
    left = f"until {due:%H:%M} UTC" if seconds is None else f"{formats.duration(seconds)} left"
    frame = '<time class="left" datetime="{}" data-due="{}">{}</time>'
    return format_html(frame, due.isoformat(), _ms(due), left)


@register.simple_tag
def since(start: datetime | None, end: datetime | None = None) -> SafeString:
    """Time elapsed from `start`: fixed with an `end`, else counted by the page."""
    if start is None:
        return mark_safe(formats.UNKNOWN)  # noqa: S308  a constant
    if end is not None:
        return format_html("<span>{}</span>", formats.duration((end - start).total_seconds()))
    frame = '<time datetime="{}" data-since="{}">since {} UTC</time>'
    return format_html(frame, start.isoformat(), _ms(start), f"{start:%H:%M}")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _with_unit(text: str, *, unit: str) -> SafeString:
    if not unit:
        return format_html('<span class="n">{}</span>', text)
    return format_html('<span class="n">{} <span class="unit">{}</span></span>', text, unit)
