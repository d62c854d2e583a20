"""What the shape and the flow of a LIVE book say: imbalance, weighted mid, order flow, spread. One Signals a view.

Each metric is its own small reducer, O(1) an update, exact (integers until the last division), with a plain batch
formula in the tests. Windows forget everything when the book is not LIVE. Pure: no clock, no I/O.
"""

from actors.microstructure.actor import Microstructure
from actors.microstructure.settings import MicrostructureSettings

__all__ = ["Microstructure", "MicrostructureSettings"]
