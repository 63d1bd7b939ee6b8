"""The site's sheets as one style element, for a file that stands alone: nothing in it is loaded from anywhere."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.safestring import SafeString, mark_safe

SHEETS = ("css/tokens.css", "css/base.css", "css/controls.css", "css/data.css", "css/verdict.css")
PRINTED = "css/print.css"
PROPERTIES = "vendor/open-props-1.7.23/open-props.min.css"


@dataclass(frozen=True)
class Style:
    """element: `<style>...</style>`. source: what a policy has to allow for it, 'sha256-...'."""

    element: SafeString
    source: str


def style() -> Style:
    """Without fonts, which are files of their own: the system's take their place."""
    sheets = [_bare(_read(each)) for each in SHEETS]
    sheets.append(f"@media print{{{_bare(_read(PRINTED))}}}")
    text = _properties(sheets) + "".join(sheets)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Style(mark_safe(f"<style>{text}</style>"), f"'sha256-{digest}'")  # noqa: S308  our own sheets


def _read(name: str) -> str:
    found = finders.find(name)
    if not found:
        raise FileNotFoundError(name)
    return Path(found).read_text(encoding="utf-8")


def _bare(sheet: str) -> str:
    """Without comments, fonts and needless space."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    sheet = re.sub(r"@font-face\s*{[^}]*}", "", sheet)
    return re.sub(r"\s+", " ", sheet).strip()


def _properties(sheets: Iterable[str]) -> str:
    """The properties of the vendored sheet that ours use, with those that they use in turn."""
    known = dict(re.findall(r"(--[a-z0-9-]+):([^;}]*)", _read(PROPERTIES)))
    wanted = _named("".join(sheets))
    chosen: dict[str, str] = {}
    while wanted:
        name = wanted.pop()
        if name in known and name not in chosen:
            chosen[name] = known[name]
            wanted |= _named(known[name])
    return ":root{" + "".join(f"{name}:{value};" for name, value in sorted(chosen.items())) + "}"


def _named(text: str) -> set[str]:
    return set(re.findall(r"var\((--[a-z0-9-]+)", text))
