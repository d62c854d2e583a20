"""Order truth: client order ids, the state of every order, fills, and agreement with the venue. Pure.

`Orders` is the only writer of order state. Reading order: settings, ids, state (the tables), order (the record), desk
(what is shared), commands (from risk and execution), requests (answers of the order door), reports (the venue's words),
queries (answers to our questions), forgotten (what the venue lost), phases, looks and startup
(until ready), stopping (the end of a run), recovery, actor (who assembles them).
"""

from actors.orders.actor import Orders
from actors.orders.settings import External, Leftovers, OrdersSettings, Orphans

__all__ = ["External", "Leftovers", "Orders", "OrdersSettings", "Orphans"]
