"""The perpetuals' market: the generated one, with margin for money, mark prices and chores by the clock."""

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

from ..connection import Clock
from ..core.book import PriceTimeBook
from ..core.filters import SymbolRules
from ..core.ledger import Ledger
from ..core.matching import MatchingEngine
from ..core.orders import NewOrder, Status
from ..crowd.profiles import SymbolProfile
from ..crowd.regimes import Regime
from ..market import GeneratedMarket
from ..streams import StreamHub
from .chores import TICK_S, Chores
from .filters import check_filters
from .funding import FundingBook
from .listen_keys import ListenKeys
from .margin import Margin
from .publisher import DEPTH_NS, PerpetualPublisher
from .routes import CHANNELS, MARKET_TOPICS
from .text import Figures
from .users import UserStreams

SEED_OFFSET = 1_000_003  # chosen: the crowd of a contract is not the crowd of the spot pair of its name


class PerpetualMarket(GeneratedMarket):
    """`writing`: how each symbol's figures are told. `funding_rate`: in units of 10^-8."""

    def __init__(
        self,
        profiles: Sequence[SymbolProfile],
        seed: int,
        clock: Clock,
        ledger: Ledger,
        funding_rate: int,
        *,
        speed: float = 1.0,
        regime: Regime | None = Regime.CALM,
    ) -> None:
        symbols = [profile.rules.symbol for profile in profiles]
        hub = StreamHub(symbols, CHANNELS, MARKET_TOPICS)
        self.writing = {symbol: Figures(partial(self._rules_of, symbol)) for symbol in symbols}
        self.margin = Margin(ledger)
        self.accounts = UserStreams(self.margin, hub, ListenKeys(lambda: secrets.token_hex(32)), self.writing)
        self._offsets = {symbol: number for number, symbol in enumerate(symbols, 1)}
        self._perpetual_publishers: dict[str, PerpetualPublisher] = {}
        engine = MatchingEngine(self.margin, self._check)
        super().__init__(
            engine,
            list(profiles),
            seed + SEED_OFFSET,
            clock,
            self.accounts,
            self._open_perpetual,
            hub=hub,
            depth_ns=DEPTH_NS,
            speed=speed,
            regime=regime,
        )
        self.chores = Chores(
            engine, self.margin, self.accounts, hub, FundingBook(funding_rate), self.writing, self.publish
        )
        self.chores.start(clock())

    def update_id(self, symbol: str) -> int:
        """The present id of the symbol's book, among all symbols' ids."""
        return self._perpetual_publishers[symbol].update_id

    def _rules_of(self, symbol: str) -> SymbolRules:
        return self.engine.instruments[symbol].rules

    def _open_perpetual(self, symbol: str, book: PriceTimeBook, hub: StreamHub) -> PerpetualPublisher:
        opened = PerpetualPublisher(symbol, book, hub, self.writing[symbol], self._offsets[symbol])
        self._perpetual_publishers[symbol] = opened
        return opened

    def _check(
        self, rules: SymbolRules, order: NewOrder, reference_price: int | None, open_orders: int, open_stops: int
    ) -> None:
        """The mark price is what counts, not the average of spot."""
        check_filters(rules, order, self.margin.marks[order.symbol], open_orders)

    def _publish(self, now_ns: int, touched_symbols: dict[str, None]) -> None:
        self._expire_useless(now_ns)
        super()._publish(now_ns, touched_symbols)

    def _expire_useless(self, now_ns: int) -> None:
        """A reduce-only order ends with the position it could reduce."""
        for account, symbols in self.margin.touched.items():
            for symbol in symbols:
                for order in self.engine.registry.open_orders(account, symbol):
                    if order.reduce_only and self.margin.reducible(order) == 0:
                        self.engine.expire(order, Status.EXPIRED, now_ns)

    async def do_chores(self) -> None:
        """Do what is due by the clock until canceled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.chores.tick(self._clock())
