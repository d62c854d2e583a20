"""Binance's USD-M futures' order entry fitted to the doors: where both are known."""

import re
from collections.abc import Callable, Mapping

from bus.messages import ExecutionReport, Instrument, ReportKind
from gateway.binance_spot.events import AccountPosition
from gateway.binance_spot.outcomes import INVALID_TIMESTAMP
from gateway.binance_spot.signing import Signer
from gateway.binance_usdm.events import LISTEN_KEY_EXPIRED, WalletMoved
from gateway.binance_usdm.orders import StreamAnswer, UsdmOrderCodec
from gateway.binance_usdm.outcomes import ENGINE_WINDOW
from gateway.doors.order_venue import Read, SessionAnswer
from ops.binance import BinanceOrders
from ops.sections import VenueSection

KEEP_ALIVE_S = 1_200.0
"""A listen key is good for an hour ("User Data Streams"); a third of it: two may be lost. Chosen."""
_LISTEN_KEY = re.compile(r"[A-Za-z0-9_-]{1,200}").fullmatch


class BinanceUsdmOrders(BinanceOrders):
    """gateway.doors.order_venue.VenueOrders, and gateway.doors.private_socket.StreamVenue."""

    STREAM_ENDS = (LISTEN_KEY_EXPIRED, "serverShutdown")
    """Docs, "User Data Streams"."""
    CLOCK_CODES = (INVALID_TIMESTAMP, ENGINE_WINDOW)
    keep_alive_s = KEEP_ALIVE_S

    def __init__(
        self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument], account: int, venue: int
    ) -> None:
        codec = UsdmOrderCodec(
            signed_by,
            signed_by.algorithm == "Ed25519",
            section.recv_window_ms,
            account=account,
            venue=venue,
            instruments=tuple(instruments.values()),
            self_trade_prevention=section.self_trade_prevention,
        )
        super().__init__(codec, signed_by, section, instruments)
        self._streams = section.streams.rstrip("/")
        self._subscribe, self.keep_alive = codec.subscribe_frame, codec.keep_alive_frame
        self.on_wallet: Callable[[str], None] = lambda cause: None
        """Hears that the wallet moved by something that is no trade."""
        self.on_stream: Callable[[], None] = lambda: None
        """Hears that a private stream is about to open."""

    def subscribe(self, timestamp_ms: int) -> bytes:
        return self._subscribe()

    def read(self, payload: bytes, received_ns: int) -> list[Read]:
        """An execution in a symbol that nobody configured is told by its incomes alone."""
        reads = super().read(payload, received_ns)
        first = reads[0] if reads else None
        if isinstance(first, ExecutionReport) and first.instrument < 0 and first.kind is ReportKind.TRADE:
            self.on_wallet(first.kind.name)
        return reads

    def _besides(self, decoded: AccountPosition | WalletMoved | StreamAnswer) -> list[Read]:
        if isinstance(decoded, StreamAnswer):
            return [self._stream(decoded)]
        if isinstance(decoded, WalletMoved):
            self.on_wallet(decoded.cause)
        return []

    def _stream(self, answer: StreamAnswer) -> SessionAnswer:
        """Where the private stream is ("User Data Streams", since 2026-04-23 under /private)."""
        if not _LISTEN_KEY(answer.listen_key):
            return SessionAnswer("subscribe", -1, "the listen key is none that can stand in an address")
        self.on_stream()
        return SessionAnswer("subscribe", 0, "", 0, f"{self._streams}/private/ws/{answer.listen_key}")
