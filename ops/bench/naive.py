"""The naive way to the same engine: a task an actor, `zmq.asyncio` sockets, an await a message.

This is how ZeroMQ and asyncio are usually put together; it is here to be measured, and is the one place besides
bus.mailbox that imports zmq.
"""

import asyncio
from collections.abc import Callable, Sequence

import zmq
import zmq.asyncio

from bus.codec import decoder, encode
from bus.host import Receiver, Routing
from bus.messages import Message


class NaiveRunner:
    """Same actors, same messages, same bytes. `quiet` resolves when no message is under way."""

    def __init__(self, receivers: Sequence[Receiver], routing: Routing, now_ns: Callable[[], int]) -> None:
        self._context = zmq.asyncio.Context()
        self._now_ns = now_ns
        self._under_way = 0
        self.quiet = asyncio.Event()
        self._routing = routing
        self._push: dict[str, zmq.asyncio.Socket] = {}
        self._tasks = []
        self.offset = self.digest = 0
        self.cause = (0, 0)
        self._after: list[Callable[[int], None]] = []
        for receiver in receivers:
            pull = self._context.socket(zmq.PULL)
            pull.bind(f"inproc://{receiver.name}")
            push = self._context.socket(zmq.PUSH)
            for socket, option in ((pull, zmq.RCVHWM), (push, zmq.SNDHWM)):
                socket.set(option, 0)
                socket.set(zmq.LINGER, 0)
            push.connect(f"inproc://{receiver.name}")
            self._push[receiver.name] = push
            self._tasks.append(asyncio.get_running_loop().create_task(self._serve(receiver, pull)))

    async def post(self, message: Message) -> None:
        """Send one input; wait on `quiet` for its end."""
        self.offset += 1
        self.quiet.clear()
        await self._send(message)

    def after_cascade(self, action: Callable[[int], None]) -> None:
        """No cascade ends here that anyone would notice: run it now."""
        action(self._now_ns())

    def after_burst(self, receiver: str) -> Callable[[Callable[[int], None]], None]:
        """Nor a burst."""
        return self.after_cascade

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._context.destroy(0)

    async def _serve(self, receiver: Receiver, pull: zmq.asyncio.Socket) -> None:
        decode = decoder(receiver.handlers)
        while True:
            message = decode(await pull.recv())
            for produced in receiver.handlers[type(message)](message, self._now_ns()):
                await self._send(produced)
            self._under_way -= 1
            if self._under_way == 0:
                self.quiet.set()

    async def _send(self, message: Message) -> None:
        kind = type(message)
        answered = kind in self._routing.answers
        names = (message.actor,) if answered else self._routing.routes[kind]  # type: ignore[attr-defined]  # answers name one
        raw = encode(message)
        self._under_way += len(names)
        for name in names:
            await self._push[name].send(raw)
