"""A real HTTP server on loopback that answers as a test says and remembers what was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Play = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Venue:
    """A server that answers as `play` says and remembers what was asked."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.asked: list[web.Request] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        return await self.play(request)


@asynccontextmanager
async def serving(play: Play) -> AsyncIterator[Venue]:
    venue = Venue(play)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    venue.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield venue
    finally:
        await runner.cleanup()


def answer(status: int, body: bytes = b"{}", **headers: str) -> Play:
    async def play(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return play


async def never(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    raise AssertionError("the test is over by now")


async def cut(request: web.Request) -> web.Response:
    """The connection ends in place of an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
