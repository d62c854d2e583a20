"""What the shape and the flow of a LIVE book say. One Signals a view; one Liquidity when its shape is another.

shape.py     imbalance, depth imbalance, weighted mid: of one view, without memory
flow.py      order flow imbalance, over the last updates
pressure.py  signed trade flow and sweeps, over time
liquidity.py clusters, thin ice, depth to move a side
flicker.py   levels that come and go
window.py, timewindow.py  the last n, the last seconds
metrics.py   all of these of one instrument

Each is its own small reducer of bounded cost, exact (integers until the last division), with a plain batch formula in the
tests. Windows forget everything when the book is not LIVE. Pure: no clock, no I/O.
"""

from actors.microstructure.actor import Microstructure
from actors.microstructure.settings import MicrostructureSettings

__all__ = ["Microstructure", "MicrostructureSettings"]
