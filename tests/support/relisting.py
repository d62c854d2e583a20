"""A venue that changes what it says of its symbols while the engine trades, and ops' own rules that make versions of it.

The rules are the real ones (ops.versions), on the world's clock; what is read is the venue's own exchangeInfo.
"""

from typing import Any

import msgspec

from bus.messages import Instrument
from gateway.binance_spot.symbols import read_instruments
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.payload import encode
from gateway.simulated.spot.market_payloads import exchange_info
from gateway.text import NotListed, NotTrading
from ops.assembly import ACCOUNT, VENUE, unfit
from ops.config import parse
from ops.versions import Versions
from tests.support.world import CONFIG, SYMBOLS, World

LOOK_MS = 100


class Relisting:
    """delisted: symbols that exchangeInfo does not name any more. posted: the versions that became inputs, in order."""

    def __init__(self, world: World, config: str = CONFIG) -> None:
        self.world = world
        self.delisted: set[str] = set()
        self.posted: list[Instrument] = []
        self._latest = {row.instrument: row.version for row in world.house.instruments}
        known = {row.instrument: row for row in world.house.instruments}
        self.versions = Versions(known, lambda row: unfit(parse(config), row))
        self._settle()

    def rules(self, symbol: str) -> SymbolRules:
        return self.world.matching.instruments[symbol].rules

    def change(self, symbol: str, **fields: Any) -> None:
        """The venue's rules are other ones from now on; nobody has read them yet."""
        listed = self.world.matching.instruments[symbol]
        listed.rules = msgspec.structs.replace(listed.rules, **fields)

    def read(self) -> None:
        """As every metadata_interval_s."""
        listed = [self.rules(symbol) for symbol in SYMBOLS if symbol not in self.delisted]
        body = encode(exchange_info(listed, self.world.now_ns))
        for number, row in list(self.versions.known.items()):
            try:
                [found] = read_instruments(body, [row.venue_symbol], account=ACCOUNT, venue=VENUE)
            except (NotListed, NotTrading) as error:
                wanted = self.versions.absent(number, str(error), listed=isinstance(error, NotTrading))
            else:
                found = msgspec.structs.replace(found, instrument=number, version=row.version)
                wanted = self.versions.observe(found, self._now_s())
            if wanted is not None:
                self._post(wanted)

    def present(self, symbol: str) -> Instrument:
        return next(row for row in self.world.house.instruments if row.venue_symbol == symbol)

    def _settle(self) -> None:
        working_on = self.world.house.actor("orders").view()["working_on"]
        for found in self.versions.ready(lambda number: int(working_on.get(number, 0)), self._now_s()):
            self._post(found)
        self.world.later(LOOK_MS, self._settle)

    def _post(self, wanted: Instrument) -> None:
        number = wanted.instrument
        self._latest[number] += 1
        row = msgspec.structs.replace(wanted, version=self._latest[number])
        self.versions.known[number] = row
        house = self.world.house
        house.instruments = [row if other.instrument == number else other for other in house.instruments]
        self.posted.append(row)
        if self.world.begun:  # else it begins with what was read
            house.post(row)

    def _now_s(self) -> float:
        return self.world.now_ns / 1e9
