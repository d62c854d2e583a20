"""`python -m tests.faults.touchline_in_a_hurry`: touchline with two settings that nobody else needs.

Pages of trades have two rows, so that a list has several; and see `hurry`.
"""

from gateway.binance_spot import queries
from ops.cli import main
from tests.faults.hurry import in_a_hurry

queries.TRADES_MAX = 2
with in_a_hurry():
    main()
