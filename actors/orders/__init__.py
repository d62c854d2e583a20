"""Order truth: client order ids, the state of every order, fills, and agreement with the venue. Pure.

`Orders` is the only writer of order state. Reading order:

one order           settings, ids, state (the tables), order (the record), register (all of them), desk (what is shared)
what comes in       commands (from risk and execution), cancels, requests (answers of the order door), reports (the venue's words),
                    executions (where a Fill is made), question, pace and queries (what we asked)
what is odd         quarantine (contradictions), forgotten and absent (what the venue lost, or never had), lookups (what memory lost)
orders of others    strangers (whose they are), foreign (their executions), takeover (what a predecessor did)
agreement           phases, looks and startup (until ready, and while), private_stream (does it tell everything?),
                    differences (what is said of it), people (a CANCEL_ALL)
a run               stopping, recovery, restored, actor (who assembles them)
"""

from actors.orders.actor import Orders
from actors.orders.settings import External, Leftovers, OrdersSettings, Orphans

__all__ = ["External", "Leftovers", "Orders", "OrdersSettings", "Orphans"]
