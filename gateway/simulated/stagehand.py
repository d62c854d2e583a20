"""What the control door can do to the venue: connections, streams, the crowd, rules, money. Faults have their own rows."""

import math
from collections.abc import Mapping

import msgspec

from . import known
from .connection import Clock
from .control import Command, Run
from .core.decimals import decimal_text
from .core.errors import BadRequest, invalid_symbol
from .core.filters import filters_payload
from .core.orders import AccountId, Side
from .crowd.regimes import REGIME_NAMES, regime_named
from .faults.engine import FaultEngine
from .faults.kinds import SECONDS_MAX
from .faults.spec import SpecError, Specs, fault
from .faults.timers import RULES, disconnect, shut_down
from .faults.whom import ALL
from .market import Market
from .operations import Params
from .payload import Json
from .spot import parameters

FILTERS = {"tickSize": RULES["tick_size"], "stepSize": RULES["step_size"], "minNotional": RULES["notional_min"]}
"""Parameters, and the rules that follow them."""
GRIDS = ("tickSize", "stepSize")
HALTS = ("HALT", "BREAK")  # what a fault may say on either face
STATUSES = {
    "spot": ("TRADING", "END_OF_DAY", *HALTS),  # enums.md, "Symbol status"
    "usdm": (  # "Common Definition", "Contract status"
        "TRADING", "PENDING_TRADING", "PRE_DELIVERING", "DELIVERING", "DELIVERED", "PRE_SETTLE", "SETTLING", "CLOSE", *HALTS,
    ),
}  # fmt: skip
"""By face."""
STREAMS = ("depth", "bookTicker", "trade", "aggTrade")
FRAMES_MAX = 100_000  # of one order to drop; chosen
CONNECTIONS = (ALL, "market", "api")
FACE = {"face": "spot unless named, or usdm"}
STREAM = {"symbol": "all is every one", "stream": "depth, bookTicker, trade, aggTrade, all"}


def market_of(faces: Mapping[str, Market], params: Params) -> Market:
    """Return the market of the face that is asked for."""
    name = params.get("face", next(iter(faces)))
    if name not in faces:
        raise known.invalid("face", f"one of {', '.join(faces)}")
    return faces[name]


class StageHand:
    """What spoils streams and connections it leaves to the faults."""

    def __init__(self, faces: Mapping[str, Market], faults: FaultEngine, clock: Clock) -> None:
        self._faces = faces
        self._faults = faults
        self._clock = clock

    def commands(self) -> list[Command]:
        return [
            _act("disconnect", self._disconnect, "cuts connections, without a goodbye", kind="all, market, api"),
            _act("drop", self._drop, "loses the next frames", **STREAM, count="1 unless named", **FACE),
            _act(
                "stall", self._stall, "sends nothing for so long; pings and pongs go on", **STREAM, seconds="", **FACE
            ),
            _act(
                "server-shutdown",
                self._server_shutdown,
                "announces it on every market connection and closes those after so long; new ones are welcome",
                seconds="",
                **FACE,
            ),
            _act("market", self._market_order, "a market order by the crowd", symbol="", side="", quantity="", **FACE),
            _act(
                "filters",
                self._filters,
                "other rules from now on: in exchangeInfo, and for new orders",
                symbol="",
                **dict.fromkeys(FILTERS, "decimal"),
                status="; ".join(f"{face}: {', '.join(words)}" for face, words in STATUSES.items()),
                **FACE,
            ),
            _act("deposit", self._deposit, "brings money in", account="", asset="", amount="", **FACE),
            _act(
                "regime",
                self._regime,
                "what the crowd is like from now on",
                regime=", ".join(REGIME_NAMES),
                symbol="all unless named",
                **FACE,
            ),
            _act("pause-flow", self._pause, "the crowd stops", **FACE),
            _act("resume-flow", self._resume, "the crowd goes on", **FACE),
        ]

    def _disconnect(self, params: Params, body: bytes) -> Json:
        kind = params.get("kind", ALL)
        known.one_of(params, "kind", CONNECTIONS)
        return {"disconnected": sum(disconnect(face, kind) for face in self._faults.faces.values())}

    def _drop(self, params: Params, body: bytes) -> Json:
        symbol, stream = self._stream(params)
        count = parameters.integer(params, "count")
        count = 1 if count is None else count
        if count > FRAMES_MAX:
            raise known.invalid("count", f"at most {FRAMES_MAX}")
        for name in STREAMS if stream == ALL else (stream,):
            self._set(params, symbol, name, kind="market-drop", count=count)
        return {"symbol": symbol, "stream": stream, "count": count}

    def _stall(self, params: Params, body: bytes) -> Json:
        symbol, stream = self._stream(params)
        seconds = _seconds(params)
        if seconds:
            self._set(params, symbol, stream, kind="market-stall", seconds=seconds, until_s=seconds)
        return {"symbol": symbol, "stream": stream, "seconds": seconds}

    def _stream(self, params: Params) -> tuple[str, str]:
        """Symbol (one that is traded, or all) and stream (a known one, or all)."""
        symbol, stream = params.get("symbol", ALL), params.get("stream", ALL)
        if symbol != ALL and symbol not in self._market(params).engine.instruments:
            raise invalid_symbol()
        known.one_of(params, "stream", (*STREAMS, ALL))
        return symbol, stream

    def _set(self, params: Params, symbol: str, stream: str, **keys: object) -> None:
        """Set a fault of one face's stream."""
        face = params.get("face", next(iter(self._faces)))
        named = {} if symbol == ALL else {"symbol": symbol}
        try:
            self._faults.set(Specs((fault(face=face, stream=stream, **named, **keys),)))
        except SpecError as error:
            raise BadRequest(-1130, str(error)) from error

    def _server_shutdown(self, params: Params, body: bytes) -> Json:
        seconds = _seconds(params)
        self._market(params)
        face = self._faults.faces[params.get("face", next(iter(self._faces)))]
        return {"told": shut_down(face, seconds, self._faults.stage), "seconds": seconds}

    def _market_order(self, params: Params, body: bytes) -> Json:
        parameters.text(params, "side")
        side = parameters.choice(params, "side", Side, Side.BUY, BadRequest(-1117, "Invalid side."))
        quantity = parameters.decimal(params, "quantity")
        if quantity == 0:
            raise BadRequest(-1013, "Invalid quantity.")
        now_ns, market = self._clock(), self._market(params)
        executed = market.background_order(parameters.text(params, "symbol"), side, quantity, now_ns)
        market.publish(now_ns)
        return {"executedQty": decimal_text(executed)}

    def _filters(self, params: Params, body: bytes) -> Json:
        """What is not named stays. Resting orders stay as well, as at the venue; the crowd keeps to its old prices."""
        listed = self._market(params).engine.instrument(parameters.text(params, "symbol"))
        changes: dict[str, int | str] = {}
        for name, fields in FILTERS.items():
            if name in params:
                value = parameters.decimal(params, name)
                if name in GRIDS and not value:
                    raise known.invalid(name, "a number above 0")
                changes |= dict.fromkeys(fields, value)
        if "status" in params:
            known.one_of(params, "status", STATUSES[params.get("face", next(iter(self._faces)))])
            changes["status"] = params["status"]
        listed.rules = msgspec.structs.replace(listed.rules, **changes)
        return {"symbol": listed.rules.symbol, "status": listed.rules.status, "filters": filters_payload(listed.rules)}

    def _deposit(self, params: Params, body: bytes) -> Json:
        account = AccountId(parameters.text(params, "account"))
        asset, amount = parameters.text(params, "asset"), parameters.decimal(params, "amount")
        market = self._market(params)
        known.check([market], params)
        now_ns = market.engine.ledger.now_ns = self._clock()
        market.engine.ledger.deposit(account, asset, amount)
        market.users.publish_deposit(account, asset, amount, now_ns)
        return {"account": account, "asset": asset, "amount": decimal_text(amount)}

    def _regime(self, params: Params, body: bytes) -> Json:
        name, market = parameters.text(params, "regime"), self._market(params)
        known.one_of(params, "regime", REGIME_NAMES)
        market.set_regime(regime_named(name), params.get("symbol"))
        return {"regimes": dict(market.regimes())}

    def _pause(self, params: Params, body: bytes) -> Json:
        self._market(params).flowing.clear()
        return {"flowing": False}

    def _resume(self, params: Params, body: bytes) -> Json:
        market = self._market(params)
        if market.ended.is_set():
            raise BadRequest(-1020, "This operation is not supported: the replay is over.")
        market.flowing.set()
        return {"flowing": True}

    def _market(self, params: Params) -> Market:
        return market_of(self._faces, params)


def _act(name: str, run: Run, what: str, /, **named: str) -> Command:
    return Command("POST", name, what, named, run)


def _seconds(params: Params) -> float:
    try:
        seconds = float(parameters.text(params, "seconds"))
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds <= SECONDS_MAX:
        raise known.invalid("seconds", f"0 to {SECONDS_MAX:.0f}")
    return seconds
