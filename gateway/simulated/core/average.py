"""The average trade price that filters measure by (filters.md, `avgPriceMins`). Pure."""

from collections import deque


class AveragePrice:
    """Volume-weighted average trade price over the last minutes; the last price while nothing traded in them."""

    def __init__(self, minutes: int) -> None:
        self._window_ns = minutes * 60_000_000_000
        self._seconds: deque[tuple[int, int, int]] = deque()  # (second_ns, quote amount, base quantity)
        self._amount = 0
        self._quantity = 0
        self._last: int | None = None

    def add(self, price: int, quantity: int, now_ns: int) -> None:
        second_ns = now_ns - now_ns % 1_000_000_000
        amount = price * quantity
        if self._seconds and self._seconds[-1][0] == second_ns:
            _, old_amount, old_quantity = self._seconds.pop()
            self._seconds.append((second_ns, old_amount + amount, old_quantity + quantity))
        else:
            self._forget(now_ns)  # a market in which nobody asks must not remember for ever
            self._seconds.append((second_ns, amount, quantity))
        self._amount += amount
        self._quantity += quantity
        self._last = price

    def value(self, now_ns: int) -> int | None:
        self._forget(now_ns)
        return self._amount // self._quantity if self._quantity else self._last

    def _forget(self, now_ns: int) -> None:
        while self._seconds and self._seconds[0][0] < now_ns - self._window_ns:
            _, amount, quantity = self._seconds.popleft()
            self._amount -= amount
            self._quantity -= quantity
