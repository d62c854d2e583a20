"""The panels beside the ladder. Each is a pure function of what is known: lines of at most `width`, at most `height`."""

import logging

from bus.messages import BookState
from bus.messages import Side as OrderSide
from ops.console.model import Scene
from ops.console.text import Line, Span, Style, age, clock, decimals, fixed, line, microseconds, printable
from ops.telemetry import BoardRow, Listing, OwnOrder

NOTHING_YET: Line = (Span("nothing yet", Style.DIM),)
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
    "dropped_inputs", "gaps", "resyncs", "orders_refused", "requests_refused_by_door", "ambiguous_answers",
    "actor_failures", "undecodable", "cut_cascades", "journal_failures", "input_log_failures", "ledger_differences",
    "alerts_warning", "alerts_critical", "stalls",
)  # fmt: skip
"""Counters that are 0 in an untroubled run, worst last; the others are only for information."""
HOPS = (
    "tick_to_order", "write", "market_data", "orderbook", "microstructure", "strategy", "execution", "risk", "orders",
    "order_door", "exits", "portfolio", "coordination", "persistence", "frame",
)  # fmt: skip
"""In this order, then whatever else there is. The first two are measured by the order door: from the frame's receipt to the
write, and the write's system call; the last is telemetry's own frame.
"""


def state_style(name: str) -> Style:
    return STATE_STYLES.get(name, Style.PLAIN)


# -- results ----------------------------------------------------------------------------------------------------------


def position(scene: Scene, width: int, height: int) -> list[Line]:
    """All instruments: book state, touch, position, average price, results."""
    board = scene.model.board
    if board is None:
        return [NOTHING_YET]
    listings = {row.instrument: row for row in scene.model.listings}
    chosen = scene.listing
    heading = f"{'':10}{'book':8}{'position':>13}{'average':>13}{'unrealized':>12}{'realized':>12}{'working':>8}"
    rows = [(row, listings[row.instrument]) for row in board.rows if row.instrument in listings]
    lines = [_position(row, listing, scene, chosen=listing == chosen) for row, listing in rows]
    return [(Span(heading, Style.HEADING),), *lines][:height]


def _position(row: BoardRow, listing: Listing, scene: Scene, *, chosen: bool) -> Line:
    price_places = decimals(listing.tick, listing.price_scale)
    average = fixed(round(row.average_price), listing.price_scale, price_places) if row.average_price else "-"
    state = BookState(row.state).name
    working = sum(order.instrument == row.instrument for order in scene.model.orders())
    held = Style.BID if row.position > 0 else Style.ASK if row.position < 0 else Style.DIM
    return line(
        Span(f"{'>' if chosen else ' '}{listing.symbol:9.9}", Style.STRONG if chosen else Style.PLAIN),
        Span(f"{state:8}", state_style(state)),
        Span(fixed(row.position, listing.base_scale, min(listing.base_scale, 8), plus=True).rjust(13), held),
        Span(average.rjust(13)),
        _result(row.unrealized, listing),
        _result(row.realized, listing),
        f"{working or '-':>8}",
    )


def _result(units: int, listing: Listing) -> Span:
    text = fixed(units, listing.quote_scale, min(4, listing.quote_scale), plus=True)
    return Span(text.rjust(12), Style.GOOD if units > 0 else Style.BAD if units < 0 else Style.DIM)


# -- orders and trades ------------------------------------------------------------------------------------------------


def orders(scene: Scene, width: int, height: int) -> list[Line]:
    """What works, of all instruments; the chosen one's first."""
    listings = {row.instrument: row for row in scene.model.listings}
    chosen = scene.listing
    rows = [order for order in scene.model.orders() if order.instrument in listings]
    rows.sort(key=lambda order: (chosen is None or order.instrument != chosen.instrument, order.instrument))
    heading = f"{'':10}{'side':5}{'price':>12}{'leaves':>11}{'ahead':>11}  {'phase':9}{'age':>7}  id"
    lines: list[Line] = [(Span(heading, Style.HEADING),)]
    if not rows:
        return [*lines, line(Span("no order works", Style.DIM))]
    engine_ns = scene.engine_ns
    lines += [_order(order, listings[order.instrument], engine_ns) for order in rows[: max(height - 1, 0)]]
    if len(rows) > height - 1 and height > 1:
        lines[-1] = line(Span(f"and {len(rows) - height + 2} more", Style.DIM))
    return lines


def _order(order: OwnOrder, listing: Listing, engine_ns: int) -> Line:
    places = decimals(listing.lot, listing.quantity_scale)
    price = fixed(order.price_ticks * listing.tick, listing.price_scale, decimals(listing.tick, listing.price_scale))
    leaves = fixed(order.leaves_lots * listing.lot, listing.quantity_scale, places)
    ahead = fixed(order.ahead * listing.lot, listing.quantity_scale, places) if order.ahead >= 0 else "-"
    return line(
        f"{listing.symbol:10.10}",
        Span(f"{OrderSide(order.side).name:5}", Style.BID if order.side > 0 else Style.ASK),
        f"{price:>12}{leaves:>11}{ahead:>11}  ",
        Span(f"{order.phase.lower():9.9}", Style.PLAIN if order.phase == "WORKING" else Style.WARN),
        Span(f"{age(engine_ns - order.since_ns):>7}", Style.DIM),
        Span(f"  {order.client_order_id}", Style.DIM),
    )


def trades(scene: Scene, width: int, height: int) -> list[Line]:
    """Public trades of the chosen instrument, newest first."""
    listing = scene.listing
    tape = scene.model.tapes.get(listing.instrument) if listing else None
    if listing is None or tape is None or not tape.prints:
        return [NOTHING_YET]
    price_places = decimals(listing.tick, listing.price_scale)
    size_places = decimals(listing.lot, listing.quantity_scale)
    lines: list[Line] = [(Span(f"{'UTC':12}{'price':>12}{'size':>12}", Style.HEADING),)]
    for row in tape.prints[: max(height - 1, 0)]:
        style = Style.BID if row.aggressor > 0 else Style.ASK
        lines.append(
            line(
                Span(clock(row.venue_ns, millis=True), Style.DIM),
                Span(fixed(row.price, listing.price_scale, price_places).rjust(12), style),
                Span(fixed(row.quantity, listing.quantity_scale, size_places).rjust(12)),
            )
        )
    return lines


# -- how the engine is ------------------------------------------------------------------------------------------------


def latency(scene: Scene, width: int, height: int) -> list[Line]:
    """p50, p99 and the largest by hop, in us. What had nothing to do in the window says so."""
    hops = scene.model.hops
    names = max(width - 24, 8)
    lines: list[Line] = [(Span(f"{'us':{names}}{'p50':>8}{'p99':>8}{'max':>8}", Style.HEADING),)]
    for name in (*HOPS, *(name for name in hops if name not in HOPS)):
        if (row := hops.get(name)) is None:
            continue
        figures = [microseconds(value) for value in (row.quantile(0.5), row.quantile(0.99), row.max_ns)]
        text = "".join(f"{figure if row.count else '-':>8}" for figure in figures)
        style = Style.DIM if not row.count else Style.STRONG if name == HOPS[0] else Style.PLAIN
        lines.append(line(Span(f"{name.replace('_', ' '):{names}.{names}}{text}", style)))
    return lines[:height]


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
    if model.trading is not None:
        for scope, state in model.trading.states:
            lines.append(line(f"{_scope(scope, scene):12.12} ", Span(state, state_style(state))))
        for scope, name, _, text in model.trading.reasons:
            said = printable(f"{_scope(scope, scene)}: {name}{f' ({text})' if text and text != name else ''}", width)
            lines.append(line(Span(said, Style.WARN)))
    lines += _exits(scene)
    if (facts := model.facts.get("coordination")) is not None:
        lines += [line(Span(printable(f"{name} {value}", width), Style.DIM)) for name, value in facts.rows]
    return lines[:height] or [NOTHING_YET]


def _scope(scope: str, scene: Scene) -> str:
    kind, _, number = scope.partition(":")
    if kind != "instrument":
        return scope
    return next((row.symbol for row in scene.model.listings if str(row.instrument) == number), scope)


def _exits(scene: Scene) -> list[Line]:
    exits = scene.model.exits
    if exits is None or not exits.enabled:
        return [line(f"{'exits':12} ", Span("off", Style.DIM))]
    symbols = {row.instrument: row.symbol for row in scene.model.listings}
    return [
        line(
            f"{'exit ' + symbols.get(row.instrument, '?'):12.12} ",
            Span(row.phase.lower(), Style.DIM if row.phase == "WATCHING" else Style.WARN),
        )
        for row in exits.rows
    ]


def signals(scene: Scene, width: int, height: int) -> list[Line]:
    """Microstructure of the chosen instrument."""
    listing = scene.listing
    shape = scene.model.shapes.get(listing.instrument) if listing else None
    if listing is None or shape is None:
        return [NOTHING_YET]
    places = decimals(listing.lot, listing.quantity_scale)
    flow = fixed(shape.order_flow_imbalance, listing.quantity_scale, min(places, 3), plus=True)
    spread = shape.spread_mean / listing.tick

    names = max(width - 11, 8)

    def row(name: str, text: str, style: Style = Style.PLAIN) -> Line:
        return line(f"{name:{names}.{names}}", Span(f"{text:>11}", style))

    def tilt(value: float) -> Style:
        return Style.BID if value > 0 else Style.ASK if value < 0 else Style.DIM

    thin = [name for name, side in (("bids", shape.bids), ("asks", shape.asks)) if side.thin]
    clusters = f"{len(shape.bids.clusters)} / {len(shape.asks.clusters)}"
    lines = [
        row("pressure", f"{shape.pressure:+.2f}", tilt(shape.pressure)),
        row("order flow", flow, tilt(shape.order_flow_imbalance)),
        row("sweeps", f"{shape.sweeps:+d}", tilt(shape.sweeps)),
        row("spread, ticks", f"{spread:.2f}"),
        row("thin ice", " and ".join(thin) or "no", Style.WARN if thin else Style.DIM),
        row("clusters bid/ask", clusters),
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
