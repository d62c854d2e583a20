"""Order flow imbalance after Cont, Kukanov and Stoikov (2014, arXiv:1011.6402). HOT PATH."""

import msgspec

from actors.microstructure.window import Window


class OrderFlow(msgspec.Struct):
    """Sum of e_n over the last `window.size` updates, quantity units. The first update only sets what to compare with.

    e_n = [P_b >= P_b'] q_b - [P_b <= P_b'] q_b' - [P_a <= P_a'] q_a + [P_a >= P_a'] q_a', primes: the update before.
    Taken between the book's updates, not between single orders: an update of 100 ms nets what happened in it.
    """

    window: Window
    last: tuple[int, int, int, int] | None = None

    def update(self, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> None:
        last = self.last
        self.last = (bid, bid_quantity, ask, ask_quantity)
        if last is None:
            return
        last_bid, last_bid_quantity, last_ask, last_ask_quantity = last
        event = 0
        if bid >= last_bid:
            event += bid_quantity
        if bid <= last_bid:
            event -= last_bid_quantity
        if ask <= last_ask:
            event -= ask_quantity
        if ask >= last_ask:
            event += last_ask_quantity
        self.window.push(event)

    def clear(self) -> None:
        self.window.clear()
        self.last = None
