"""Messages to bytes and back. A decoder takes only its actor's inbox: any other tag is an error, not a guess."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from bus.messages import VOCABULARY, Message

encode: Callable[[Message], bytes] = msgspec.msgpack.Encoder().encode
"""The body of a message (tag and fields), without its header."""


def decoder(types: Iterable[type[Message]]) -> Callable[[bytes], Message]:
    """A function from body to message, for exactly these types. It raises msgspec.DecodeError on anything else,
    and UnicodeDecodeError on text that is no UTF-8; both are ValueErrors.

    Takes the body alone: the caller cuts the header off.
    """
    inbox: Any = reduce(or_, types)
    return msgspec.msgpack.Decoder(inbox).decode


decode_any = decoder(VOCABULARY)
"""For logs and tools, which read everything."""


def tag_of(message_type: type[Message]) -> int:
    """The type's number on the wire and its kind in the logs."""
    tag = message_type.__struct_config__.tag
    assert isinstance(tag, int), message_type
    return tag


TYPE_OF_TAG: dict[int, type[Message]] = {tag_of(message_type): message_type for message_type in VOCABULARY}
