"""A Markdown text as plain text: what its markup says is dropped, what it marks stays."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from deliberation import rendering


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading, a cell of a table, code or a formula. source: with the markup that is in it."""

    source: str
    _token: Token | None = None
    _links: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> str:
        """Without its markup. Formulas and code stay as they are written."""
        if self._token is None or self._token.type != "inline":
            return self.source
        inner: list[Token] = []
        _blocks_alone().inline.parse(self.source, _blocks_alone(), self._links, inner)
        return "".join(" " if each.type in ("softbreak", "hardbreak") else each.content for each in inner)


def blocks(text: str) -> Iterator[Block]:
    """The blocks in order, their markup unread: that takes ten times as long, so it is left to those that are shown."""
    links: dict[str, Any] = {}
    for each in _blocks_alone().parse(text, links):
        if each.content:
            yield Block(each.content, each, links)


@cache
def _blocks_alone() -> MarkdownIt:
    return rendering.grammar().disable(["inline", "text_join"])
