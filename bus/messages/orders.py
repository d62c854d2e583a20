"""From a wish to the wire and back: intents, commands, orders, reports, facts. Tags 50-89; what a run finds about itself
and the venue, from 72 on, stands in `bus.messages.recovery`, what we own in `bus.messages.ledger`.

Each hop has its own type, so that an order which nobody approved cannot reach the door:
QuoteIntent -> OrderCommand -> ApprovedOrder -> SubmitOrder -> wire, and back ExecutionReport -> OrderUpdate, Fill ->
PositionUpdate. price_ticks and quantity_lots count the instrument's ticks and lots of the `version` named beside them.
received_ns is the receipt of the frame that caused it all (0: none did): tick to order is measured from it.
"""

from bus.messages.base import Message
from bus.messages.enums import (
    OrderStatus,
    Outcome,
    Refusal,
    ReportKind,
    ReportSource,
    RequestKind,
    Side,
    TradingState,
    VenueState,
)


class QuoteIntent(Message, frozen=True, tag=50):
    """What an owner wishes to have resting on each side; 0 lots: nothing. It replaces the owner's last one.

    cross: the order may take what rests at its price or better: it is placed as written, and not post-only.
    """

    account: int
    venue: int
    instrument: int
    version: int
    owner: str
    reduce_only: bool
    update_id: int
    received_ns: int
    expires_ns: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    cross: bool = False


class OrderCommand(Message, frozen=True, tag=51):
    """Execution wants a new order. command: execution's own number for it, until it has a client order id."""

    account: int
    venue: int
    instrument: int
    version: int
    owner: str
    reduce_only: bool
    update_id: int
    received_ns: int
    expires_ns: int
    command: int
    side: Side
    price_ticks: int
    quantity_lots: int
    post_only: bool


class CancelCommand(Message, frozen=True, tag=52):
    """Execution (or an operator) wants an order canceled. Passes in every trading state, so it goes straight to orders."""

    account: int
    venue: int
    instrument: int
    owner: str
    client_order_id: str
    received_ns: int


class ApprovedOrder(Message, frozen=True, tag=53):
    """An order command that risk let through and has reserved for. approval: risk's own number."""

    account: int
    venue: int
    instrument: int
    version: int
    owner: str
    reduce_only: bool
    update_id: int
    received_ns: int
    expires_ns: int
    command: int
    side: Side
    price_ticks: int
    quantity_lots: int
    post_only: bool
    approval: int


class OrderRefused(Message, frozen=True, tag=54):
    """A command that did not become an order, and why. Nothing is reserved for it any more."""

    instrument: int
    owner: str
    command: int
    side: Side
    reason: Refusal


class SubmitOrder(Message, frozen=True, tag=55):
    """A new order as the door writes it. Journaled in the step that writes the socket.

    unit: base asset units of one of its lots, so that a journal can be read under other filters; 0: not said.
    """

    account: int
    venue: int
    instrument: int
    version: int
    owner: str
    client_order_id: str
    epoch: int
    command: int
    side: Side
    price_ticks: int
    quantity_lots: int
    post_only: bool
    reduce_only: bool
    update_id: int
    received_ns: int
    expires_ns: int
    unit: int = 0


class CancelOrder(Message, frozen=True, tag=56):
    """A cancel as the door writes it; cancel_id is derived from the order's id and the attempt.

    by_venue_id: others named the order, client_order_id is our key for it: to be named by venue_order_id alone.
    """

    account: int
    venue: int
    instrument: int
    client_order_id: str
    cancel_id: str
    venue_order_id: int
    attempt: int
    received_ns: int
    by_venue_id: bool = False


class RequestSent(Message, frozen=True, tag=57):
    """The door wrote the request to the socket."""

    request: RequestKind
    instrument: int
    client_order_id: str
    sent_ns: int


class RequestAnswered(Message, frozen=True, tag=58):
    """The one answer to a submit or cancel. REFUSED: a definite no (`code` of the venue; 0: our own door, never sent).

    refusal says why when our door refused. AMBIGUOUS: the request may have been done. retry_ns: engine time before which
    the venue wants no more of the kind; 0: it did not say.
    """

    request: RequestKind
    instrument: int
    client_order_id: str
    outcome: Outcome
    refusal: Refusal
    code: int
    venue_order_id: int
    received_ns: int
    reason: str
    retry_ns: int = 0


class ExecutionReport(Message, frozen=True, tag=59):
    """Any word of the venue on an order, from stream, answer or query. Lots and ticks are the instrument's.

    client_order_id: the ORDER's own id (a cancel's id is already resolved to it). price and last_price in price
    units, quantities in quantity units (a foreign order may lie off the grid), quote amounts and fee in the asset's
    smallest unit. trade_id -1: no execution in this report. status: the venue's own word, kept for people.
    instrument -1: a symbol nobody configured; kept, never dropped. execution_id orders the venue's words on one order.
    """

    account: int
    venue: int
    instrument: int
    source: ReportSource
    kind: ReportKind
    state: VenueState
    status: str
    client_order_id: str
    venue_order_id: int
    side: Side
    price: int
    quantity: int
    cumulative: int
    cumulative_quote: int
    trade_id: int
    last_quantity: int
    last_price: int
    last_quote: int
    fee: int
    fee_asset: str
    is_maker: bool
    execution_id: int
    venue_ns: int
    received_ns: int
    reason: str
    venue_symbol: str
    realized: int = 0
    """Of a contract's execution: what it paid into the wallet beside the fee, by the venue's own reckoning; settle units."""


class OrderUpdate(Message, frozen=True, tag=60):
    """The whole public state of one order after a change; numbered, so that a folder can tell a repeat from a gap.

    unit: base asset units of one of its lots; 0: not known (an order of another version, recovered from an old journal).
    code: the venue's own error where refusal is VENUE_REJECTED, else 0.
    """

    number: int
    account: int
    venue: int
    instrument: int
    version: int
    owner: str
    client_order_id: str
    venue_order_id: int
    command: int
    side: Side
    price_ticks: int
    quantity_lots: int
    cumulative_lots: int
    leaves_lots: int
    status: OrderStatus
    reduce_only: bool
    refusal: Refusal
    updated_ns: int
    unit: int = 0
    code: int = 0


class Fill(Message, frozen=True, tag=61):
    """One execution, booked once. quantity: base asset units; quote, fee: units of their assets. late: after a done state.

    Written to the order journal before anyone acts on it. A trade id alone is no key: both sides of a self-trade share it.
    """

    number: int
    account: int
    venue: int
    instrument: int
    version: int
    owner: str
    client_order_id: str
    venue_order_id: int
    trade_id: int
    side: Side
    price: int
    quantity: int
    quantity_lots: int
    quote: int
    fee: int
    fee_asset: str
    is_maker: bool
    late: bool
    venue_ns: int
    realized: int = 0
    """As in ExecutionReport."""
    recovered: bool = False
    """Booked before orders were ready for the first time in this run: it came about earlier, and says nothing of this run's pace."""


class TradingStateChanged(Message, frozen=True, tag=66):
    """scope: "engine", "venue:N", "instrument:N" or "owner:NAME"."""

    scope: str
    state: TradingState
    reason: str


class OrdersReady(Message, frozen=True, tag=67):
    """Open orders and trades were folded, leftovers are gone and a second look agrees: new orders may go.

    stranded: orders of instruments that are not configured any more; they may still work, and nobody watches them.
    """

    account: int
    epoch: int
    adopted: int
    canceled: int
    fills: int
    stranded: int = 0


class OrdersUnready(Message, frozen=True, tag=68):
    """The private stream is lost or reconciliation runs: cancels and queries only."""

    account: int
    reason: str


class OrdersQuiet(Message, frozen=True, tag=69):
    """After StopRequested. unresolved 0: nothing of ours works any more, by the venue's own word; above 0: so many may.

    -1: not known, because the venue was not looked at since the private stream came up (or it is down). kept: of a stop that
    keeps them, orders proven to be working and left so.
    """

    account: int
    unresolved: int
    kept: int = 0


class IdsReserved(Message, frozen=True, tag=70):
    """Client order id counters below `below` of this epoch may have been used: after a restart start above them."""

    account: int
    epoch: int
    below: int
