"""A generated market on a virtual clock: days in minutes, for simulations, benchmarks and comparisons. No sockets.

    with_virtual = open_virtual(["ETHUSDT"], seed=7)
    with_virtual.run(3_600)

The same seed and times send the same bytes. Nothing in it grows with time: `bench venue` and its note say what was measured.
"""

from collections.abc import Callable, Iterable

from .core.ledger import Ledger
from .core.matching import MatchingEngine
from .core.orders import AccountId, Execution
from .core.settlement import SpotSettlement
from .crowd.profiles import SymbolProfile
from .crowd.regimes import Regime
from .market import GeneratedMarket
from .spot.publisher import BookPublisher
from .streams import StreamClient

START_NS = 1_700_000_000_000_000_000  # chosen: any time will do, as long as it is the same


class VirtualMarket:
    """`market` is a whole generated market; `now_ns` moves only by `run`."""

    def __init__(self, profiles: Iterable[SymbolProfile], seed: int, regime: Regime | None = Regime.CALM) -> None:
        self.now_ns = START_NS
        self.engine = MatchingEngine(SpotSettlement(Ledger()))
        self.market = GeneratedMarket(
            self.engine,
            list(profiles),
            seed,
            lambda: self.now_ns,
            Nobody(),
            BookPublisher,
            regime=regime,
        )

    def run(self, seconds: float) -> int:
        """Let so much time pass, event by event; return how many events of the crowd there were."""
        end_ns = self.now_ns + int(seconds * 1e9)
        before = self.market.events
        while (due_ns := self.market.due_ns()) <= end_ns:
            self.now_ns = max(self.now_ns, due_ns)
            self.market.advance(self.now_ns)
        self.now_ns = end_ns
        return self.market.events - before

    def listen(self, topics: Iterable[str], hear: Callable[[bytes], None], *, is_combined: bool = True) -> None:
        """Subscribe `hear` to `topics`, as a client's connection would be."""
        client = StreamClient(_Ear(hear), self.market.hub, is_combined=is_combined)  # type: ignore[arg-type]  # it only sends
        client.subscribe(topics)


class Nobody:
    """There are no accounts to tell."""

    def publish_executions(self, executions: list[Execution], now_ns: int) -> None: ...

    def publish_balances(self, touched: dict[AccountId, dict[str, None]], now_ns: int) -> None: ...

    def publish_deposit(self, account: AccountId, asset: str, amount: int, now_ns: int) -> None: ...


class _Ear:
    """What a stream client uses of a connection."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self.send = hear
