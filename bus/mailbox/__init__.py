"""Sockets: the only importer of zmq. `local`: mailboxes of one host, and senders of other processes on this machine;
`tap`: what a host shows to whoever watches; `peers`: between hosts, with `keys` in files.
"""

from bus.mailbox import keys
from bus.mailbox.keys import KeyPair
from bus.mailbox.local import (
    OUTSIDE_BYTES_MAX,
    OUTSIDE_HIGH_WATER,
    Mailbox,
    Mailboxes,
    OutsideMailbox,
    OutsideSender,
    ZmqMailboxes,
    check_ipc_path,
    ipc_endpoint,
)
from bus.mailbox.peers import PeerListener, PeerSender, check_endpoint
from bus.mailbox.tap import Tap, Watcher

__all__ = [
    "OUTSIDE_BYTES_MAX",
    "OUTSIDE_HIGH_WATER",
    "KeyPair",
    "Mailbox",
    "Mailboxes",
    "OutsideMailbox",
    "OutsideSender",
    "PeerListener",
    "PeerSender",
    "Tap",
    "Watcher",
    "ZmqMailboxes",
    "check_endpoint",
    "check_ipc_path",
    "ipc_endpoint",
    "keys",
]
