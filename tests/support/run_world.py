"""One world in a process of its own, told in one line: `python -m tests.support.run_world SEED SECONDS TRANSPORT`."""

import sys
from zlib import crc32

from bus.loopback import LoopbackMailboxes
from bus.mailbox import Mailboxes, ZmqMailboxes
from tests.support.world import LONG, Faults, World

TRANSPORTS: dict[str, type[ZmqMailboxes] | type[LoopbackMailboxes]] = {
    "sockets": ZmqMailboxes,
    "loopback": LoopbackMailboxes,
}


def run_world(seed: int, seconds: float, faults: Faults = LONG, mailboxes: Mailboxes | None = None) -> World:
    """That long of trading, then a stop, to its end."""
    world = World(seed, faults, mailboxes)
    world.start()
    world.run(seconds)
    world.finish()
    return world


def told(world: World) -> str:
    """Digest and count of all outputs, checksums of journal and input log, what was written to the socket."""
    house = world.house
    journal = crc32(repr(house.journal.records).encode())
    inputs = crc32(repr(house.input_log.records).encode())
    return f"{house.host.digest:08x} {house.host.offset} {house.host.sequence} {journal:08x} {inputs:08x}"


if __name__ == "__main__":
    sys.stdout.write(told(run_world(int(sys.argv[1]), float(sys.argv[2]), mailboxes=TRANSPORTS[sys.argv[3]]())) + "\n")
