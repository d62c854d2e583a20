"""Sockets: the only importer of zmq. `local`: mailboxes of one host, and senders of other processes on this machine;
`tap`: what a host shows to whoever watches.
"""

from bus.mailbox.local import (
    OUTSIDE_BYTES_MAX,
    OUTSIDE_HIGH_WATER,
    Mailbox,
    Mailboxes,
    OutsideMailbox,
    OutsideSender,
    ZmqMailboxes,
    ipc_endpoint,
)
from bus.mailbox.tap import Tap, Watcher

__all__ = [
    "OUTSIDE_BYTES_MAX",
    "OUTSIDE_HIGH_WATER",
    "Mailbox",
    "Mailboxes",
    "OutsideMailbox",
    "OutsideSender",
    "Tap",
    "Watcher",
    "ZmqMailboxes",
    "ipc_endpoint",
]
