"""What requests of the futures cost. Pure. How answers tell of limits is as on Spot; the limits are the futures' own.

Source: documents of USD-M futures, each endpoint's own page, and exchangeInfo; read 2026-11.
"""

import re

from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.binance_usdm.market import DEPTHS
from gateway.market import CONNECTIONS, ORDERS, WEIGHT, RateLimit

_S = 1_000_000_000
LIMITS: tuple[RateLimit, ...] = (
    RateLimit(WEIGHT, 60 * _S, 2_400),
    RateLimit(ORDERS, 10 * _S, 300),
    RateLimit(ORDERS, 60 * _S, 1_200),
    RateLimit(CONNECTIONS, 300 * _S, 300),
)
"""exchangeInfo; of openings the documents say nothing here: Spot's."""

WEIGHTS = {
    "/fapi/v1/time": 1,
    "/fapi/v1/exchangeInfo": 1,
    "/fapi/v1/aggTrades": 20,
    "/fapi/v1/openOrders": 1,  # of one symbol; 40 of all
    "/fapi/v1/order": 1,
    "/fapi/v1/allOrders": 5,
    "/fapi/v1/userTrades": 5,
    "/fapi/v3/account": 5,
    "/fapi/v3/positionRisk": 5,
    "/fapi/v1/accountConfig": 5,
    "/fapi/v1/symbolConfig": 5,
    "/fapi/v1/income": 30,
    "/fapi/v1/countdownCancelAll": 10,
}
WEIGHT_UNKNOWN = 5
"""Of a path that is not in the table: the usual one of a question about an account. Chosen."""


class BinanceUsdmLimits(BinanceSpotLimits):
    """A gateway.market.VenueLimits."""

    limits = LIMITS
    order_weight = 0  # "0 on IP rate limit"
    cancel_weight = 1
    session_weight = 5  # the dearest: a handshake, and userDataStream.start; a logon is 2

    def start_weight(self, symbols: int, levels: int) -> int:
        """Clock, metadata, account, incomes and the session; of each symbol its orders, trades, book, and the dead man's switch."""
        one = WEIGHTS
        once = 2 * one["/fapi/v1/time"] + one["/fapi/v1/exchangeInfo"] + one["/fapi/v1/accountConfig"]
        once += one["/fapi/v1/symbolConfig"] + 2 * (one["/fapi/v1/income"] + one["/fapi/v3/account"])
        once += 3 * self.session_weight
        each = one["/fapi/v1/countdownCancelAll"] + one["/fapi/v1/allOrders"] + 2 * one["/fapi/v1/openOrders"]
        return once + symbols * (each + one["/fapi/v1/userTrades"] + depth_weight(levels))

    def weight(self, path: str) -> int:
        endpoint, _, query = path.partition("?")
        if endpoint == "/fapi/v1/depth":
            levels = int(found[1]) if (found := re.search(r"\blimit=([0-9]{1,6})", query)) else 500
            return depth_weight(levels)
        if endpoint == "/fapi/v1/openOrders" and "symbol=" not in query:
            return 40
        return WEIGHTS.get(endpoint, WEIGHT_UNKNOWN)


def depth_weight(levels: int) -> int:
    return next((weight for most, weight in DEPTHS if levels <= most), DEPTHS[-1][1])
