"""What a run finds out about itself and the venue: differences, suspicion, tightened limits, restarts. Tags 72-88."""

from bus.messages.base import Message
from bus.messages.enums import AnswerKind, Control, DifferenceKind, Side
from bus.messages.orders import Fill, OrderUpdate


class PrivateStreamSuspected(Message, frozen=True, tag=72):
    """The private stream no longer proves that it tells everything; what works is asked about.

    renew: the door should give the stream up and open another.
    """

    account: int
    generation: int
    reason: str
    renew: bool


class Difference(Message, frozen=True, tag=73):
    """One row of the comparison with the venue. subject: an order's id, an asset or a symbol. ours, venues: in its units.

    action: what is done about it, in words for a person.
    """

    account: int
    kind: DifferenceKind
    instrument: int
    subject: str
    ours: int
    venues: int
    action: str


class Reconciled(Message, frozen=True, tag=74):
    """A comparison is complete. trigger: start, reconnect, interval, suspicion or operator; differences: rows it had.

    compared: the ledger, too; False: executions came between each time, so it was not held against the venue's balances.
    """

    account: int
    trigger: str
    orders: int
    fills: int
    differences: int
    took_ns: int
    compared: bool = True


class LimitsTightened(Message, frozen=True, tag=76):
    """The step that risk's latency-aware limits stand at; 0: none. widen_ticks, widen_ppm: a quote stands so much further from
    the other side than wished, in ticks and in millionths of its price: the larger of both.

    in_flight_max: unanswered submits of one instrument; 0: no bound. reason: what is slow, in words.
    """

    step: int
    widen_ticks: int
    in_flight_max: int
    reason: str
    widen_ppm: int = 0


class StrategyQuarantined(Message, frozen=True, tag=77):
    """User code raised, took longer than its budget or never came back: its quotes are pulled, it is called no more.

    sequence: of the message at which a call that did not come back was broken off, by its header; 0: it came back. A replay,
    which has no timer, passes over the call at that message.
    """

    owner: str
    reason: str
    sequence: int = 0


class ActorsRestarted(Message, frozen=True, tag=78):
    """These were made anew after one of them raised. attempt: within the window of the restart intensity."""

    actors: tuple[str, ...]
    attempt: int
    reason: str


class StoreQuery(Message, frozen=True, tag=79):
    """Ask the journal's index for an order that memory no longer holds. A request as in `bus.messages.requests`."""

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    client_order_id: str


class StoreAnswer(Message, frozen=True, tag=80):
    """updates: the order's last public state, none if the index does not know it. reason: "" unless it could not be read.

    complete_to: the last journal record that the index has; with reason "" it has all that there were when it was asked.
    """

    actor: str
    counter: int
    generation: int
    client_order_id: str
    reason: str
    updates: tuple[OrderUpdate, ...]
    fills: tuple[Fill, ...]
    complete_to: int = -1


class CommandAnswered(Message, frozen=True, tag=85):
    """What came of an OperatorCommand, from the one actor that answers its kind; said in its `asker`'s name.

    instrument, as in the command. text: one line for a person. After DONE or FAILED no other answer comes.
    """

    asker: str
    control: Control
    instrument: int
    kind: AnswerKind
    text: str


class ForeignTraded(Message, frozen=True, tag=86):
    """An execution on the account of an order that is left alone: a person's, another program's. The ledger follows it, no
    position does but a contract's: the venue has one a symbol. number: of these alone, without repeat or gap; amounts as in Fill; realized: of a contract.
    """

    number: int
    account: int
    venue: int
    instrument: int
    client_order_id: str
    venue_order_id: int
    trade_id: int
    side: Side
    quantity: int
    quote: int
    fee: int
    fee_asset: str
    venue_ns: int
    realized: int = 0
