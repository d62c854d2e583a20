"""Which stream may be had where: since 2026-04-23 each has its route, and elsewhere it is silent (docs, "Important WebSocket Change Notice").

| path | streams |
|---|---|
| /public | order books and best quotes, and the undocumented `@trade` (as the stock clients ask for it) |
| /market | aggregates, mark prices, liquidations |
| /private | listen keys |
| the old root | what is on /public; all else is accepted and stays silent |
"""

import re
from collections.abc import Callable

CHANNELS = re.compile(r"depth((5|10|20)?(@100ms|@250ms|@500ms)?)|bookTicker|trade|aggTrade|markPrice(@1s)?|forceOrder")
"""Candles, tickers and the other streams of the venue are not simulated."""
MARKET_TOPICS = ("!markPrice@arr", "!markPrice@arr@1s", "!forceOrder@arr")
PUBLIC_CHANNELS = re.compile(r"depth.*|bookTicker|trade")

Accepts = Callable[[str], bool]


def is_public(topic: str) -> bool:
    return PUBLIC_CHANNELS.fullmatch(topic.partition("@")[2]) is not None


def is_market(topic: str) -> bool:
    return not is_public(topic)


ROUTES: dict[str, Accepts] = {"": is_public, "/public": is_public, "/market": is_market}
"""Path prefix -> which of the streams there are it has. /private has others."""
