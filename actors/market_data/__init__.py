"""From raw frames to a gapless depth stream. Decides when a book may be believed; holds no prices itself.

Reads frames through a venue's codec, joins snapshot and diff stream by the venue's rule, and says BookStateChanged before
anyone could use a book with a hole in it. Pure: no clock, no I/O.

a book       sync (the table), bridge, resync, budget, depth, numbers, checksums
a frame      actor, events, conflation, passing (what is no depth)
a stream     watch (who is silent), silence (what is done), ages (how late), liveness (all of it, and the tape)
the tape     trades, backfill
a connection phases, rolls
besides      state, alerts
"""

from actors.market_data.actor import MarketData
from actors.market_data.state import FeedConnection

__all__ = ["FeedConnection", "MarketData"]
