"""A margin account's money: contracts are positions, not assets, and one wallet pays for all of them. Pure.

The ledger keeps a contract's position as an entry of its own, by the venue's symbol and in base units, and the wallet by the
settle asset: fills move it by what the venue says they realized, less fees; funding, transfers and the like (WalletChanged)
by themselves. So both are compared with the venue, start with what it says, and are adjusted, as balances are. What the
ledger says of a contract is what we hold of it: a position that was there before us is ours to manage, because the venue
nets every order of ours against it.
"""

from msgspec.structs import replace

from actors.portfolio.holdings import Holdings
from actors.portfolio.ledger import is_contract
from actors.portfolio.position import Position, pay_quote_fee, share, trade, value
from actors.portfolio.succession import DAY_NS
from bus.messages import BalancesReported, ForeignTraded, Instrument, Message, PositionUpdate, WalletChanged

RECENT_MAX = 10_000
"""Facts by which a repeat is known: a year of funding every hour; chosen."""


def see(held: Holdings, message: BalancesReported, totals: dict[str, int]) -> None:
    """Add the venue's positions to its totals. A contract of which this answer says nothing is as we have it."""
    note_prices(held, message)
    told = {one.venue_symbol: one.quantity for one in message.positions}
    for number in held.configured:
        instrument = held.instruments[number]
        if not is_contract(instrument):
            continue
        symbol = instrument.venue_symbol
        totals[symbol] = told.get(symbol, held.ledger.total(symbol))


def note_prices(held: Holdings, message: BalancesReported) -> None:
    held.wallet.prices |= {one.venue_symbol: one.entry_price for one in message.positions if one.entry_price}


def follow(held: Holdings, now_ns: int) -> list[PositionUpdate]:
    """After a baseline or an adjustment: positions that were not what the ledger says, and are now."""
    if held.based and not held.wallet.floor_ns:
        held.wallet.floor_ns = now_ns
    updates: list[PositionUpdate] = []
    for instrument in held.instruments.values():
        symbol = instrument.venue_symbol
        position = held.positions.get(instrument.instrument)
        if position is None or symbol not in held.based or not is_contract(instrument):
            continue
        quantity = held.ledger.total(symbol)
        if quantity != position.quantity:
            _move(position, quantity, instrument, held.wallet.prices.get(symbol, 0))
            updates.append(_told(held, position, instrument, now_ns))
    return updates


def on_wallet(held: Holdings, message: WalletChanged) -> tuple[Message, ...]:
    """Book one fact, once."""
    wallet, key = held.wallet, (message.cause, message.entry)
    if message.venue_ns <= wallet.floor_ns or key in wallet.recent:
        held.count("wallet_fact_repeated")
        return ()
    wallet.recent.append(key)
    if len(wallet.recent) > RECENT_MAX:
        del wallet.recent[0]
    wallet.last_ns = max(wallet.last_ns, message.venue_ns)
    if message.asset not in held.based:
        held.count("wallet_fact_before_baseline")
        return ()
    held.ledger.add_wallet(message.asset, message.change)
    if message.instrument < 0:
        return held.account_state()
    unplaced = wallet.unplaced
    unplaced[message.instrument] = unplaced.get(message.instrument, 0) + message.change
    instrument = held.instruments.get(message.instrument)
    if instrument is None:
        return held.account_state()
    position = held.positions[message.instrument]
    place(held, position)
    return (held.update_of(position, instrument), *held.account_state())


def place(held: Holdings, position: Position) -> None:
    """Funding is part of what a position earns."""
    position.realized += held.wallet.unplaced.pop(position.instrument, 0)


def traded_by_hand(position: Position, message: ForeignTraded, instrument: Instrument) -> None:
    """An execution that is none of ours: the venue nets it against what we hold."""
    trade(position, message.side, message.quantity, message.quote)
    if message.fee and message.fee_asset == instrument.quote_asset:
        pay_quote_fee(position, message.fee)


def told_of(held: Holdings, instrument: Instrument, now_ns: int) -> tuple[PositionUpdate, ...]:
    """The position of a contract, as it is after what no fill of ours did to it."""
    return (_told(held, held.positions[instrument.instrument], instrument, now_ns),) if is_contract(instrument) else ()


def _told(held: Holdings, position: Position, instrument: Instrument, now_ns: int) -> PositionUpdate:
    """No fill made it: whoever reckons by fills takes it as it is."""
    day = held.succession.days.get(position.instrument)
    start = day.start if day is not None and day.day == now_ns // DAY_NS else position.realized
    return replace(held.update_of(position, instrument), taken_over=True, day_start=start)


def _move(position: Position, quantity: int, instrument: Instrument, price: int) -> None:
    """Hold `quantity`, without a trade: what is more costs the venue's entry price, what is less leaves at our own."""
    before, same = position.quantity, position.quantity * quantity > 0
    if same and abs(quantity) < abs(before):
        position.cost = share(position.cost, abs(quantity), abs(before))
    else:
        kept, added = (position.cost, quantity - before) if same else (0, quantity)
        scales = (instrument.price_scale, instrument.base_scale, instrument.quote_scale)
        position.cost = kept + value(added, price or position.bid or position.ask, *scales)
    position.quantity = quantity
