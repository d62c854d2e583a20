"""The kinds of faults, as a table: where each acts, what it takes, what happens. The reference page is read off it. Pure."""

from enum import Enum
from typing import NamedTuple

from ..operations import Kind as Asks
from . import values
from .values import Read, Value

MS_MAX = 60_000.0  # chosen: a client has given up by then
SECONDS_MAX = 3_600.0  # chosen
BAN_SECONDS_MAX = 259_200.0  # rest-api.md, "IP Limits": bans last 3 days at most
SKEW_MS_MAX = 86_400_000.0  # chosen: a day
AGE_S_MAX = 60.0  # chosen: bounds what `snapshot-stale` keeps
LAG_MS_MAX = 60_000.0  # chosen: bounds what `query-lag` keeps
PERIOD_S_MIN = 0.01  # chosen


class Acts(Enum):
    """Where a kind of fault gets its chances."""

    REQUEST = "each request it is for"
    MARKET = "each frame of a market stream that somebody hears, a stream's frame once whatever the number of listeners"
    USER = "each event of an account's user data stream"
    PERIOD = "every `period_s`"
    WINDOW = "one, as its window opens; a hit holds until the window's end"


class Parameter(NamedTuple):
    """`form` says what may be given; `default` is what stands in for a missing one, unless it must be given."""

    name: str
    read: Read
    form: str
    text: str
    default: Value = None
    required: bool = False


class FaultKind(NamedTuple):
    """`text`: what happens at a hit. `filters`: which keys may say whom it hits. `asks`: the requests it is for.

    Where `door` is not empty, only requests of that door give it a chance.
    """

    acts: Acts
    text: str
    parameters: tuple[Parameter, ...] = ()
    filters: tuple[str, ...] = ()
    asks: tuple[Asks, ...] = tuple(Asks)
    door: str = ""


_REQUEST = ("face", "door", "operation", "symbol", "account", "side", "client_order_id")
_MARKET = ("face", "symbol", "stream")
_USER = ("face", "symbol", "account", "side", "client_order_id")
_COMMANDS = (Asks.PLACE, Asks.CANCEL, Asks.REPLACE, Asks.AMEND)


def _delay(text: str) -> Parameter:
    form = f"ms, 0 to {MS_MAX:.0f}, or a pair"
    return Parameter("delay_ms", values.span(0.0, MS_MAX), form, text, required=True)


def _seconds(text: str, default: float | None) -> Parameter:
    return Parameter("seconds", values.number(0.0, SECONDS_MAX), f"0 to {SECONDS_MAX:.0f}", text, default)


_PERIOD = Parameter(
    "period_s", values.number(PERIOD_S_MIN, SECONDS_MAX), f"{PERIOD_S_MIN} to {SECONDS_MAX:.0f}", "between chances", 1.0
)

KINDS: dict[str, FaultKind] = {
    "market-drop": FaultKind(Acts.MARKET, "The frame is lost.", (), _MARKET),
    "market-double": FaultKind(Acts.MARKET, "The frame is sent twice.", (), _MARKET),
    "market-reorder": FaultKind(
        Acts.MARKET,
        "The frame changes places with the next one of its stream; without a next one it waits.",
        (),
        _MARKET,
    ),
    "market-corrupt": FaultKind(
        Acts.MARKET,
        "The frame's content is wrong: no JSON; cut off in the middle; a first price ten times too high; or its ids moved on.",
        (
            Parameter(
                "how",
                values.choice("json", "truncated", "price", "sequence"),
                "json, truncated, price, sequence",
                "in which way",
                "json",
            ),
        ),
        _MARKET,
    ),
    "market-delay": FaultKind(
        Acts.MARKET,
        "The frame is late, and what follows on its stream waits for it: order within a stream is kept.",
        (_delay("how late"),),
        _MARKET,
    ),
    "market-stall": FaultKind(
        Acts.MARKET,
        "Every frame it is for is lost for so long, from the hit on and to the window's end at most. Pings and pongs go on.",
        (_seconds("how long", 5.0),),
        _MARKET,
    ),
    "disconnect": FaultKind(
        Acts.PERIOD,
        "The connections are cut, without a goodbye.",
        (
            Parameter(
                "connections",
                values.choice("market", "api", "all"),
                "market, api, all",
                "which: api is all but market",
                "all",
            ),
            _PERIOD,
        ),
        ("face",),
    ),
    "server-shutdown": FaultKind(
        Acts.PERIOD,
        "`serverShutdown` on every market connection, and those are cut after so long. New ones are welcome.",
        (_seconds("from the announcement to the cut", 5.0), _PERIOD),
        ("face",),
    ),
    "snapshot-stale": FaultKind(
        Acts.REQUEST,
        "The book's snapshot is what it was so long ago, or at the time the fault was set if that is later.",
        (
            Parameter(
                "age_s",
                values.number(0.0, AGE_S_MAX),
                f"0 to {AGE_S_MAX:.0f}",
                "how old; kept in steps of a quarter second",
                required=True,
            ),
        ),
        ("face", "door", "symbol"),
        (Asks.MARKET,),
    ),
    "request-delay": FaultKind(
        Acts.REQUEST,
        "The request waits before the matching engine; its `recvWindow` is looked at again when it gets there.",
        (_delay("how long"),),
        _REQUEST,
    ),
    "request-lost": FaultKind(Acts.REQUEST, "Nothing is done, and nothing is answered.", (), _REQUEST),
    "answer-delay": FaultKind(
        Acts.REQUEST, "Done, and answered late. The events do not wait.", (_delay("how late"),), _REQUEST
    ),
    "answer-lost": FaultKind(Acts.REQUEST, "Done, and never answered: an order lives. The events come.", (), _REQUEST),
    "answer-double": FaultKind(Acts.REQUEST, "Done, and answered twice.", (), _REQUEST, door="api"),
    "answer-cut": FaultKind(
        Acts.REQUEST, "Done, and instead of an answer the connection is cut, with all that waited on it.", (), _REQUEST
    ),
    "events-first": FaultKind(
        Acts.REQUEST, "The events, fills among them, leave before the acknowledgement.", (), _REQUEST, _COMMANDS
    ),
    "fill-after-cancel": FaultKind(
        Acts.REQUEST,
        "A crowd order takes a part of the order as its cancel comes in: at least one lot and, where there is more than one, "
        "not all. The fill is told after the cancel's acknowledgement and report. It does not wait its turn in the queue. "
        "Only cancels of open orders are chances. The ledger is true.",
        (
            Parameter("all", values.flag, "true or false", "all of the order trades", default=False),
            Parameter(
                "stale",
                values.flag,
                "true or false",
                "acknowledgement and report tell the executed quantity of before the fill",
                default=True,
            ),
        ),
        _REQUEST,
        (Asks.CANCEL, Asks.REPLACE),
    ),
    "unknown": FaultKind(
        Acts.REQUEST,
        "An answer that does not say whether it was done: the venue's own error, or a bare HTTP status.",
        (
            Parameter(
                "code", values.choice(-1006, -1007), "-1006, -1007", "the venue's error; -1007 without a `status`"
            ),
            Parameter(
                "status", values.choice(500, 502, 503, 504), "500, 502, 503, 504", "instead, with no venue's body"
            ),
            Parameter(
                "outcome",
                values.choice("done", "not-done", "either"),
                "done, not-done, either",
                "what is true; either: drawn",
                "either",
            ),
        ),
        _REQUEST,
    ),
    "rate-limited": FaultKind(
        Acts.REQUEST,
        "Refused with 429.",
        (Parameter("retry_s", values.number(0.0, SECONDS_MAX), f"0 to {SECONDS_MAX:.0f}", "when to come back", 1.0),),
        _REQUEST,
    ),
    "banned": FaultKind(
        Acts.REQUEST,
        "The address is answered 418 for so long, whatever it asks.",
        (Parameter("seconds", values.number(0.0, BAN_SECONDS_MAX), f"0 to {BAN_SECONDS_MAX:.0f}", "how long", 120.0),),
        _REQUEST,
    ),
    "query-lag": FaultKind(
        Acts.REQUEST,
        "Questions about orders, and those for histories of orders and trades, are answered as the world was so long ago, or "
        "when the fault was set if that is later. An order younger than that does not exist.",
        (Parameter("lag_ms", values.number(0.0, LAG_MS_MAX), f"0 to {LAG_MS_MAX:.0f}", "how long ago", required=True),),
        _REQUEST,
        (Asks.QUERY, Asks.ACCOUNT),
    ),
    "user-drop": FaultKind(Acts.USER, "The event is lost.", (), _USER),
    "user-double": FaultKind(Acts.USER, "The event is sent twice.", (), _USER),
    "user-reorder": FaultKind(
        Acts.USER, "The event changes places with the account's next one; without a next one it waits.", (), _USER
    ),
    "user-delay": FaultKind(
        Acts.USER, "The event is late, and the account's next ones wait for it.", (_delay("how late"),), _USER
    ),
    "user-stall": FaultKind(
        Acts.USER,
        "Every event it is for is lost for so long, from the hit on and to the window's end at most.",
        (_seconds("how long", 5.0),),
        _USER,
    ),
    "user-end": FaultKind(
        Acts.USER, "Instead of the event the account's subscriptions end, and are told so.", (), _USER
    ),
    "expired-in-match": FaultKind(
        Acts.PERIOD,
        "One open order of a client, drawn, expires as by self-trade prevention. Without one there is no chance.",
        (_PERIOD,),
        _USER,
    ),
    "unknown-status": FaultKind(
        Acts.REQUEST,
        "From now on the order this request places shows another status in every answer and report, until it is closed.",
        (Parameter("status", values.text, "text", "the word", "FROZEN"),),
        _REQUEST,
        (Asks.PLACE, Asks.REPLACE),
    ),
    "clock-skew": FaultKind(
        Acts.WINDOW,
        "The venue's clock runs ahead (negative: behind) in all that shows it.",
        (
            Parameter(
                "offset_ms",
                values.number(-SKEW_MS_MAX, SKEW_MS_MAX),
                f"{-SKEW_MS_MAX:.0f} to {SKEW_MS_MAX:.0f}",
                "how far",
                required=True,
            ),
        ),
    ),
    "halt": FaultKind(
        Acts.WINDOW,
        "The symbol (without one: every symbol) shows another status and takes no new orders; cancels are "
        "taken. Its crowd waits; a replayed market goes on as recorded.",
        (
            Parameter("status", values.choice("BREAK", "HALT"), "BREAK, HALT", "what exchangeInfo says", "BREAK"),
            _seconds("how long; without it until the window's end", None),
        ),
        ("face", "symbol"),
    ),
    "filters": FaultKind(
        Acts.WINDOW,
        "The symbol (without one: every symbol) has other rules. Orders that rest stay.",
        (
            Parameter("tick_size", values.size, "decimal text", "PRICE_FILTER"),
            Parameter("step_size", values.size, "decimal text", "LOT_SIZE"),
            Parameter("notional_min", values.size, "decimal text", "NOTIONAL"),
        ),
        ("face", "symbol"),
    ),
    "balance-wrong": FaultKind(
        Acts.REQUEST,
        "The account's balance, as answers and events tell it, is off by so much, and not below 0. The ledger is true. "
        "Account answers and account events are its chances.",
        (
            Parameter("asset", values.text, "text", "which", required=True),
            Parameter("amount", values.amount, "signed decimal text", "how much", required=True),
        ),
        ("face", "account"),
        (Asks.ACCOUNT,),
    ),
}

SCHEDULE = (
    Parameter("probability", values.number(0.0, 1.0), "0 to 1", "of each chance that the rules below let through", 1.0),
    Parameter("after", values.integer(0, 10**9), "whole number", "the first so many chances pass", 0),
    Parameter(
        "every",
        values.integer(1, 10**9),
        "whole number, from 1",
        "of the chances after those, only each one whose number this divides",
        1,
    ),
    Parameter("count", values.integer(1, 10**9), "whole number, from 1", "hits at most; without it there is no end"),
    Parameter(
        "from_s",
        values.number(0.0, 10**9),
        "seconds",
        "a window: since the venue's start or, set live, since then",
        0.0,
    ),
    Parameter("until_s", values.number(0.0, 10**9), "seconds", "the window's end; without it there is none"),
)
WHOM = (
    Parameter("face", values.choice("spot", "usdm"), "spot, usdm", "of the venue"),
    Parameter("door", values.choice("rest", "api"), "rest, api", "by which the request came; api is the WebSocket API"),
    Parameter(
        "operation",
        values.text,
        "text",
        "its name on the WebSocket API, or its kind: " + ", ".join(a.value for a in Asks),
    ),
    Parameter("symbol", values.text, "text", "as BTCUSDT"),
    Parameter("account", values.text, "text", "as client"),
    Parameter("side", values.choice("BUY", "SELL"), "BUY, SELL", "of the order the request names"),
    Parameter("client_order_id", values.text, "text", "of that order; a `*` at its end makes it a beginning"),
    Parameter("stream", values.text, "text", "as depth or depth@100ms; all: every one"),
)
ONE_CHANCE = ("after", "every", "count")
"""Rules about further chances, which a kind with one chance does not take."""

POINTS = {
    "request-received": "A request is here, and nothing has been done about it.",
    "cancel-received": "The same, where the request is to cancel.",
    "answer-sent": "An answer is on its way, the events it caused are not.",
    "fill-sent": "A fill is on its way, the acknowledgement of its order is not. Such requests send their events first.",
    "query-page": "A full page of a longer answer is on its way.",
}
SIGNALS = ("KILL", "TERM", "INT", "STOP", "CONT", "HUP", "USR1", "USR2")
ACTIONS = (
    Parameter("signal", values.choice(*SIGNALS), ", ".join(SIGNALS), "sent to the process"),
    Parameter("pid", values.integer(2, 2**31 - 1), "whole number", "of the process"),
    Parameter("pid_file", values.text, "text", "or a file that says it, read as the point is reached"),
    Parameter("run", values.words, "list of texts", "or a command, run to its end"),
)
