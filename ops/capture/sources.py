"""By which opening of which connection a recording's frames came. Each address is one opening of a connection.

Every symbol gets a connection of its own here: what becomes of one symbol's address says nothing of another symbol. An
address that tells a book which another one has told is that connection's next generation: beside the older one if that
goes on speaking, in its place if it does not.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bus.messages import ConnectionDown, ConnectionUp, Message
from bus.messages.feed import UNNUMBERED, Numbering
from ops.capture.learnt import RunAgain


class Opening(NamedTuple):
    """A generation of a symbol's connection."""

    connection: int
    generation: int


class Source:
    """One address. openings: by symbol. told: those whose book it tells. number: of its last frame, where they have one."""

    __slots__ = ("address", "number", "openings", "told")

    def __init__(self, address: str) -> None:
        self.address = address
        self.openings: dict[str, Opening] = {}
        self.told: set[str] = set()
        self.number = UNNUMBERED


class Sources:
    """post: takes ConnectionUp and ConnectionDown. ends: the last line of each address, where that was read before."""

    def __init__(
        self, numbering: Numbering, post: Callable[[Message], None], ends: Mapping[str, int] | None = None
    ) -> None:
        self._books_alone = numbering == Numbering.CONNECTION
        self._post, self._ends = post, ends
        self._by_address: dict[str, Source] = {}
        self._tellers: dict[str, Source] = {}
        self._newest: dict[str, Opening] = {}

    def of(self, address: str) -> Source:
        source = self._by_address.get(address)
        if source is None:
            source = self._by_address[address] = Source(address)
        return source

    def begin(self, symbol: str, connection: int, now_ns: int) -> None:
        """The symbol is new: its connection is up."""
        self._newest[symbol] = Opening(connection, 1)
        self._post(ConnectionUp(connection, 1, now_ns))

    def tell(self, source: Source, symbol: str, line: int, now_ns: int) -> None:
        """The source tells this symbol's book, for the first time. Raises RunAgain."""
        before = self._tellers.get(symbol)
        source.told.add(symbol)
        self._tellers[symbol] = source
        if before is None:
            source.openings[symbol] = self._newest[symbol]
            return
        if self._ends is None:
            raise RunAgain(ends=True)
        self._open(source, symbol, now_ns, overlaps=self._ends[before.address] > line)

    def accompany(self, source: Source, symbol: str) -> None:
        """The source tells something of this symbol, but not its book. Where each address numbers its frames, that would
        be another connection's numbers."""
        if not self._books_alone:
            source.openings.setdefault(symbol, self._newest[symbol])

    def restart(self, source: Source, now_ns: int) -> None:
        """The same address was dialed anew."""
        for symbol in source.openings:
            self._open(source, symbol, now_ns, overlaps=False)

    def after(self, source: Source, line: int, now_ns: int) -> None:
        """A frame was taken. With the last one of an address, an opening that another one has succeeded is gone."""
        if self._ends is None or self._ends[source.address] > line:
            return
        for symbol, (connection, generation) in source.openings.items():
            if generation < self._newest[symbol].generation:
                self._post(ConnectionDown(connection, generation, "the recording ends here"))

    def _open(self, source: Source, symbol: str, now_ns: int, overlaps: bool) -> None:
        connection, generation = self._newest[symbol]
        opening = self._newest[symbol] = source.openings[symbol] = Opening(connection, generation + 1)
        self._post(ConnectionUp(connection, opening.generation, now_ns, overlaps))
