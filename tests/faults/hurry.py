"""An engine that believes no request to take its venue longer than a second, where the real one has ten: ours does not.

An order that was lost on the wire, as one is whose connection is cut at the wrong moment, is given up sooner: a start does not
wait for that, but a stop that shall end with nothing unresolved does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from actors.orders.settings import OrdersSettings
from ops import assembly
from ops.sections import Config

BOUND_NS = 1_000_000_000

_made = assembly._orders


def _hurried(config: Config) -> OrdersSettings:
    return replace(_made(config), processing_bound_ns=BOUND_NS)


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Of every engine that is made within it."""
    assembly._orders = _hurried
    try:
        yield
    finally:
        assembly._orders = _made
