"""The other hosts of a topology, as one process of it sees them: links opened, losses told, and what follows from them.

A host that keeps books and falls silent has no prices any more: whoever listens says so itself, by an input of its own
for every instrument (BookReason.HOST_LOST). When it is back it says every book's state before any price.
"""

from collections.abc import Callable, Sequence

from bus.host import Host
from bus.link import Event, Happening, Own
from bus.links import Inputs, Links, Peer
from bus.mailbox import ZmqMailboxes
from bus.messages import BookReason, BookState, BookStateChanged, Message
from bus.pump import Pump
from bus.vocabulary_lock import vocabulary_hash
from ops import events
from ops.hosts import Placement

WAIT_LINE_S = 10
"""A host that waits for another says so this often; chosen."""


class Neighbors:
    """Opens sockets when made; `start` speaks. An engine on one host has none and does nothing."""

    def __init__(
        self,
        placement: Placement,
        mailboxes: ZmqMailboxes,
        now_ns: Callable[[], int],
        fail: Callable[[str], None],
    ) -> None:
        """fail: this process cannot go on, and why. Raises BusError: no key, an endpoint that is taken."""
        self._placement, self._fail = placement, fail
        self._refused = 0
        self.up: dict[str, bool] = {row.name: False for row in placement.others.values()}
        self.losses = 0
        self._instruments: Sequence[int] = ()
        self._pump: Pump | None = None
        own = Own(placement.number, now_ns(), bytes.fromhex(vocabulary_hash()))
        self.links = Links(own, placement.open_senders(mailboxes), now_ns, self._on_event)
        self.links.on_unreadable = lambda count, reason: events.warning("frame_refused", count=count, reason=reason)
        self._listener = placement.open_listener(mailboxes) if placement.others else None

    def remotes(self) -> dict[type[Message], tuple[Peer, ...]]:
        """As the host wants them."""
        peers = self.links.peers
        return {kind: tuple(peers[n] for n in numbers) for kind, numbers in self._placement.elsewhere().items()}

    def listen(self, inputs: Inputs) -> None:
        """Hear and speak from now on. What is heard goes to `inputs`."""
        if self._listener is not None:
            self.links.start(self._listener, inputs)

    def attach(self, host: Host, pump: Pump, instruments: Sequence[int]) -> None:
        """The host whose inputs these are: it says what it has taken, and hears that these have no book any more."""
        self._pump, self._instruments = pump, instruments
        host.on_taken = self.links.taken

    def lose_absent(self) -> None:
        """Behind what was heard before `attach`: a host that was lost meanwhile has no prices any more."""
        for row in self._placement.others.values():
            if not self.up[row.name] and "orderbook" in row.actors:
                self._lose_books()

    def stop(self) -> None:
        if self._listener is not None:
            self.links.stop()

    def wait_line(self, seconds: int) -> None:
        """Once a second: who is missing, and connections that were turned away."""
        if seconds % WAIT_LINE_S == 1:
            for row in self._placement.others.values():
                if not self.up[row.name]:
                    remedy = f"start it: touchline run ... --host {row.name}"
                    events.info("waiting_for_host", host=row.name, endpoint=row.endpoint, remedy=remedy)
        refused = self._listener.allowed.refused if self._listener is not None else 0
        if refused > self._refused:
            self._refused = refused
            events.warning("host_key_refused", count=refused, remedy="its public key is not among this topology's")

    def _on_event(self, number: int, event: Event) -> None:
        row = self._placement.others[number]
        happening = event.happening
        if happening is Happening.UP:
            self.up[row.name] = True
            events.info("host_up", host=row.name)
        elif happening is Happening.LOST:
            self.up[row.name] = False
            self.losses += 1
            events.warning("host_lost", host=row.name, reason=event.detail)
            if "orderbook" in row.actors:
                self._lose_books()
        elif happening is Happening.REFUSED:
            events.critical("host_refused", host=row.name, reason=event.detail)
        elif happening is Happening.CLOCK_DIFFERS:
            events.warning("host_clock_differs", host=row.name, ms=event.detail, remedy="set both clocks (chrony)")
        else:
            self._fail(f"host {row.name}: {event.detail}: this host's state is incomplete; start it again")

    def _lose_books(self) -> None:
        if self._pump is not None:
            for instrument in self._instruments:
                self._pump.post_here(BookStateChanged(instrument, BookState.INVALID, BookReason.HOST_LOST, 0))
