"""One frame between two hosts: a header that says everything about the state of the link, then entries. Pure.

Every frame carries both directions' state (what I am, what I want, what I have taken), so that there is no handshake to
get stuck in: a frame that is lost is only news that comes with the next one.
"""

from collections.abc import Sequence
from struct import Struct as Packer
from struct import error as StructError
from typing import NamedTuple

from bus.messages import HEADER_SIZE, HEADER_VERSION

MAGIC = b"TLK1"
"""Touchline link, version 1: a host that speaks another version is refused by its first four bytes."""

SYNCED, LOSSY, BYE = 1, 2, 4
"""Flags. SYNCED: with this frame everything that is told at a session's begin has been told. LOSSY: facts were lost,
because more waited than may wait. BYE: this run ends now."""

_HEADER = Packer("<4sBxH8sQQQQQQQqH")
_ENTRY = Packer("<BxxxIQ")
HEADER_BYTES, ENTRY_BYTES = _HEADER.size, _ENTRY.size

ENTRIES_MAX = 256
"""Of one frame; the longest burst of one cascade that we know of, a stop, is cut into a few. Chosen."""
FRAME_BYTES_MAX = 256 << 10
"""Entries are cut into frames of about this size; one message alone may be longer, up to the mailbox's limit. Chosen."""


class Header(NamedTuple):
    """host, run: who sends, and which start of it. peer_run: of the receiver, as the sender knows it; 0: not yet.

    session, number: the receiver's session that the entries belong to (0: none), and the frame's place in it.
    wants: the session that the sender wants to receive. facts_taken, data_taken: what it has taken: the sequence of the
    last fact, and how many data messages of that session. sent_ns: the sender's engine time.
    """

    flags: int
    host: int
    vocabulary: bytes
    run: int
    peer_run: int
    session: int
    number: int
    wants: int
    facts_taken: int
    data_taken: int
    sent_ns: int


class Entry(NamedTuple):
    """One message as it travels in a host (header and body). sequence: of a fact; 0: told within the session only."""

    tag: int
    sequence: int
    raw: bytes


class Unreadable(Exception):
    """Bytes that are no frame of this version. The text says what was expected, never what was in them."""


def pack(header: Header, entries: Sequence[Entry] = ()) -> bytes:
    parts = [_HEADER.pack(MAGIC, *header, len(entries))]
    for tag, sequence, raw in entries:
        parts.append(_ENTRY.pack(tag, len(raw), sequence))
        parts.append(raw)
    return b"".join(parts)


def unpack(frame: bytes) -> tuple[Header, list[Entry]]:
    """Raises Unreadable."""
    try:
        magic, *fields, count = _HEADER.unpack_from(frame)
    except StructError as error:
        raise Unreadable(f"{len(frame)} bytes, shorter than a header") from error
    if magic != MAGIC:
        raise Unreadable(f"it does not begin with {MAGIC.decode()}: another version, or no host at all")
    entries, at = [], HEADER_BYTES
    try:
        for _ in range(count):
            tag, length, sequence = _ENTRY.unpack_from(frame, at)
            at += ENTRY_BYTES
            raw = frame[at : at + length]
            if len(raw) <= HEADER_SIZE or raw[1] != HEADER_VERSION:
                raise Unreadable(f"an entry that does not begin with a message's header of version {HEADER_VERSION}")
            entries.append(Entry(tag, sequence, raw))
            at += length
    except StructError as error:
        raise Unreadable("an entry's head is cut off") from error
    if at != len(frame):
        raise Unreadable(f"{len(frame)} bytes, {at} expected")
    return Header(*fields), entries
