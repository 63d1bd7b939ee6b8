"""Server-sent events, as far as chat completions use them: the data of each event, as its bytes arrive."""

from __future__ import annotations

DONE = b"[DONE]"


class EventReader:
    """Feed it chunks as they come, in any cut; it gives back the data lines that are complete."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def held(self) -> bytearray:
        """The line that has not ended yet. Not a copy: it grows with the next chunk."""
        return self._rest

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads that this chunk completes, in order. Comments, names, ids and empty data pass by."""
        self._rest += chunk
        if b"\n" not in chunk and b"\r" not in chunk:
            return []
        *lines, rest = self._rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = rest
        return [payload for line in lines if (payload := data_of(line))]

    def end(self) -> list[bytes]:
        """A last line that no line end follows (some servers cut it so)."""
        payload, self._rest = data_of(self._rest), bytearray()
        return [payload] if payload else []


def data_of(line: bytes | bytearray) -> bytes:
    """What follows `data:`, stripped; empty for every other line."""
    return bytes(line[5:]).strip() if line.startswith(b"data:") else b""
