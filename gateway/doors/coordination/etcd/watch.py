"""Watches: news from etcd wake whoever waits; what it then sees, it reads itself, so no event can be missed or misread.

A stream is armed again whenever it ends, on the endpoint whose turn it is, and asks to be ended when its member has
lost the cluster's leader ('hasleader'). A frozen member keeps a stream silent: whoever waits looks by itself every half
time to live as well, and that look, when it fails, moves the stream to another endpoint.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import grpc

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import Picture, Refused, Unreachable
from gateway.doors.coordination.etcd import wire
from gateway.doors.coordination.etcd.calls import PAUSE_S, Calls

HAS_LEADER = (("hasleader", "true"),)
Range = tuple[bytes, bytes]
"""Begin and end of keys; an empty end: that key alone."""


class News:
    """`with News(...)`: armed on some ranges; `wait` returns when something there may have changed.

    Leaving it does not wait: nothing may come between a campaign's win and its return.
    """

    def __init__(self, calls: Calls, ranges: tuple[Range, ...], look_s: float) -> None:
        """look_s: `wait` returns after that time in any case."""
        self._calls, self._ranges, self._look_s = calls, ranges, look_s
        self._wake = asyncio.Event()
        self._stream: Any = None
        self._armed_on = ""
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="coordination-news")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._task is not None
        self._task.cancel()

    def taken(self) -> None:
        """What was news until now will be read: before the read begins."""
        self._wake.clear()

    async def wait(self) -> None:
        if self._stream is not None and self._armed_on != self._calls.endpoint.address:
            self._stream.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(
                self._look_s
            ):  # wait_for may swallow a cancel that comes with news (Python 3.11)
                await self._wake.wait()

    async def _run(self) -> None:
        while True:
            endpoint = self._calls.endpoint
            self._armed_on = endpoint.address
            self._stream = endpoint.watch.Watch(metadata=HAS_LEADER)
            try:
                await self._read(self._stream)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the latter: a write after its end
                self._calls.leave(endpoint)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise  # not the stream, which `wait` canceled to move it, but we ourselves
            finally:
                self._stream.cancel()
            self._wake.set()  # who waits sees for itself whether the store is gone
            await asyncio.sleep(PAUSE_S)

    async def _read(self, stream: Any) -> None:
        """Until the stream or one of its watches ends. The first answers say "created": what was before is then read."""
        for begin, end in self._ranges:
            await stream.write(wire.watch(begin, end))
        while (answer := await stream.read()) is not grpc.aio.EOF:
            self._wake.set()
            if answer.canceled:
                return


class EtcdWatching:
    """A picture, kept fresh. See the contract's Watching."""

    def __init__(self, news: News, look: Callable[[], Awaitable[Picture]], changed: Callable[[Picture], None]) -> None:
        self.seen_ns, self.trouble = 0, ""
        self._news, self._look, self._changed = news, look, changed
        self._task = asyncio.create_task(self._run(), name="coordination-watch")

    @property
    def closed(self) -> bool:
        return self._task.done()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        last: Picture | None = None
        with self._news as news:
            while True:
                news.taken()
                asked_ns = boottime_ns()
                try:
                    picture = await self._look()
                except (Unreachable, Refused) as error:
                    self.trouble = str(error)
                else:
                    self.seen_ns, self.trouble = asked_ns, ""
                    if picture != last:
                        last = picture
                        # A mistake of the listener's goes to the loop's handler and does not end the watch.
                        asyncio.get_running_loop().call_soon(self._tell, picture)
                await news.wait()

    def _tell(self, picture: Picture) -> None:
        if not self._task.done() and not self._task.cancelling():
            self._changed(picture)
