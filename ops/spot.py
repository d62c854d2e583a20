"""Binance Spot's order entry fitted to the doors: where both are known."""

from collections.abc import Mapping

from bus.messages import Instrument
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.outcomes import INVALID_TIMESTAMP
from gateway.binance_spot.signing import Signer
from ops.binance import BinanceOrders
from ops.sections import VenueSection


class BinanceSpotOrders(BinanceOrders):
    """gateway.doors.order_venue.VenueOrders."""

    STREAM_ENDS = ("eventStreamTerminated", "serverShutdown")
    """Docs, user-data-stream; web-socket-api, "Server Shutdown"."""
    CLOCK_CODES = (INVALID_TIMESTAMP,)

    def __init__(
        self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument], account: int, venue: int
    ) -> None:
        codec = OrderCodec(
            signed_by,
            signed_by.algorithm == "Ed25519",
            section.recv_window_ms,
            account=account,
            venue=venue,
            instruments=tuple(instruments.values()),
            self_trade_prevention=section.self_trade_prevention,
        )
        super().__init__(codec, signed_by, section, instruments)
        self.subscribe = codec.subscribe_frame
