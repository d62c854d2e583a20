"""What people and telemetry see of risk. Pure; off the hot path."""

from collections.abc import Collection
from typing import Any

from actors.risk.checks import Book
from actors.risk.repeats import Repeats
from actors.risk.sums import Account
from actors.risk.switch import Switch


def view(books: Collection[Book], account: Account, switch: Switch, repeats: Repeats) -> dict[str, Any]:
    """states: by scope. reasons: (scope, name, state, text). ladder: its step and each measure, ns; -1: not told yet.

    in_flight: by instrument, orders without an answer. held_back: requests that the venue has refused too often.
    """
    reasons = switch.reasons
    return {
        "states": {scope: state.name for scope, state in reasons.states.items()},
        "reasons": [(held.scope, held.name, held.state.name, held.text) for held in reasons.saved()],
        "worst_long_lots": {book.number: book.worst_long() for book in books},
        "worst_short_lots": {book.number: book.worst_short() for book in books},
        "open_orders": account.open_orders,
        "open_notional": dict(account.notional),
        "in_flight": {book.number: book.in_flight for book in books},
        "ladder": switch.watch.ladder.view(),
        "held_back": repeats.view(),
    }
