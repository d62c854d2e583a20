"""Listen keys: the names of accounts' user data streams, good for an hour from the last word (docs, "User Data Streams"). Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from ..core.orders import AccountId
from .errors import invalid_listen_key

LIFE_NS = 3_600_000_000_000  # docs: "valid for 60 minutes"


@dataclass(slots=True)
class _Key:
    name: str
    expires_ns: int


class ListenKeys:
    """One key an account. `new_name` makes a name nobody can guess."""

    def __init__(self, new_name: Callable[[], str]) -> None:
        self._new_name = new_name
        self._keys: dict[AccountId, _Key] = {}

    def start(self, account: AccountId, now_ns: int) -> str:
        """Return the account's key, a new one where there is none, and extend its life."""
        key = self._keys.get(account)
        if key is None or key.expires_ns <= now_ns:
            key = self._keys[account] = _Key(self._new_name(), 0)
        key.expires_ns = now_ns + LIFE_NS
        return key.name

    def extend(self, account: AccountId, now_ns: int) -> str:
        """Raises BadRequest (-1125) without a key."""
        if self.of(account, now_ns) is None:
            raise invalid_listen_key()
        return self.start(account, now_ns)

    def end(self, account: AccountId) -> str | None:
        """Forget the account's key; return it, if there was one."""
        key = self._keys.pop(account, None)
        return None if key is None else key.name

    def of(self, account: AccountId, now_ns: int) -> str | None:
        key = self._keys.get(account)
        return None if key is None or key.expires_ns <= now_ns else key.name

    def is_key(self, name: str) -> bool:
        return any(key.name == name for key in self._keys.values())

    def expire(self, now_ns: int) -> list[str]:
        """Forget the keys whose hour is over; return them."""
        over = [account for account, key in self._keys.items() if key.expires_ns <= now_ns]
        return [self._keys.pop(account).name for account in over]
