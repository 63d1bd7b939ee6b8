"""Many readers of one room, in a process of their own: frames.py starts it.

stdin: one line of JSON (Wanted), then nothing until its end asks for the result. stdout: the line "ready" once every
socket has had its first message; at the end one line of JSON, for each socket the messages that brought the part:
[[number of the event that it brings to, seconds on the monotonic clock], ...]. All processes share that clock.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

import aiohttp

Seen = list[tuple[int, float]]
KNOCKING = 20  # sockets that connect at once


@dataclass(frozen=True)
class Wanted:
    """url: of the socket. part: what a message must bring to count."""

    url: str
    origin: str
    cookies: dict[str, str]
    sockets: int
    part: str


async def main() -> None:
    loop = asyncio.get_running_loop()
    wanted = Wanted(**json.loads(sys.stdin.readline()))
    door = asyncio.Semaphore(KNOCKING)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(cookies=wanted.cookies, connector=connector) as client:
        seen: list[Seen] = [[] for _ in range(wanted.sockets)]
        sockets = await asyncio.gather(*(_connected(client, wanted, door) for _ in seen))
        readers = [asyncio.create_task(_read(*each, wanted)) for each in zip(sockets, seen, strict=True)]
        say("ready")
        await loop.run_in_executor(None, sys.stdin.read)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*(socket.close() for socket in sockets))
    say(json.dumps(seen))


async def _connected(
    client: aiohttp.ClientSession, wanted: Wanted, door: asyncio.Semaphore
) -> aiohttp.ClientWebSocketResponse:
    async with door:
        socket = await client.ws_connect(wanted.url, origin=wanted.origin, max_msg_size=0)
        await _next(socket)
        return socket


async def _next(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The next message, answered as a page answers it."""
    frame = await socket.receive_str()
    await socket.send_str("had")
    return frame


async def _read(socket: aiohttp.ClientWebSocketResponse, seen: Seen, wanted: Wanted) -> None:
    while True:
        frame, came_s = await _next(socket), time.monotonic()
        if f'id="{wanted.part}"' in frame:
            seen.append((int(frame.rpartition('data-seq="')[2].partition('"')[0]), came_s))


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
