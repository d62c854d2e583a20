"""How each kill is done. Every way gets a process that trades, or for a starting card one that was just started, and says where it hit."""

import asyncio
import resource
import signal
from collections.abc import Awaitable, Callable

from ops.chaos.kills.burst import burst, rests
from ops.chaos.kills.checkpoints import kill_in_checkpoint
from ops.chaos.kills.control import Control
from ops.chaos.kills.engine import ACCOUNT, Engine
from ops.chaos.kills.plan import POINTS, Card, Way

POINT_S_MAX, START_POINT_S_MAX = 4.0, 10.0
"""How long a point is waited for while it trades, and from the start of a process; then it is a SIGKILL at that moment. Chosen."""
CHECKPOINT_S_MAX = 3.0
"""Several checkpoint intervals of the configuration; chosen."""
STOPPED_S, PAUSED_S = (0.05, 0.5), (0.1, 2.5)
"""Beyond half a time to live the term is lost as well; chosen."""
RESTING_S_MAX, RESTING_POLL_S = 3.0, 0.01
DEAD_MAN_LATE_S = 5.0
"""Beyond the countdown, for a request on its way and a busy machine; chosen."""
FULL_S = (0.1, 0.8)
FULL_BYTES = 1
"""No file may grow, nor be written, beyond it: EFBIG, as Python ignores SIGXFSZ. What is mapped goes on, as on a full disk."""
RECOVERY_SHARE = (0.2, 1.1)
"""Of the usual time from start to first order: where a timed kill falls in a start; chosen."""
RECOVERY_MS_DEFAULT = 1_500.0
ALL_ORDERS_MIN = 1_100
"""Orders of the first symbol after which its newest thousand, which each start asks for, fill a page; with some to spare."""

STARTING = {Way.REQUEST: (("query", 3), ("account", 4), ("place", 1)), Way.ANSWER: (("query", 3), ("account", 4))}
"""Requests of a start with two symbols, and how many of each there are at least: orders; trades and balances; the first order
itself, which is not accepted yet when it is received.
"""
TRADING = {Way.REQUEST: ("place",), Way.ANSWER: ("place", "cancel")}
KINDS = ("all", "api", "market")


def within(span: tuple[float, float], moment: float) -> float:
    return span[0] + (span[1] - span[0]) * moment


async def at_point(engine: Engine, control: Control, card: Card, name: str) -> Way:
    """The venue kills the process when it reaches the point."""
    keys: dict[str, object] = {"after": card.after}
    if card.way is Way.PAGE:
        keys = {"operation": engine.face.trades if engine.burst_waits else "allOrders"}
    elif card.way is Way.FILL:
        keys = {"after": card.after % 2}  # it takes less often than it places
    elif card.starting:
        operations = STARTING[card.way]
        operation, count = operations[int(card.moment * len(operations))]
        keys = {"operation": operation, "after": card.after % count}
    elif card.way in TRADING:
        kinds = TRADING[card.way]
        keys["operation"] = kinds[int(card.moment * len(kinds))]
    point = await control.set_point(card.way, name, engine.instance.pid, **keys)
    ended = await engine.instance.ends_within(START_POINT_S_MAX if card.starting else POINT_S_MAX)
    await control.remove(point)  # whatever happened: by and by the process id will be another's
    if not ended:
        if engine.instance.is_running:
            engine.instance.send(signal.SIGKILL)
        await engine.instance.gone()
    return card.way if await control.hit(name) else Way.MOMENT


async def in_checkpoint(engine: Engine, _control: Control, _card: Card, _name: str) -> Way:
    folder = engine.instance.state / "checkpoints"
    file = await asyncio.to_thread(kill_in_checkpoint, folder, engine.instance.pid, CHECKPOINT_S_MAX)
    if file is None:
        engine.instance.send(signal.SIGKILL)
    await engine.instance.gone()
    return Way.CHECKPOINT if file is not None and file.exists() else Way.MOMENT


async def in_recovery(engine: Engine, _control: Control, card: Card, _name: str) -> Way:
    """At a moment of the start, which is known only by what starts usually take."""
    usual_ms = (
        sorted(engine.recovered_ms)[len(engine.recovered_ms) // 2] if engine.recovered_ms else RECOVERY_MS_DEFAULT
    )
    if not await engine.instance.ends_within(within(RECOVERY_SHARE, card.moment) * usual_ms / 1e3):
        engine.instance.send(signal.SIGKILL)
        await engine.instance.gone()
    return Way.RECOVERY


async def at_moment(engine: Engine, control: Control, _card: Card, _name: str) -> Way:
    """While an order rests, if that comes soon."""
    loop = asyncio.get_running_loop()
    due = loop.time() + RESTING_S_MAX
    while await rests(control, engine.face.burst) is None:
        if loop.time() > due:
            break
        await asyncio.sleep(RESTING_POLL_S)
    engine.instance.send(signal.SIGKILL)
    await engine.instance.gone()
    return Way.MOMENT


async def stopped(engine: Engine, control: Control, card: Card, _name: str) -> Way:
    """It stands still, is traded with, and never wakes; or the venue itself cancels what it left, where it does so."""
    engine.instance.send(signal.SIGSTOP)
    await asyncio.sleep(within(STOPPED_S, card.moment))
    if card.sweep:
        await engine.sweep(control)
    elif engine.face.dead_man_s and not await left_nothing(control, engine.face.dead_man_s + DEAD_MAN_LATE_S):
        engine.problems.append("the venue's countdown did not cancel what an engine that stood still had left")
    engine.instance.send(signal.SIGKILL)
    await engine.instance.gone()
    return Way.STOPPED


async def left_nothing(control: Control, seconds: float) -> bool:
    """Whether nothing of ours works any more before the time is up."""
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    while (await control.get("queues", account=ACCOUNT))["rows"]:
        if loop.time() > due:
            return False
        await asyncio.sleep(RESTING_POLL_S)
    return True


async def paused(engine: Engine, control: Control, card: Card, _name: str) -> Way:
    """It stands still, is traded with, and goes on."""
    engine.instance.send(signal.SIGSTOP)
    await asyncio.sleep(within(PAUSED_S, card.moment))
    if card.sweep:
        await engine.sweep(control)
    engine.instance.send(signal.SIGCONT)
    return Way.PAUSED


async def cut(engine: Engine, control: Control, card: Card, _name: str) -> Way:
    await control.post("disconnect", kind=KINDS[int(card.moment * len(KINDS))])
    if card.sweep:
        await engine.sweep(control)
    return Way.CUT


async def disk_full(engine: Engine, _control: Control, card: Card, _name: str) -> Way:
    """No write succeeds any more; then it dies, and the next process has its disk back."""
    pid = engine.instance.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, most))
    if not await engine.instance.ends_within(within(FULL_S, card.moment)):
        engine.instance.send(signal.SIGKILL)
    await engine.instance.gone()
    return Way.DISK


async def restart(engine: Engine, _control: Control, _card: Card, _name: str) -> Way:
    """SIGTERM: it cancels what works, sees it gone, and ends."""
    await engine.stop()
    return Way.RESTART


How = Callable[[Engine, Control, Card, str], Awaitable[Way]]

WAYS: dict[Way, How] = {
    **dict.fromkeys(POINTS, at_point),
    Way.CHECKPOINT: in_checkpoint,
    Way.RECOVERY: in_recovery,
    Way.MOMENT: at_moment,
    Way.STOPPED: stopped,
    Way.PAUSED: paused,
    Way.CUT: cut,
    Way.DISK: disk_full,
    Way.RESTART: restart,
}


async def prepare(engine: Engine, control: Control, card: Card) -> bool:
    """What must be so before the process is started again; False: it is not, so this card cannot be played now."""
    engine.burst_waits = False
    if wants_burst(engine, card):
        engine.burst_waits = await burst(engine, control)
        return engine.burst_waits
    return True


def wants_burst(engine: Engine, card: Card) -> bool:
    """Whether its page is one of executions that a dead engine missed, and not one of all orders that there were."""
    return card.way is Way.PAGE and not (card.sweep and engine.placed() >= ALL_ORDERS_MIN)
