"""Frames taken together because the host is behind: all their updates pass, the last one of an instrument is shown. Pure."""

import msgspec

from bus.messages import DepthUpdate, Message


def conflate(messages: list[Message]) -> int:
    """Mark, in place, every update that another one of its instrument follows (`DepthUpdate.more`). Returns how many."""
    shown: set[int] = set()
    marked = 0
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        if type(message) is not DepthUpdate:
            continue
        if message.instrument in shown:
            messages[at] = msgspec.structs.replace(message, more=True)
            marked += 1
        else:
            shown.add(message.instrument)
    return marked
