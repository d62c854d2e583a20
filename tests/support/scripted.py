"""A venue on a real port that does what a test says: it remembers every frame it is told, and sends what it is given."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

LIMIT_S = 60.0


class Talk:
    """One connection. said: (loop time, frame) of everything the other end said, in order."""

    def __init__(self, path: str, socket: web.WebSocketResponse) -> None:
        self.path, self.socket = path, socket
        self.opened_s = asyncio.get_running_loop().time()
        self.said: list[tuple[float, bytes]] = []
        self.ended = asyncio.Event()

    @property
    def frames(self) -> list[bytes]:
        return [frame for _, frame in self.said]

    async def send(self, *frames: bytes) -> None:
        for frame in frames:
            await self.socket.send_str(frame.decode())

    async def close(self) -> None:
        await self.socket.close()


Play = Callable[[Talk], Awaitable[Any]]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ScriptedVenue:
    """play: run once a connection. pages: REST answers by path; without one it is a 404. refuse: handshakes yet to refuse."""

    def __init__(self, play: Play, pages: Mapping[str, Answer]) -> None:
        self.play, self.pages = play, pages
        self.talks: list[Talk] = []
        self.asked: list[web.Request] = []
        self.refuse = 0
        self.refused = 0
        self.rest = self.streams = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if "Upgrade" not in request.headers:
            self.asked.append(request)
            page = self.pages.get(request.path)
            return await page(request) if page is not None else web.Response(status=404)
        if self.refuse:
            self.refuse -= 1
            self.refused += 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        talk = Talk(request.path_qs, socket)
        self.talks.append(talk)
        playing = asyncio.ensure_future(self.play(talk))
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                talk.said.append((asyncio.get_running_loop().time(), message.data.encode()))
        talk.ended.set()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        return socket


async def silence(talk: Talk) -> None:
    """A play without words."""


@asynccontextmanager
async def scripted(play: Play = silence, pages: Mapping[str, Answer] | None = None) -> AsyncIterator[ScriptedVenue]:
    venue = ScriptedVenue(play, pages or {})
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    venue.rest, venue.streams = f"http://{host}:{port}", f"ws://{host}:{port}"
    try:
        yield venue
    finally:
        for talk in venue.talks:
            await talk.close()
        await runner.cleanup()


def page(body: bytes, status: int = 200, **headers: str) -> Answer:
    """One answer for every request."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer
