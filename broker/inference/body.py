"""The body of an HTTP answer, as its bytes come. A broken connection ends it; what had come still counts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp


class Body:
    """`cut` is True once the connection broke before the body's end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        self.cut = False

    @property
    def ended(self) -> bool:
        return self._content.at_eof()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Whatever has come, again and again, until the end or a break."""
        while not self._content.at_eof():
            try:
                chunk = await self._content.readany()
            except (aiohttp.ClientError, OSError):
                self.cut = True
                return
            yield chunk

    async def whole(self, *, limit: int) -> bytes:
        """All of it; where it is longer than `limit` bytes, somewhat more than `limit` and no end."""
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                break
        return bytes(body)
