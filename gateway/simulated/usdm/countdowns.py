"""`countdownCancelAll`: cancel an account's orders in a symbol unless told otherwise in time (docs, "Auto-Cancel All Open Orders"). Pure."""

from ..core.orders import AccountId

Key = tuple[AccountId, str]


class Countdowns:
    """One an account and symbol; each new word replaces the last."""

    def __init__(self) -> None:
        self._due: dict[Key, int] = {}

    def set(self, account: AccountId, symbol: str, length_ns: int, now_ns: int) -> None:
        """Start it anew; 0 stops it."""
        if length_ns:
            self._due[account, symbol] = now_ns + length_ns
        else:
            self._due.pop((account, symbol), None)

    def fire(self, now_ns: int) -> list[Key]:
        """Return those that are over, in the order they were; they are over for good."""
        over = sorted((due_ns, key) for key, due_ns in self._due.items() if due_ns <= now_ns)
        for _, key in over:
            del self._due[key]
        return [key for _, key in over]
