"""Reading a recorded capture of Binance Spot for replay: lines to typed events, and a survey of the whole file first.

Format: gzip'd (or plain) JSON lines; line 1 `{"capture": 1, "venue": ..., "source": ...}`, then
`[received_ns, kind, address, text]` with kind `recv`, `send` or `rest`. Level texts are kept as recorded.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

import msgspec

from ..core.decimals import DECIMALS, SCALE, NotDecimal, TooPrecise, parse_decimal
from ..core.filters import SymbolRules
from ..crowd.profiles import split_symbol

VENUES = ("binance-spot", "binance-us")  # the two that speak this protocol
LINE_BYTES_MAX = 64 * 1024 * 1024  # chosen: exchangeInfo of all symbols is about 10 MB

Decimal = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}(\.[0-9]{1,8})?$")]
"""A price or quantity as the venue writes it; anything else is found in the survey, not in the middle of a session."""

TextLevels = list[tuple[Decimal, Decimal]]


class CaptureError(ValueError):
    """The file is no capture that can be replayed; the text says where and why."""


class _Header(msgspec.Struct):
    capture: int
    venue: str


class _Line(msgspec.Struct, array_like=True):
    received_ns: int
    kind: str
    address: str
    text: str


class RecordedDepth(msgspec.Struct, frozen=True):
    s: str
    U: int
    u: int
    b: TextLevels
    a: TextLevels


class RecordedTicker(msgspec.Struct, frozen=True):
    u: int
    s: str
    b: Decimal
    B: Decimal
    a: Decimal
    A: Decimal


class RecordedTrade(msgspec.Struct, frozen=True):
    s: str
    t: int
    p: Decimal
    q: Decimal
    m: bool


class RecordedAggregate(msgspec.Struct, frozen=True):
    s: str
    a: int
    p: Decimal
    q: Decimal
    f: int
    l: int  # noqa: E741 - the venue's own name for the last trade id
    m: bool


class RecordedSnapshot(msgspec.Struct, frozen=True):
    lastUpdateId: int
    bids: TextLevels
    asks: TextLevels
    symbol: str = ""


class _Filter(msgspec.Struct):
    filterType: str
    minPrice: str = "0"
    maxPrice: str = "0"
    tickSize: str = "0"
    minQty: str = "0"
    maxQty: str = "0"
    stepSize: str = "0"
    minNotional: str = "0"
    maxNotional: str = "0"


class _SymbolInfo(msgspec.Struct):
    symbol: str
    baseAsset: str
    quoteAsset: str
    filters: list[_Filter]


class RecordedExchangeInfo(msgspec.Struct):
    symbols: list[_SymbolInfo]


Event = RecordedDepth | RecordedTicker | RecordedTrade | RecordedAggregate | RecordedSnapshot | RecordedExchangeInfo


class Timed(msgspec.Struct, frozen=True):
    received_ns: int
    event: Event


class _Wrapper(msgspec.Struct):
    """A frame of `/stream`, or a bare event, whichever it is."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    e: str = ""
    u: int | msgspec.UnsetType = msgspec.UNSET


_KINDS: dict[str, type[RecordedDepth | RecordedTicker | RecordedTrade | RecordedAggregate]] = {
    "bookTicker": RecordedTicker,  # of futures; spot's says no kind
    "depthUpdate": RecordedDepth,
    "trade": RecordedTrade,
    "aggTrade": RecordedAggregate,
}
_line_decoder = msgspec.json.Decoder(_Line)
_wrapper_decoder = msgspec.json.Decoder(_Wrapper)


def read_events(path: Path, venues: Sequence[str] = VENUES) -> Iterator[Timed]:
    """Yield the events a replay uses, in file order; others (klines, our own frames) are passed over.

    `venues`: whose captures are welcome. Binance's futures speak nearly the same and can be read, though not replayed.
    """
    number = 1
    try:
        with _open(path) as file:
            _check_header(file.readline(LINE_BYTES_MAX), venues)
            while raw := file.readline(LINE_BYTES_MAX):
                number += 1
                line = _line_decoder.decode(raw)
                event = _event(line)
                if event is not None:
                    yield Timed(line.received_ns, event)
    except (OSError, EOFError, zlib.error) as error:
        raise CaptureError(f"cannot be read ({error})") from error
    except CaptureError:
        raise
    except ValueError as error:  # of JSON, of decimals, of an address that is none
        raise CaptureError(f"line {number} is malformed ({error})") from error


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path)) if packed else path.open("rb")  # GzipFile is one in all we use


def _check_header(raw: bytes, venues: Sequence[str]) -> None:
    header = msgspec.json.decode(raw, type=_Header)
    if header.capture != 1 or header.venue not in venues:
        raise CaptureError(
            f"was recorded from {header.venue!r}, format {header.capture}; needs one of {', '.join(venues)}"
        )


def _event(line: _Line) -> Event | None:
    if line.kind == "recv":
        return read_frame(line.text)
    if line.kind != "rest":
        return None
    address = urlsplit(line.address)
    if address.path.endswith("/depth"):
        snapshot = msgspec.json.decode(line.text, type=RecordedSnapshot)
        symbol = parse_qs(address.query).get("symbol", [""])[0]
        return msgspec.structs.replace(snapshot, symbol=symbol)
    if address.path.endswith("/exchangeInfo"):
        return msgspec.json.decode(line.text, type=RecordedExchangeInfo)
    return None


def read_frame(text: str) -> Event | None:
    """Return the event of one market stream's frame, wrapped or not; None for those a replay has no use for."""
    wrapper = _wrapper_decoder.decode(text)
    data: bytes | str = text
    if wrapper.stream:
        data = bytes(wrapper.data)
        wrapper = _wrapper_decoder.decode(data)
    kind = _KINDS.get(wrapper.e)
    if kind is not None:
        return msgspec.json.decode(data, type=kind)
    if not wrapper.e and wrapper.u is not msgspec.UNSET:
        return msgspec.json.decode(data, type=RecordedTicker)
    return None


# ---- the survey


class Survey:
    """What a whole capture holds: the symbols that can be replayed, their rules, and what their fills go by."""

    def __init__(self) -> None:
        self.rules: dict[str, SymbolRules] = {}
        self.with_trades: dict[str, None] = {}
        self._decimals: dict[str, tuple[int, int]] = {}
        self._infos: dict[str, _SymbolInfo] = {}

    def note(self, event: Event) -> None:
        if isinstance(event, RecordedSnapshot):
            self._measure(event)
        elif isinstance(event, RecordedTrade):
            self.with_trades[event.s] = None
        elif isinstance(event, RecordedExchangeInfo):
            self._infos = {info.symbol: info for info in event.symbols}

    def _measure(self, snapshot: RecordedSnapshot) -> None:
        prices, quantities = self._decimals.get(snapshot.symbol, (0, 0))
        for price, quantity in (*snapshot.bids, *snapshot.asks):
            prices = max(prices, _decimals_used(price))
            quantities = max(quantities, _decimals_used(quantity))
        self._decimals[snapshot.symbol] = (prices, quantities)

    def finish(self) -> None:
        """Raise CaptureError for filters that cannot be read."""
        for symbol, (prices, quantities) in self._decimals.items():
            info = self._infos.get(symbol)
            try:
                rules = _learned_rules(symbol, prices, quantities) if info is None else _recorded_rules(info)
            except (KeyError, NotDecimal, TooPrecise) as error:
                raise CaptureError(f"has an exchangeInfo whose filters of {symbol} cannot be used ({error})") from error
            if rules is not None:
                self.rules[symbol] = rules


def survey(path: Path) -> Survey:
    """Read the whole capture once, so that a bad line is found now and not in the middle of a session."""
    found = Survey()
    for timed in read_events(path):
        found.note(timed.event)
    found.finish()
    if not found.rules:
        raise CaptureError("holds no REST depth snapshot (/api/v3/depth), from which the book could start")
    return found


def _decimals_used(text: str) -> int:
    amount = parse_decimal(text)
    return next((n for n in range(DECIMALS) if amount % 10 ** (DECIMALS - n) == 0), DECIMALS)


def _learned_rules(symbol: str, price_decimals: int, quantity_decimals: int) -> SymbolRules | None:
    """Rules from the texts alone: tick and step are the finest decimals seen; no notional filter."""
    assets = split_symbol(symbol)
    if assets is None:
        return None
    tick, step = SCALE // 10**price_decimals, SCALE // 10**quantity_decimals
    large = 9_000_000 * SCALE
    return SymbolRules(
        symbol,
        *assets,
        tick_size=tick,
        price_min=tick,
        step_size=step,
        quantity_min=step,
        quantity_max=large,
        market_quantity_max=large,
        notional_min=0,
        notional_max=0,
    )


def _recorded_rules(info: _SymbolInfo) -> SymbolRules:
    filters = {f.filterType: f for f in info.filters}
    price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    market = filters.get("MARKET_LOT_SIZE", lot)
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or _Filter("NOTIONAL")
    return SymbolRules(
        info.symbol,
        info.baseAsset,
        info.quoteAsset,
        tick_size=parse_decimal(price.tickSize),
        price_min=parse_decimal(price.minPrice),
        price_max=parse_decimal(price.maxPrice),
        step_size=parse_decimal(lot.stepSize),
        quantity_min=parse_decimal(lot.minQty),
        quantity_max=parse_decimal(lot.maxQty),
        market_quantity_max=parse_decimal(market.maxQty),
        notional_min=parse_decimal(notional.minNotional),
        notional_max=parse_decimal(notional.maxNotional),
    )
