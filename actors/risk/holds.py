"""What risk keeps of one order, and of one instrument between two runs. Plain data."""

import msgspec

from bus.messages import Instrument, Touch


class Hold(msgspec.Struct, gc=False):
    """One reservation, then one order. side: +1 or -1. Lots and ticks of the instrument's present version.

    told: open remainder by OrderUpdate. cumulative: executed by OrderUpdate. filled: executed by Fill. first:
    cumulative when the order was first seen (not 0 only for an order we did not approve in this life).
    leaves, ahead, notional: what is counted of it now. waiting: the venue has not answered it, nor is it given up; sent_ns:
    its approval, 0: not in this life. post_only, reduce_only: of its command, so that a refusal can be told from another.
    """

    owner: str
    command: int
    client_order_id: str
    side: int
    price_ticks: int
    quantity: int
    told: int
    cumulative: int = 0
    filled: int = 0
    first: int = 0
    leaves: int = 0
    ahead: int = 0
    notional: int = 0
    done: bool = False
    waiting: bool = False
    sent_ns: int = 0
    post_only: bool = False
    reduce_only: bool = False


class SavedExposure(msgspec.Struct):
    number: int
    instrument: Instrument | None
    touch: Touch | None
    requests: list[Hold]
    holds: list[Hold]
    base: int
    portfolio: int
    unsettled: int
    fill_ns: int
    position_ns: int
    versions: list[tuple[int, int]]
    unit: int = 0
    held: int | None = None
