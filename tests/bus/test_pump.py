"""The host on a real loop: inputs at once, timers never early, operators of other processes heard."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from bus.actor import NOTHING, Handler
from bus.clock import EngineClock
from bus.codec import encode
from bus.host import Host, Routing
from bus.loopback import LoopbackMailboxes
from bus.mailbox import OutsideMailbox, OutsideSender, ZmqMailboxes, ipc_endpoint
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    ConnectionUp,
    Control,
    Frame,
    Message,
    OperatorCommand,
    SetTimer,
    StopPolicy,
    StopRequested,
    TakeCheckpoint,
    TimerFired,
    Touch,
)
from bus.pump import BATCH, OUTSIDE_BATCH, OUTSIDE_REASON_MAX, Pump
from bus.standstill import STANDSTILL_NS, Standstill
from bus.timers import Timers

ROOT = Path(__file__).parents[2]
LIMIT_S = 60.0
Rule = Callable[[Message, int], tuple[Message, ...]]


class Ear:
    """An actor that remembers (message, now_ns) and does what `rule` says."""

    name = "ear"

    def __init__(self) -> None:
        self.heard: list[tuple[Message, int]] = []
        self.rule: Rule = lambda message, now_ns: NOTHING
        kinds = (Frame, ConnectionUp, TimerFired, OperatorCommand, StopRequested)
        self.handlers: dict[type[Message], Handler] = dict.fromkeys(kinds, self._hear)

    def _hear(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        self.heard.append((message, now_ns))
        return self.rule(message, now_ns)

    def messages(self) -> list[Message]:
        return [message for message, _ in self.heard]


class Rig:
    """A host with one ear and timers, on the running loop."""

    def __init__(self) -> None:
        self.ear, self.timers, self.clock = Ear(), Timers(), EngineClock()
        routes: dict[type[Message], tuple[str, ...]] = dict.fromkeys(
            (Frame, ConnectionUp, OperatorCommand, StopRequested), ("ear",)
        )
        routes[SetTimer] = ("timers",)
        classes = ((ConnectionUp, OperatorCommand, StopRequested), (TimerFired,), (Frame,))
        timers = _SettersOnly(self.timers)
        routing = Routing(routes, (TimerFired,), (), (), classes)
        self.host = Host([self.ear, timers], routing, LoopbackMailboxes(), self.clock.now_ns)
        self.standstill = Standstill(self.clock.now_ns)
        self.pump = Pump(self.host, self.timers, self.clock, standstill=self.standstill)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await asyncio.sleep(0.001)


class _SettersOnly:
    """Timers as a receiver of SetTimer alone: nobody cancels here."""

    name = "timers"

    def __init__(self, timers: Timers) -> None:
        self.handlers = {SetTimer: timers.handlers[SetTimer]}


def frame(number: int) -> Frame:
    return Frame(number, 0, b"")


# -- inputs -----------------------------------------------------------------------------------------------------------


async def test_a_posted_input_has_run_when_post_returns() -> None:
    rig = Rig()
    rig.pump.post(frame(1), frame(2))
    assert rig.ear.messages() == [frame(1), frame(2)]


async def test_what_a_handler_posts_runs_after_its_cascade() -> None:
    rig = Rig()
    depth = 0

    def rule(message: Message, now_ns: int) -> tuple[Message, ...]:
        nonlocal depth
        depth += 1
        assert depth == 1, "a cascade inside a cascade"
        if message == frame(1):
            rig.pump.post(frame(2), ConnectionUp(1, 1, 0))
            assert rig.ear.messages() == [frame(1)]
        depth -= 1
        return NOTHING

    rig.ear.rule = rule
    rig.pump.post(frame(1))
    assert rig.ear.messages() == [frame(1), ConnectionUp(1, 1, 0), frame(2)]
    assert rig.host.offset == 3


async def test_a_burst_gives_the_loop_its_turns() -> None:
    rig = Rig()
    seen_at_turns: list[int] = []
    asyncio.get_running_loop().call_soon(lambda: seen_at_turns.append(len(rig.ear.heard)))
    rig.pump.post(*(frame(number) for number in range(5 * BATCH)))
    assert len(rig.ear.heard) == BATCH
    await rig.until(lambda: len(rig.ear.heard) == 5 * BATCH)
    assert seen_at_turns == [BATCH]
    assert rig.ear.messages() == [frame(number) for number in range(5 * BATCH)]


async def test_what_a_standstill_has_to_say_goes_before_what_waited() -> None:
    rig = Rig()
    rig.standstill.start(lambda: rig.pump.post(ConnectionUp(0, 1, 0)))
    time.sleep(STANDSTILL_NS / 1e9 + 0.05)  # the loop stands still
    rig.pump.post(frame(1))
    rig.standstill.stop()
    assert rig.ear.messages() == [ConnectionUp(0, 1, 0), frame(1)]


async def test_control_overtakes_the_rest_of_a_burst() -> None:
    rig = Rig()
    rig.pump.post(*(frame(number) for number in range(3 * BATCH)))
    rig.pump.post(ConnectionUp(9, 1, 0))
    await rig.until(lambda: len(rig.ear.heard) == 3 * BATCH + 1)
    assert rig.ear.messages()[BATCH] == ConnectionUp(9, 1, 0)


# -- timers and quiet -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_timers_fire_in_order_and_never_early(loop: str) -> None:
    async def claim() -> None:
        rig = Rig()
        start_ns = rig.clock.now_ns()
        wishes = {1: 12_300_000, 2: 1_000_001, 3: 1, 4: 7_654_321, 5: 0}

        def rule(message: Message, now_ns: int) -> tuple[Message, ...]:
            if isinstance(message, Frame):
                return tuple(SetTimer("ear", counter, 0, start_ns + wish) for counter, wish in wishes.items())
            return NOTHING

        rig.ear.rule = rule
        rig.pump.post(frame(1))
        await rig.until(lambda: len(rig.ear.heard) == 1 + len(wishes))
        fired = [(message, now_ns) for message, now_ns in rig.ear.heard if isinstance(message, TimerFired)]
        assert [message.counter for message, _ in fired] == [5, 3, 2, 4, 1]
        assert all(now_ns >= message.fires_ns for message, now_ns in fired)

    (uvloop.run if loop == "uvloop" else asyncio.run)(claim())


async def test_an_earlier_timer_set_later_is_not_kept_waiting() -> None:
    rig = Rig()
    hour_ns = rig.clock.now_ns() + 3_600_000_000_000
    rig.ear.rule = lambda message, now_ns: (
        (SetTimer("ear", message.connection, 0, hour_ns if message.connection == 1 else now_ns + 1_000_000),)
        if isinstance(message, Frame)
        else NOTHING
    )
    rig.pump.post(frame(1))
    rig.pump.post(frame(2))
    await rig.until(lambda: len(rig.ear.heard) == 3)
    assert rig.ear.messages()[2].counter == 2  # type: ignore[attr-defined]


async def test_quiet_actions_run_when_nothing_waits_and_not_inside_a_burst() -> None:
    rig = Rig()
    at_quiet: list[int] = []
    rig.pump.at_quiet(lambda: at_quiet.append(rig.host.waiting))
    rig.pump.post(*(frame(number) for number in range(10 * BATCH)))
    await rig.until(lambda: at_quiet)
    assert at_quiet == [0]
    assert len(rig.ear.heard) == 10 * BATCH


async def test_after_stop_nothing_is_taken_and_no_timer_fires() -> None:
    rig = Rig()
    rig.ear.rule = lambda message, now_ns: (SetTimer("ear", 1, 0, now_ns + 2_000_000),)
    rig.pump.post(frame(1))
    rig.pump.stop()
    rig.pump.post(frame(2))
    await asyncio.sleep(0.01)
    assert rig.ear.messages() == [frame(1)]
    assert rig.host.waiting == 1


# -- other processes --------------------------------------------------------------------------------------------------


def raw(message: Message) -> bytes:
    return HEADER.pack(0, HEADER_VERSION, 0xFFFF, 0, 0) + encode(message)


def command(number: int = -1, reason: str = "by hand") -> OperatorCommand:
    return OperatorCommand(Control.HALT, number, reason)


class Outside:
    """A rig that listens, the sender's end, and what the log was told."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig()
        self.mailboxes = ZmqMailboxes()
        self.endpoint = ipc_endpoint(folder, "control")
        self.refused: list[tuple[int, str]] = []
        self.mailbox: OutsideMailbox = self.mailboxes.open_outside("control", self.endpoint)

    def listen(self) -> None:
        self.rig.pump.listen(self.mailbox, lambda count, reason: self.refused.append((count, reason)))


@asynccontextmanager
async def listening(folder: Path, *, now: bool = True) -> AsyncIterator[tuple[Outside, OutsideSender]]:
    outside = Outside(folder)
    if now:
        outside.listen()
    sender = OutsideSender(outside.endpoint)
    try:
        yield outside, sender
    finally:
        outside.rig.pump.stop()
        sender.close()
        outside.mailboxes.close()


SENDER = """
import sys
from bus.mailbox import OutsideSender
from tests.bus.test_pump import command, raw
sender = OutsideSender(sys.argv[1])
for number in range(int(sys.argv[2])):
    assert sender.send(raw(command(number)))
sender.close()
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_no_message_of_another_process_is_stranded_under_bursts(loop: str, tmp_path: Path) -> None:
    """Far more than a batch arrives on one firing of the descriptor, and again while it drains."""

    async def claim() -> None:
        async with listening(tmp_path) as (outside, _):
            heard = outside.rig.ear.heard
            for burst in range(1, 3):
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", SENDER, outside.endpoint, str(20 * OUTSIDE_BATCH), cwd=ROOT
                )
                assert await asyncio.wait_for(process.wait(), 20) == 0
                await outside.rig.until(lambda total=burst * 20 * OUTSIDE_BATCH: len(heard) == total)
            assert [message.instrument for message, _ in heard] == 2 * list(range(20 * OUTSIDE_BATCH))  # type: ignore[attr-defined]
            assert (outside.rig.pump.outside_taken, outside.rig.pump.outside_refused) == (40 * OUTSIDE_BATCH, 0)

    (uvloop.run if loop == "uvloop" else asyncio.run)(claim())


async def test_what_came_before_listening_is_heard_too(tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", SENDER, outside.endpoint, "3"], cwd=ROOT, check=True, timeout=20
    )
    await asyncio.sleep(0.05)  # arrived, and the descriptor has fired for nobody
    outside.listen()
    await outside.rig.until(lambda: len(outside.rig.ear.heard) == 3)
    outside.rig.pump.stop()
    outside.mailboxes.close()


async def test_a_stop_from_outside_is_an_input(tmp_path: Path) -> None:
    async with listening(tmp_path) as (outside, sender):
        sender.send(raw(StopRequested("maintenance", 5)))
        await outside.rig.until(lambda: outside.rig.ear.heard)
        assert outside.rig.ear.messages() == [StopRequested("maintenance", 5)]


GARBAGE = {
    "nothing": b"",
    "less than a header": b"\0" * 19,
    "a header alone": HEADER.pack(0, HEADER_VERSION, 0, 0, 0),
    "another version": HEADER.pack(0, HEADER_VERSION + 1, 0, 0, 0) + encode(command()),
    "no msgpack": HEADER.pack(0, HEADER_VERSION, 0, 0, 0) + b"\xc1",
    "market data": raw(frame(1)),
    "an engine's own word": raw(TakeCheckpoint("?")),
    "a price": raw(Touch(0, 0, 0, 0, 0, 0, 0, 0)),
    "an unknown control": HEADER.pack(0, HEADER_VERSION, 0, 0, 0) + b"\x94\x10\x63\x00\xa0",
    "a reason that is no UTF-8": raw(command(reason="good")).replace(b"good", b"b\xffd!"),
    "a reason of two lines": raw(command(reason="one\nCRITICAL forged")),
    "a reason without end": raw(command(reason="x" * (OUTSIDE_REASON_MAX + 1))),
    "an asker elsewhere in the file system": raw(OperatorCommand(Control.HALT, -1, "x", asker="/../x")),
    "an owner that is no name": raw(OperatorCommand(Control.HALT, -1, "x", owner="a\nb")),
    "a stop that would keep": raw(StopRequested("x", 0, StopPolicy.KEEP)),
}


async def test_garbage_from_outside_is_counted_told_and_survived(tmp_path: Path) -> None:
    async with listening(tmp_path) as (outside, sender):
        for data in GARBAGE.values():
            sender.send(data)
        sender.send(raw(command(7)))
        await outside.rig.until(lambda: outside.rig.ear.heard)
        assert outside.rig.ear.messages() == [command(7)]
        assert outside.rig.pump.outside_refused == len(GARBAGE)
        assert [count for count, _ in outside.refused] == [1, 2, 4, 8]  # a flood stays short in the log
        assert all("\n" not in reason and "forged" not in reason for _, reason in outside.refused)


async def test_a_message_too_large_ends_its_sender_not_us(tmp_path: Path) -> None:
    async with listening(tmp_path) as (outside, sender):
        sender.send(bytes(2 << 20))
        other = OutsideSender(outside.endpoint)
        other.send(raw(command(1)))
        await outside.rig.until(lambda: outside.rig.ear.heard)
        assert outside.rig.ear.messages() == [command(1)]
        other.close()


async def test_while_inputs_wait_the_outside_waits_outside(tmp_path: Path) -> None:
    async with listening(tmp_path) as (outside, sender):
        rig = outside.rig
        left = 200

        def rule(message: Message, now_ns: int) -> tuple[Message, ...]:
            nonlocal left
            if isinstance(message, Frame) and left:
                left -= 1
                rig.host.post(frame(0))
            return NOTHING

        rig.ear.rule = rule
        for number in range(100):
            sender.send(raw(command(number)))
        rig.pump.post(frame(0))
        await rig.until(lambda: len(rig.ear.heard) == 301)
        commands = [m.instrument for m in rig.ear.messages() if isinstance(m, OperatorCommand)]
        assert commands == list(range(100))


async def test_after_stop_the_outside_is_not_heard(tmp_path: Path) -> None:
    async with listening(tmp_path) as (outside, sender):
        outside.rig.pump.stop()
        sender.send(raw(command(1)))
        await asyncio.sleep(0.05)
        assert outside.rig.ear.heard == []
