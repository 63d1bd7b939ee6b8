"""A page as a person and a browser read it: its words, what its fields hold, and what could run on it."""

import json
from html.parser import HTMLParser

from django.http import HttpResponse

INLINE = {"a", "span", "strong", "em", "s", "b", "i", "code", "time", "output"}
VOID = {"input", "meta", "link", "br", "img", "hr", "col", "rect", "use"}
ADDRESSES = {"href", "src", "action", "formaction", "data", "xlink:href", "srcdoc", "poster"}


class Page(HTMLParser):
    """words: the visible text on one line. fields: name -> value as the form holds it. dangers: what could run."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fields: dict[str, str] = {}
        self.dangers: list[str] = []
        self.htmx: list[str] = []
        self._text: list[str] = []
        self._open: list[str] = []
        self._area = ""
        self._select = ""
        self._data: list[str] | None = None
        self.feed(html)
        self.close()

    @property
    def words(self) -> str:
        return " ".join("".join(self._text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append(tag)
        self._weigh(tag, given)
        self._fill(tag, given)
        self._part(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._weigh(tag, {name: value or "" for name, value in attrs})

    def _fill(self, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "input" and given.get("type") not in ("radio", "checkbox"):
            self.fields[name] = given.get("value", "")
        elif tag == "input" and "checked" in given:
            self.fields[name] = given.get("value", "on")
        elif tag == "textarea":
            self._area, self.fields[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.fields[self._select] = given.get("value", "")

    def _weigh(self, tag: str, given: dict[str, str]) -> None:
        """What a browser would run, or fetch from elsewhere."""
        if tag in ("iframe", "object", "embed", "base"):
            self.dangers.append(f"<{tag}>")
        if tag == "script":
            self._weigh_script(given)
        for name, value in given.items():
            if name.startswith("on"):
                self.dangers.append(f"{tag} {name}={value}")
            if name in ADDRESSES and not _is_harmless(tag, "".join(value.split()).lower()):
                self.dangers.append(f"{tag} {name}={value}")
            if name.startswith(("hx-", "data-hx-")):
                self.htmx.append(f"{tag} {name}={value}")

    def _weigh_script(self, given: dict[str, str]) -> None:
        if given.get("type") == "application/json":
            self._data = []
        elif not given.get("src", "").startswith("/static/"):
            self.dangers.append(f"script {given}")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "textarea":
            self._area = ""
        if tag == "script" and self._data is not None:
            json.loads("".join(self._data))  # a figure; anything that broke out of it is no JSON
            self._data = None
        self._part(tag)

    def _part(self, tag: str) -> None:
        if tag not in INLINE:
            self._text.append(" ")

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data
        elif self._data is not None:
            self._data.append(data)
        elif "script" not in self._open and "style" not in self._open:
            self._text.append(data)


def _is_harmless(tag: str, address: str) -> bool:
    """Relative, of this site, or a link that a person may follow."""
    if tag == "a" and address.startswith(("http://", "https://", "mailto:")):
        return True
    return address.startswith(("/", "#", "?", "http://testserver/")) or address == ""


def read(answer: HttpResponse) -> Page:
    return Page(answer.content.decode())
