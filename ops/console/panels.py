"""The panels beside the ladder. Each is a pure function of what is known: lines of at most `width`, at most `height`."""

import logging

from bus.latency import Histogram
from bus.messages import BookState
from bus.messages import Side as OrderSide
from ops.console.model import Scene
from ops.console.text import (
    Column,
    Line,
    Span,
    Style,
    age,
    clock,
    decimals,
    fixed,
    line,
    microseconds,
    printable,
    table,
)
from ops.telemetry import Listing, OwnOrder, Trading

NOTHING_YET: Line = (Span("nothing yet", Style.DIM),)
SHORT = {"acknowledgement": "ack"}
STATE_STYLES = {
    "ACTIVE": Style.GOOD,
    "REDUCING": Style.WARN,
    "CANCEL_ONLY": Style.WARN,
    "HALTED": Style.ALERT,
    "LIVE": Style.GOOD,
    "SYNCING": Style.WARN,
    "STALE": Style.BAD,
    "INVALID": Style.BAD,
}
BAD_COUNTS = (
    "dropped_inputs", "gaps", "resyncs", "silences", "trades_missed", "connections_down", "orders_refused", "requests_refused_by_door", "ambiguous_answers",
    "actor_failures", "undecodable", "cut_cascades", "journal_failures", "input_log_failures", "ledger_differences",
    "alerts_warning", "alerts_critical", "stalls",
)  # fmt: skip
"""Counters that are 0 in an untroubled run, worst last; the others are only for information."""
HOPS = (
    "tick_to_order", "journal", "write", "market_data", "orderbook", "microstructure", "strategy", "execution", "risk", "orders",
    "order_door", "exits", "portfolio", "coordination", "persistence", "frame",
)  # fmt: skip
"""In this order, then whatever else there is. The first three are measured by the order door: from the frame's receipt to
the write, a request's way into the journal, and the write's system call; the last is telemetry's own frame.
"""


def state_style(name: str) -> Style:
    return STATE_STYLES.get(name, Style.PLAIN)


def symbols(scene: Scene, name: str) -> Column:
    """The first column of what is about several instruments."""
    symbol = max((len(row.symbol) for row in scene.model.listings), default=0)
    return Column(name, max(symbol + 2, len(name)) + 1, right=False)


# -- orders and trades ------------------------------------------------------------------------------------------------


def orders(scene: Scene, width: int, height: int) -> list[Line]:
    """What works, of all instruments; the chosen one's first."""
    listings = {row.instrument: row for row in scene.model.listings}
    chosen = scene.listing
    found = [order for order in scene.model.orders() if order.instrument in listings]
    found.sort(key=lambda order: (chosen is None or order.instrument != chosen.instrument, order.instrument))
    engine_ns = scene.engine_ns
    columns = (
        symbols(scene, "instrument"),
        Column("side", 4, right=False),
        Column("price", 12),
        Column("leaves", 10),
        Column("ahead", 10),
        Column("behind", 10, 4),
        Column("  phase", 10, 1, right=False),
        Column("age", 7, 2),
        Column("id", 16, 3),
    )
    rows = [_order(order, listings[order.instrument], engine_ns) for order in found]
    if not rows:
        where = scene.model.trades_at
        said = f"orders are at host {where}" if where else "no order works"
        return [*table(columns, (), width, height), line(Span(said, Style.DIM))][:height]
    lines = table(columns, rows, width, height)
    if (hidden := len(rows) + 1 - len(lines)) and len(lines) > 1:
        lines[-1] = line(Span(f"and {hidden + 1} more", Style.DIM))
    return lines


def _order(order: OwnOrder, listing: Listing, engine_ns: int) -> tuple[Span, ...]:
    def lots(count: int) -> Span:
        places = decimals(listing.lot, listing.quantity_scale)
        return Span(fixed(count * listing.lot, listing.quantity_scale, places) if count >= 0 else "-")

    price = fixed(order.price_ticks * listing.tick, listing.price_scale, decimals(listing.tick, listing.price_scale))
    return (
        Span(f"  {listing.symbol}"),
        Span(OrderSide(order.side).name, Style.BID if order.side > 0 else Style.ASK),
        Span(price),
        Span(lots(order.leaves_lots).text, Style.STRONG),
        lots(order.ahead),
        lots(order.behind),
        Span(f"  {order.phase.lower()}", Style.PLAIN if order.phase == "WORKING" else Style.WARN),
        Span(age(engine_ns - order.since_ns), Style.DIM),
        Span(order.client_order_id, Style.DIM),
    )


def trades(scene: Scene, width: int, height: int) -> list[Line]:
    """Public trades of the chosen instrument, newest first."""
    listing = scene.listing
    tape = scene.model.tapes.get(listing.instrument) if listing else None
    if listing is None or tape is None or not tape.prints:
        return [_not_here(scene)]
    price_places, size_places = (
        decimals(listing.tick, listing.price_scale),
        decimals(listing.lot, listing.quantity_scale),
    )
    rows = (
        (
            Span(clock(row.venue_ns, millis=True), Style.DIM),
            Span(fixed(row.price, listing.price_scale, price_places), Style.BID if row.aggressor > 0 else Style.ASK),
            Span(fixed(row.quantity, listing.quantity_scale, size_places)),
        )
        for row in tape.prints
    )
    return table((Column("UTC", 12, 1, right=False), Column("price", 12), Column("size", 11)), rows, width, height)


# -- how the engine is ------------------------------------------------------------------------------------------------


def latency(scene: Scene, width: int, height: int) -> list[Line]:
    """p50, p99 and the largest by hop, in us. What had nothing to do in the window says so."""
    hops = scene.model.hops
    columns = (Column("us", 15, right=False), Column("p50", 7), Column("p99", 8), Column("max", 8, 1))
    names = [*(name for name in HOPS if name in hops), *(name for name in hops if name not in HOPS)]
    return table(columns, (_hop(name, hops[name]) for name in names), width, height)


def _hop(name: str, hop: Histogram) -> tuple[Span, ...]:
    style = Style.DIM if not hop.count else Style.STRONG if name == HOPS[0] else Style.PLAIN
    figures = (hop.quantile(0.5), hop.quantile(0.99), hop.max_ns) if hop.count else ()
    texts = [microseconds(value) for value in figures] or ["-", "-", "-"]
    return (Span(name.replace("_", " "), style), *(Span(text, style) for text in texts))


def health(scene: Scene, width: int, height: int) -> list[Line]:
    """What is not as it should be first; a quiet engine shows its counters."""
    if scene.model.health is None:
        return [NOTHING_YET]
    counts = dict(scene.model.health.counts)
    names = max(width - 9, 8)

    def row(name: str, style: Style) -> Line:
        return line(Span(f"{name.replace('_', ' '):{names}.{names}}{counts[name]:>9,}", style))

    wrong = [row(name, Style.WARN) for name in reversed(BAD_COUNTS) if counts.get(name)]
    first = wrong or [line(Span("no trouble counted", Style.GOOD))]
    return [*first, *(row(name, Style.PLAIN) for name in counts if name not in BAD_COUNTS)][:height]


def states(scene: Scene, width: int, height: int) -> list[Line]:
    """Who may trade and why not: trading states with their reasons, coordination, exits."""
    model = scene.model
    lines: list[Line] = []
    if model.trades_at:
        lines.append(line(Span(f"trading: {model.trades_at}", Style.DIM)))
    if model.trading is not None:
        for scope, state in model.trading.states:
            lines.append(line(f"{_scope(scope, scene):10.10} ", Span(state, state_style(state))))
        for scope, name, _, text in model.trading.reasons:
            said = printable(f"{_scope(scope, scene)}: {name}{f' ({text})' if text and text != name else ''}", width)
            lines.append(line(Span(said, Style.WARN)))
        lines += _lateness(model.trading, width)
    lines += [*_coordination(scene, width), *_exits(scene)]
    return lines[:height] or [NOTHING_YET]


def _lateness(trading: Trading, width: int) -> list[Line]:
    """The ladder's measures; its step, if it stands on one; requests that wait because they were refused too often."""
    lines: list[Line] = []
    if trading.step:
        lines.append(line(Span(printable(f"late, step {trading.step}: {trading.why}", width), Style.WARN)))
    known = [f"{SHORT.get(name, name)} {value // 1_000_000}" for name, value in trading.late if value >= 0]
    if known:
        lines.append(line(Span(printable(f"late ms: {' '.join(known)}", width), Style.DIM)))
    if trading.held_back:
        lines.append(line(Span(f"requests held back: {trading.held_back}", Style.WARN)))
    return lines


def _scope(scope: str, scene: Scene) -> str:
    kind, _, number = scope.partition(":")
    if kind != "instrument":
        return scope
    return next((row.symbol for row in scene.model.listings if str(row.instrument) == number), scope)


def _coordination(scene: Scene, width: int) -> list[Line]:
    """Who leads, cooldowns that have not ended, and instruments on which others of the group may rest."""
    model, now_ns = scene.model, scene.engine_ns
    lines: list[Line] = []
    if model.about is not None and model.about.leader:
        lines.append(line(f"{'leader':10} ", Span(printable(model.about.leader, max(width - 11, 1)))))
    if model.coordination is None:
        return lines
    symbols = {row.instrument: row.symbol for row in model.listings}
    for number, until_ns, reason in model.coordination.cooldowns:
        if until_ns > now_ns:
            text = f"{symbols.get(number, '?')} cools down {age(until_ns - now_ns)}: {reason}"
            lines.append(line(Span(printable(text, width), Style.WARN)))
    for number, peers, _, _ in model.coordination.bands:
        if peers:
            lines.append(line(f"{symbols.get(number, '?'):10.10} ", Span(f"{peers} peer{'s' if peers > 1 else ''}")))
    return lines


def _exits(scene: Scene) -> list[Line]:
    """Phase by instrument, and for the chosen one the prices at which a held position would be closed."""
    exits = scene.model.exits
    if exits is None:
        return []
    if not exits.enabled:
        return [line(f"{'exits':10} ", Span("off", Style.DIM))]
    listings = {row.instrument: row for row in scene.model.listings}
    lines: list[Line] = []
    for row in exits.rows:
        if (listing := listings.get(row.instrument)) is None:
            continue
        style = Style.DIM if row.phase == "FLAT" else Style.PLAIN if row.phase == "HOLDING" else Style.WARN
        lines.append(line(f"{listing.symbol:10.10} ", Span(f"exit {row.phase.lower()}", style)))
        if listing == scene.listing and row.phase != "FLAT":
            places = decimals(listing.tick, listing.price_scale)
            for name, price in (("target", row.target), ("stop", row.stop)):
                if price:
                    lines.append(line(Span(f"  {name:8} {fixed(price, listing.price_scale, places)}", Style.DIM)))
    return lines


def _not_here(scene: Scene) -> Line:
    """Of what comes with the books."""
    where = scene.model.books_at
    return line(Span(f"at host {where}", Style.DIM)) if where else NOTHING_YET


def signals(scene: Scene, width: int, height: int) -> list[Line]:
    """Microstructure of the chosen instrument. Of a book that is not LIVE no figure: it would be of the book before."""
    listing = scene.listing
    shape = scene.model.shapes.get(listing.instrument) if listing else None
    if listing is None or shape is None:
        return [_not_here(scene)]
    places = decimals(listing.lot, listing.quantity_scale)
    flow = fixed(shape.order_flow_imbalance, listing.quantity_scale, min(places, 3), plus=True)
    spread = shape.spread_mean / listing.tick

    names = max(width - 11, 8)
    book = scene.model.ladder(listing.instrument)
    live = book is not None and book.state == BookState.LIVE

    def row(name: str, text: str, style: Style = Style.PLAIN) -> Line:
        figure = Span(f"{text:>11}", style) if live else Span(f"{'-':>11}", Style.DIM)
        return line(f"{name:{names}.{names}}", figure)

    def tilt(value: float) -> Style:
        return Style.BID if value > 0 else Style.ASK if value < 0 else Style.DIM

    thin = [name for name, side in (("bids", shape.bids), ("asks", shape.asks)) if side.thin]
    clusters = f"{len(shape.bids.clusters)} / {len(shape.asks.clusters)}"
    lines = [
        row("pressure", f"{shape.pressure:+.2f}", tilt(shape.pressure)),
        row("order flow", flow, tilt(shape.order_flow_imbalance)),
        row("sweeps", f"{shape.sweeps:+d}", tilt(shape.sweeps)),
        row("spread ticks", f"{spread:.2f}"),
        row("thin ice", " and ".join(thin) or "no", Style.WARN if thin else Style.DIM),
        row("clusters", clusters),
        row("windows", "full" if shape.warm else "filling", Style.DIM if shape.warm else Style.WARN),
    ]
    return lines[:height]


def log(scene: Scene, width: int, height: int) -> list[Line]:
    """The last lines of the event log, newest at the bottom."""
    if scene.model.log is None:
        return [NOTHING_YET]
    lines: list[Line] = []
    for row in scene.model.log.lines[-height:] if height > 0 else ():
        style = (
            Style.BAD if row.level >= logging.CRITICAL else Style.WARN if row.level >= logging.WARNING else Style.PLAIN
        )
        at = clock(int(row.wall_s * 1e9), millis=True)
        lines.append(line(Span(f"{at}  ", Style.DIM), Span(printable(row.text, max(width - 14, 0)), style)))
    return lines
