"""`python -m tests.faults.touchline_in_a_hurry`: touchline with two settings that nobody else needs.

Pages of trades have two rows, so that a list has several; and the venue is believed to work on no request for longer than
a second (ours does not), where the real one has ten: an order that a killed engine left on the wire is given up sooner.
"""

from msgspec.structs import replace

from gateway.binance_spot import queries
from ops import assembly
from ops.cli import main

BOUND_NS = 1_000_000_000

made = assembly._orders
assembly._orders = lambda config: replace(made(config), processing_bound_ns=BOUND_NS)
queries.TRADES_MAX = 2
main()
