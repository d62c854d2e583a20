"""Sockets: the only importer of zmq. `local`: mailboxes of one host, and senders of other processes on this machine."""

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

__all__ = [
    "OUTSIDE_BYTES_MAX",
    "OUTSIDE_HIGH_WATER",
    "Mailbox",
    "Mailboxes",
    "OutsideMailbox",
    "OutsideSender",
    "ZmqMailboxes",
    "ipc_endpoint",
]
