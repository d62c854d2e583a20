"""What becomes of something that is sent, a frame or an event, by the kinds that market and user streams share. Pure."""

from typing import Protocol

from .active import Fault
from .lanes import SWAPPED


class Draft(Protocol):
    """What becomes of one. copies: 0 is lost; swaps: it changes place with the next one."""

    copies: int
    delay_ns: int
    swaps: bool


def drop(fault: Fault, draft: Draft) -> str:
    draft.copies = 0
    return "lost"


def double(fault: Fault, draft: Draft) -> str:
    draft.copies += draft.copies > 0
    return "sent twice"


def reorder(fault: Fault, draft: Draft) -> str:
    draft.swaps = True
    return SWAPPED


def delay(fault: Fault, draft: Draft) -> str:
    delay_ns = fault.draw_ns("delay_ms")
    draft.delay_ns += delay_ns
    return f"late by {delay_ns / 1e6:.0f} ms"


def stall(fault: Fault, draft: Draft) -> str:
    draft.copies = 0
    fault.last(fault.spec.number("seconds"))
    return f"silent for {fault.spec.number('seconds'):g} s"
