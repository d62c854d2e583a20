"""Between instances: who leads, who cools down, who rests where, and what a successor must know. Tags 90-109.

A scope is one account at one venue, by its label in the configuration: whoever leads it may send orders for it. A group
is all scopes whose orders must never meet: self-trade bands and cooldowns hold for the group, by venue symbol. Prices
are in price units, which mean the same in every instance.
"""

from bus.messages.base import Message
from bus.messages.enums import Outcome


class AccountState(Message, frozen=True, tag=102):
    """What a successor must know of the account, after each change of it: ledger, positions, last trade folded.

    assets, units: the ledger's totals. The other tuples run in parallel, one entry an instrument, by venue symbol.
    trade_ids: the highest trade that is folded, -1 when the account had none. recent: the last ones that are, ascending:
    a successor reads trades from the first of them on, because they do not always come in the order of their ids.
    days, day_starts: the UTC day (since 1970) of the last change, and what was realized when it began.
    wallet_ns: of a margin account, the venue's time up to which facts beside fills are folded.
    """

    account: int
    number: int
    assets: tuple[str, ...]
    units: tuple[int, ...]
    symbols: tuple[str, ...]
    positions: tuple[int, ...]
    costs: tuple[int, ...]
    realized: tuple[int, ...]
    trade_ids: tuple[int, ...]
    recent: tuple[tuple[int, ...], ...] = ()
    days: tuple[int, ...] = ()
    day_starts: tuple[int, ...] = ()
    wallet_ns: int = 0


class LeadershipWon(Message, frozen=True, tag=90):
    """First word of a run that may trade: our term. epoch: of every client order id in it. holder: our own name.

    left: what was last published of the account, by the leader of left_epoch, whoever that was; None: nothing.
    """

    account: int
    epoch: int
    holder: str
    left_epoch: int = 0
    left: AccountState | None = None


class LeadershipLost(Message, frozen=True, tag=91):
    """Our term is over, whatever we believed: nothing new may be sent. The engine stands by again."""

    account: int
    epoch: int
    reason: str


class PeersObserved(Message, frozen=True, tag=92):
    """Other scopes of the group on one instrument: how many, the highest bid and the lowest ask they hold a band for.

    bid_max 0: none of them bids; ask_min 0: none of them asks.
    """

    instrument: int
    peers: int
    bid_max: int
    ask_min: int


class CooldownObserved(Message, frozen=True, tag=93):
    """Some instance of the group asked for a pause on this instrument; engine time at which it ends."""

    instrument: int
    until_ns: int
    reason: str


class CooldownRequested(Message, frozen=True, tag=94):
    """Exits (or a person) asks for a pause on this instrument, for every instance of the group, until `until_ns`."""

    account: int
    venue: int
    instrument: int
    until_ns: int
    reason: str


class CooldownHeld(Message, frozen=True, tag=95):
    """Until `until_ns` only reducing orders pass on this instrument, even if who asked for it is gone."""

    instrument: int
    until_ns: int
    reason: str


class PublishCooldown(Message, frozen=True, tag=96):
    """Write the cooldown where the group sees it; an earlier end never replaces a later one."""

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    instrument: int
    until_ns: int
    reason: str


class CooldownPublished(Message, frozen=True, tag=97):
    """until_ns: the end that is in force now."""

    actor: str
    counter: int
    generation: int
    outcome: Outcome
    instrument: int
    until_ns: int
    reason: str


class BandWanted(Message, frozen=True, tag=98):
    """Risk refused an order (Refusal.BAND) because our band does not cover its price. side: as in Side.

    nearest: if the price cannot be had, as near to it as the peers leave: an order that reduces and may take must get out.
    """

    instrument: int
    side: int
    price: int
    nearest: bool = False


class BandHeld(Message, frozen=True, tag=99):
    """What our scope may rest at: bids up to bid_max, asks from ask_min on. 0: nothing on that side. See coordination."""

    instrument: int
    bid_max: int
    ask_min: int


class PublishBand(Message, frozen=True, tag=100):
    """Hold this band if no other scope of the group has one that it would meet; all or nothing."""

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    instrument: int
    bid_max: int
    ask_min: int


class BandPublished(Message, frozen=True, tag=101):
    """RESULT: the band is ours. REFUSED: it would meet another's; theirs_bid_max, theirs_ask_min (0: none) say where.

    AMBIGUOUS: it may be ours; the door will say what it finds, by PeersObserved, and a narrower one may be asked for.
    """

    actor: str
    counter: int
    generation: int
    outcome: Outcome
    instrument: int
    bid_max: int
    ask_min: int
    theirs_bid_max: int
    theirs_ask_min: int
    reason: str


class PublishAccount(Message, frozen=True, tag=103):
    """Leave the account's state for a successor; only while our term holds."""

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    state: AccountState


class AccountPublished(Message, frozen=True, tag=104):
    """The answer to PublishAccount."""

    actor: str
    counter: int
    generation: int
    outcome: Outcome
    number: int
    reason: str


class AccountHandedOver(Message, frozen=True, tag=105):
    """What the predecessor left, when it led after us: it replaces ledger and positions. Journaled.

    epoch: of the term in which it was left. It is also what stands in the store.
    """

    account: int
    epoch: int
    state: AccountState
