"""Transcripts: text files that are tests. A line is something that happens; the lines marked `>` behind it are all that came
of it. `perform` plays what happens on the whole engine in memory and returns the text with what really came.

Orders are called by side and number, as they first appear on the wire: bid1, ask1, bid2 ... `!N` after a fill names a
trade id. Read tests/transcripts/README.md for the words; a new transcript is written without its `>` lines and completed by
`python -m tests.support.transcript FILE`, then read.
"""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from bus.messages import (
    Alert,
    AlertLevel,
    CancelOrder,
    CommandAnswered,
    Difference,
    Fill,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    OrderRefused,
    OrdersQuiet,
    OrdersReady,
    OrdersUnready,
    OrderUpdate,
    PositionUpdate,
    PrivateStreamSuspected,
    Reconciled,
    SubmitOrder,
    TradingStateChanged,
    VenueQuery,
)
from tests.support.mortal import Killed
from tests.support.play import Play, btc

# -- words for what came of it: message to line, "" for nothing ------------------------------------------------------------


def _update(play: Play, update: OrderUpdate) -> str:
    name = play.name(update.client_order_id, update.side)
    if name in play.well:
        return ""
    rest = f" {update.cumulative_lots}/{update.quantity_lots}" if update.cumulative_lots else ""
    why = f" ({update.refusal.name})" if update.refusal else ""
    return f"{name} is {update.status.name}{rest}{why}"


def _fill(play: Play, fill: Fill) -> str:
    late = ", late" if fill.late else ""
    owner = f", of {fill.owner}" if fill.owner != "main" else ""
    return f"{play.name(fill.client_order_id, fill.side)} fill {fill.number}: {fill.quantity_lots} lots, trade {fill.trade_id}{late}{owner}"


def _submit(play: Play, order: SubmitOrder) -> str:
    name = play.name(order.client_order_id, order.side)
    return "" if name in play.well else f"{name} to the door: {order.quantity_lots} at {order.price_ticks}"


def _cancel(play: Play, cancel: CancelOrder) -> str:
    name = play.name(cancel.client_order_id)
    return "" if name in play.well else f"{name} cancel to the door, attempt {cancel.attempt}"


def _query(play: Play, query: VenueQuery) -> str:
    name = play.name(query.client_order_id) if query.client_order_id else ""
    if name in play.well:
        return ""
    about = f" {name}" if name else ""
    since = f" from {query.from_id}" if query.kind.name == "TRADES" and query.from_id else ""
    return f"asks {query.kind.name}{about}{since}"


def _alert(play: Play, alert: Alert) -> str:
    told = alert.level > AlertLevel.INFO and alert.event != "checkpoint_overdue"  # nobody takes them here
    return f"{alert.level.name}: {alert.event}" if told else ""


def _difference(play: Play, row: Difference) -> str:
    subject = play.names.get(row.subject, row.subject)
    return f"difference {row.kind.name} {subject}: ours {row.ours}, the venue's {row.venues}"


def _position(play: Play, update: PositionUpdate) -> str:
    return f"position {update.position_lots}"


def _compared(play: Play, row: LedgerCompared) -> str:
    if row.baseline or row.ours == row.venues:
        return ""
    return f"ledger {row.asset} differs by {row.ours - row.venues}"


WORDS: dict[type[Message], Callable[[Play, Any], str]] = {
    OrderUpdate: _update,
    Fill: _fill,
    SubmitOrder: _submit,
    CancelOrder: _cancel,
    VenueQuery: _query,
    Alert: _alert,
    Difference: _difference,
    PositionUpdate: _position,
    LedgerCompared: _compared,
    LedgerAdjusted: lambda play, row: f"ledger {row.asset} adjusted by {row.units}",
    OrderRefused: lambda play, row: f"refused {row.side.name}: {row.reason.name}",
    OrdersReady: lambda play, row: f"ready: {row.adopted} adopted, {row.canceled} canceled, {row.fills} fills",
    OrdersUnready: lambda play, row: f"not ready: {row.reason}",
    OrdersQuiet: lambda play, row: f"quiet: {row.unresolved} unresolved",
    PrivateStreamSuspected: lambda play, row: f"private stream suspected{', renewed' if row.renew else ''}",
    CommandAnswered: lambda play, row: f"{row.asker} hears: {row.kind.name}, {row.text}",
    Reconciled: lambda play, row: f"reconciled after {row.trigger}: {row.differences} differences",
    TradingStateChanged: lambda play, row: f"trading {row.scope} {row.state.name}",
}

_ORDER, _TIME = r"(\w+)", r"([\d.]+) ?(ms|s|min)"
VERBS: tuple[tuple[str, Callable[..., object]], ...] = (
    (r"settings: (.*)", Play.settings),
    (rf"{_ORDER} goes well", Play.goes_well),
    (rf"{_ORDER} never arrived", Play.never_arrived),
    (r"later orders go well", Play.all_later_go_well),
    (rf"wait {_TIME}", Play.wait),
    (r"queries answered(?:: (.*))?", Play.queries),
    (rf"{_TIME} with every query answered(?:: (.*))?", Play.settle),
    (rf"{_TIME} without network", Play.no_network),
    (rf"{_TIME} with every query failing: (.*)", Play.no_network),
    (r"account gains (\d+) lots that nobody explains", Play.gain),
    (r"page answered: (.*)", Play.page),
    (r"queries fail: (.*)", Play.fail_queries),
    (rf"{_ORDER} accepted", lambda play, name: play.stage.accept(play.id_of(name))),
    (rf"{_ORDER} answered", lambda play, name: play.stage.answer(play.id_of(name))),
    (
        rf"{_ORDER} refused (-\d+) (.*)",
        lambda play, name, code, text: play.stage.refuse(play.id_of(name), int(code), text),
    ),
    (rf"{_ORDER} cancel answered", lambda play, name: play.stage.answer_cancel(play.id_of(name))),
    (
        rf"{_ORDER} cancel refused (-\d+) (.*)",
        lambda play, name, code, text: play.stage.answer_cancel(play.id_of(name), int(code), text),
    ),
    (rf"{_ORDER} filled (\d+)(?: of (\d+))?(?: in trade (\d+))?(?:, for (\d+) of them)?", Play.fill),
    (
        rf"{_ORDER} canceled(?: with (\d+) executed)?",
        lambda play, name, lots: play.stage.canceled(play.id_of(name), btc(lots or "0")),
    ),
    (rf"{_ORDER} reported (\w+) (\w+)((?: \w+=\S+)*)", Play.report),
    (r"stranger of epoch (\d+), number (\d+), reported (\w+) (\w+)", Play.stranger_of),
    (r"stranger ([\w-]+) reported (\w+) (\w+)", Play.stranger),
    (r"operator (\w+): (.*)", Play.operator),
    (r"stop", Play.stop),
    (r"venue clock off by (-?\d+) ms, within (\d+) ms", Play.clock),
    (r"disk (full|free)", Play.disk),
    (r"(\w+) fails on (\w+)", Play.fails),
    (r"filters change:((?: \w+=\d+)+)", lambda play, text: play.instrument(text.strip())),
    (r"connection lost", lambda play: play.stage.lose_connection()),
    (r"connection back", Play.reconnect),
    (r"market connected", Play.market),
    (r"market moves to ([\d.]+) / ([\d.]+)", lambda play, bid, ask: play.stage.move(bid, ask)),
    (r"book opens again", lambda play: play.stage.open_book_again()),
    (r"market ticks", lambda play: play.stage.tick()),
    (r"checkpoint", Play.checkpoint),
    (r"dies at the next write(?: but (\d+))?", Play.dies_at_write),
    (r"killed, and started again", Play.restart),
)
"""What can happen; the groups are the verb's arguments."""


def outcome(play: Play) -> Iterator[str]:
    """Everything new as lines; the same line in a row once, with how often."""
    carried = play.stage.house.tap.carried[play.heard :]
    play.heard += len(carried)
    lines: list[str] = []
    last: Message | None = None
    for _, message in carried:
        told = WORDS.get(type(message))
        if told is not None and message != last and (line := told(play, message)):  # else: to its next receiver
            lines.append(line)
        last = message
    worst = play.stage.reserved()
    if worst != play.worst:
        play.worst = worst
        lines.append(f"worst case {worst[0]:+} / {worst[1]:+}")
    if play.brief:
        play.brief, lines = False, list(dict.fromkeys(lines))
    for line, same in groupby(lines):
        count = len(list(same))
        often = (
            "more than once" if line.startswith("asks ") else f"{count} times"
        )  # how often is the back-off's business
        yield f"{line}, {often}" if count > 1 else line


def do(play: Play, line: str) -> None:
    for pattern, verb in VERBS:
        found = re.fullmatch(pattern, line)
        if found is not None:
            verb(play, *(group or "" for group in found.groups()))
            play.serve()
            return
    raise ValueError(f"nothing is called {line!r}")


def perform(text: str) -> str:
    """The transcript with what really came of each line. Raises ValueError, LookupError for a line that means nothing."""
    play = Play()
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("> "):
            continue
        lines.append(line)
        if not line or line.startswith("#"):
            continue
        try:
            do(play, line)
        except Killed:
            lines += [*(f"> {came}" for came in outcome(play)), "> died"]
        lines += [f"> {came}" for came in outcome(play)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(perform(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
