"""What another instance did on this account: the ledger that it left us, and its trades after that. Pure.

A ledger that was handed over contains the trades it names and all before the first of them. Whatever the venue shows
beyond those is booked here, whoever's order it was: the venue's id of the order is asked for, and an order of ours by
its client id becomes an orphan with a record, like any other that our journal lacks.
"""

from bisect import bisect_left

from actors.orders.desk import Desk, Terms
from actors.orders.question import Question
from bus.messages import AccountHandedOver, AlertLevel, Message, QueryAnswer, QueryKind

STRANGERS_MAX = 500
"""Orders asked for by their venue's id for one page of trades: a weight of 2,000 of Binance's 6,000 a minute; chosen."""


def take_over(desk: Desk, message: AccountHandedOver, out: list[Message]) -> None:
    """From here on the handed ledger is ours, and so are the trades in it. They are known by venue symbol."""
    state = message.state
    desk.ever_ready = True
    desk.inherited = {symbol: recent for symbol, recent in zip(state.symbols, state.recent, strict=True) if recent}
    for number, terms in desk.terms.items():
        recent = desk.inherited.get(terms.instrument.venue_symbol)
        if recent is not None:
            desk.looked[number] = max(recent[0], 0)
        inherit(desk, terms)
    known = {terms.instrument.venue_symbol: number for number, terms in desk.terms.items()}
    for symbol in state.symbols:
        if symbol not in known:
            detail = f"symbol={symbol} remedy=configure it here as well: its trades after the takeover are not watched"
            desk.alert(AlertLevel.WARNING, "unconfigured_symbol_taken_over", -1, detail, out)


def inherit(desk: Desk, terms: Terms) -> None:
    """Marks of one instrument, once it is known by number. Nothing is moved back: later facts of ours may be in."""
    recent = desk.inherited.get(terms.instrument.venue_symbol)
    if recent is not None:
        number = terms.instrument.instrument
        desk.trades[number] = max(desk.trades.get(number, -1), recent[-1])
        desk.looked.setdefault(number, max(recent[0], 0))


def lies_inside(desk: Desk, terms: Terms, trade_id: int) -> bool:
    """Whether a trade is in the baseline, or in the ledger that was handed over.

    A trade id is one number for both sides of a self-trade, which the venue prevents.
    """
    if trade_id <= desk.baseline.get(terms.instrument.instrument, -1):
        return True
    recent = desk.inherited.get(terms.instrument.venue_symbol)
    if recent is None:
        return False
    if trade_id <= recent[0]:
        return True
    place = bisect_left(recent, trade_id)
    return place < len(recent) and recent[place] == trade_id


def first_trade(desk: Desk, question: Question, answer: QueryAnswer) -> None:
    """The account's last trade before our first look: it and all before lie in the baseline, which is taken after it."""
    last = max((report.trade_id for report in answer.reports), default=-1)
    number = question.instrument
    desk.trades[number] = desk.looked[number] = desk.baseline[number] = last
    desk.looked_ns[number] = answer.asked_ns


def note_stranger(desk: Desk, question: Question, instrument: int, venue_order_id: int, trade_id: int) -> None:
    """A trade of an order that we do not know. Asked for once, unless it is known to be foreign, or in the ledger."""
    if not venue_order_id or venue_order_id in question.strangers or (instrument, venue_order_id) in desk.foreign:
        return
    terms = desk.terms.get(instrument)
    if terms is not None and not lies_inside(desk, terms, trade_id):
        question.strangers.append(venue_order_id)


def ask_for_strangers(desk: Desk, question: Question, now_ns: int, out: list[Message]) -> int:
    """Ask the venue whose orders they are. Returns how many questions that makes."""
    strangers, question.strangers = question.strangers, []
    if len(strangers) > STRANGERS_MAX:
        detail = f"orders={len(strangers)} max={STRANGERS_MAX} remedy=the ledger may differ: compare it with the venue"
        desk.alert(AlertLevel.CRITICAL, "too_many_unknown_orders", question.instrument, detail, out)
    for venue_order_id in strangers[:STRANGERS_MAX]:
        asked = Question(QueryKind.ORDER, question.instrument, "", 0, look=question.look, periodic=question.periodic)
        asked.venue_order_id = venue_order_id
        desk.ask(asked, now_ns, out)
    return min(len(strangers), STRANGERS_MAX)


def remember_foreign(desk: Desk, instrument: int, venue_order_id: int) -> None:
    """Nobody's of ours: not asked for again."""
    desk.count("foreign_order_traded")
    desk.is_news(instrument, venue_order_id)
