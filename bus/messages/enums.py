"""The closed sets of values that messages carry. IntEnum: they hash fast and travel as one byte."""

from enum import IntEnum


class Side(IntEnum):
    """Signed, so that `side * lots` is a change of position."""

    BUY = 1
    SELL = -1


class BookState(IntEnum):
    """Only in LIVE does anyone see a price of the book."""

    SYNCING = 0
    LIVE = 1
    STALE = 2
    INVALID = 3


class BookReason(IntEnum):
    """Why a book changed its state."""

    START = 0
    SNAPSHOT_BRIDGED = 1
    SEQUENCE_GAP = 2
    SNAPSHOT_TOO_OLD = 3
    CONNECTION_LOST = 4
    CROSSED = 5
    BUFFER_FULL = 6  # never sent: a full buffer is that of a book that is down already; numbers are never used again
    SNAPSHOT_FAILED = 7
    INSTRUMENT_CHANGED = 8
    TOP_MISMATCH = 9
    HOST_LOST = 10
    CHECKSUM = 11
    SILENT = 12  # the depth stream said nothing for longer than it ever does
    CONTRADICTED = 13  # trades or best quotes through the book, and the depth stream silent
    RESUMED = 14  # a STALE book's stream went on without a hole
    REORDERED = 15  # a late event filled the gap: LIVE without a snapshot
    ROLLED = 16  # the book was handed to a new connection, without a break
    GARBAGE = 17  # an update of it could not be read
    RESTARTED = 18  # whoever keeps it failed and is made anew


class Stream(IntEnum):
    """What a venue tells of one instrument; each is watched on its own."""

    DEPTH = 0
    QUOTE = 1
    TRADE = 2
    MARK = 3


class Outcome(IntEnum):
    """A door's one answer to one request. AMBIGUOUS: the venue may or may not have done it; never evidence."""

    RESULT = 0
    REFUSED = 1
    AMBIGUOUS = 2


class QueryKind(IntEnum):
    """What an actor may ask the venue about the account."""

    OPEN_ORDERS = 0
    ORDER = 1
    TRADES = 2
    BALANCES = 3
    POSITIONS = 4


class RequestKind(IntEnum):
    """The two requests the order door writes."""

    SUBMIT = 0
    CANCEL = 1


class ReportKind(IntEnum):
    """What one word of the venue on an order says. OTHER: a value this version does not know; never dropped."""

    NEW = 0
    TRADE = 1
    CANCELED = 2
    REJECTED = 3
    EXPIRED = 4
    STP_EXPIRED = 5
    REPLACED = 6
    SNAPSHOT = 7
    OTHER = 8


class ReportSource(IntEnum):
    """Which door a report came through; all of them enter the same reducer."""

    STREAM = 0
    ANSWER = 1
    QUERY = 2


class VenueState(IntEnum):
    """Axis one of an order: the last proven venue fact."""

    NONE = 0
    WORKING = 1
    DONE_FILLED = 2
    DONE_CANCELED = 3
    DONE_EXPIRED = 4
    DONE_REJECTED = 5
    DONE_STP = 6


class OrderStatus(IntEnum):
    """The public status, derived from the three axes (actors/orders/state). From FILLED on an order is done."""

    INTENT = 0
    PENDING_NEW = 1
    UNKNOWN_NEW = 2
    ACCEPTED = 3
    PARTIALLY_FILLED = 4
    PENDING_CANCEL = 5
    UNKNOWN_CANCEL = 6
    SUSPECT = 7
    FILLED = 8
    CANCELED = 9
    EXPIRED = 10
    REJECTED = 11
    STP_EXPIRED = 12
    DENIED = 13
    NEVER_SENT = 14


DONE = frozenset(status for status in OrderStatus if status >= OrderStatus.FILLED)
"""The statuses in which an order has no open remainder (a late fill is still booked)."""


class TradingState(IntEnum):
    """What may pass, per engine, venue, instrument and strategy; the strictest that applies decides."""

    ACTIVE = 0
    REDUCING = 1
    CANCEL_ONLY = 2
    HALTED = 3


class Refusal(IntEnum):
    """Why an order command did not become an order."""

    NONE = 0
    TRADING_STATE = 1
    ORDER_SIZE = 2
    POSITION = 3
    NOTIONAL = 4
    OPEN_ORDERS = 5
    PRICE_COLLAR = 6
    STALE_BOOK = 7
    ORDER_RATE = 8
    EXPIRED = 9
    UNKNOWN_INSTRUMENT = 10
    INSTRUMENT_VERSION = 11
    PRICE_FILTER = 12
    QUANTITY_FILTER = 13
    MIN_NOTIONAL = 14
    VENUE_REJECTED = 15
    NOT_CONNECTED = 16
    WRITE_BUFFER = 17
    EPOCH = 18
    DISK = 19
    NOT_REDUCING = 20
    LEASE = 21
    HOST = 22
    SELF_TRADE = 23
    BAND = 24
    FEED_LATE = 25
    RATE_LIMIT = 26  # the venue's own budget is used up, or it told us to stay away
    REPEATED = 27  # the same request was refused for the same reason too often
    IN_FLIGHT = 28  # more unanswered requests than the present step of the limits allows


class AlertLevel(IntEnum):
    """INFO is for people; WARNING degrades something; CRITICAL stops new orders somewhere."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


class Control(IntEnum):
    """What an operator (or the engine's supervisor) may ask."""

    HALT = 0
    CANCEL_ONLY = 1
    REDUCE = 2
    RESUME = 3
    CANCEL_ALL = 4
    FLATTEN = 5
    RECONCILE = 6
    ACCEPT = 7


class AnswerKind(IntEnum):
    """What an answer to a person's command says of it."""

    FOLLOWS = 0  # taken; what follows is in the text, and another answer comes
    DONE = 1
    FAILED = 2  # refused, or it did not hold


class StopPolicy(IntEnum):
    """What becomes of what works and of what is held when a run is told to end."""

    KEEP = 0  # orders go on working at the venue; the next start finds them
    CANCEL = 1
    FLATTEN = 2  # canceled, then the positions closed


class DifferenceKind(IntEnum):
    """What a comparison with the venue can find."""

    ORDER_NOT_LISTED = 0  # open here, not among the venue's open orders
    ORDER_NOT_KNOWN = 1  # the venue's, not in our journal
    ORDER_STATE = 2  # both know it, as something else
    FILL_MISSING = 3
    POSITION = 4
    BALANCE = 5
