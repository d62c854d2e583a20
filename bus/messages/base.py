"""What every message is, and the header that travels in front of it. Pure.

A message on the wire is a fixed header of `HEADER_SIZE` bytes and then one msgpack array: the type's tag, then its
fields in order. The header is not part of the struct: actors return plain values, and the host, which alone knows
the host number, the input's offset and the sequence, writes it. So two runs of one actor give equal values.
"""

from struct import Struct as Packer
from typing import NamedTuple

import msgspec

HEADER_VERSION = 1
HEADER = Packer("<BBHQQ")
HEADER_SIZE = HEADER.size


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of all messages: immutable, compared by value, untracked by the collector (so: never a list or dict inside)."""


class Header(NamedTuple):
    """hop: how many messages lie between the input and this one. version: of the header and vocabulary's layout.

    host, offset: the input that caused it all, by the host that took it and that host's number for it. Where a message
    crosses to another host its cause goes with it, so that an order still says which frame it was made from.
    sequence: counts all messages that the sender ever sent in this run; with the sender's log it names a message.
    """

    hop: int
    version: int
    host: int
    offset: int
    sequence: int


def read_header(raw: bytes) -> Header:
    """The header of one message as it travels. Raises struct.error when `raw` is shorter than a header."""
    return Header(*HEADER.unpack_from(raw))
