"""The page that `?` shows: keys, and every word of every panel. Pure. docs/howto/console.md has the same words."""

from textwrap import wrap

from ops.console.text import Line, Span, Style, line

WORDS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Keys", (
        ("q", "end the console; the engine runs on"),
        ("Tab, arrows", "next instrument, the one before"),
        ("p", "hold the picture still, and go on"),
        ("?", "this page, and back"),
    )),
    ("Header", (
        ("data, lag", "age of the book's last update; lag: how late the venue's stamps say updates come, +- what is unsure; red: over a second"),
        ("fps", "pictures a second that showed something new"),
        ("epoch", "number of this term of trading; it is part of every order's id"),
        ("books only", "a host of a split engine that keeps books; orders, positions and trading states are at another"),
        ("INVALID ...", "in red: this book is not LIVE, and why; nobody may use a price of it"),
        ("frame", "in the last line: number of the engine's picture, counted while somebody watches"),
    )),
    ("Ladder", (
        ("sum", "quantity from the touch to that level, with it"),
        ("bar", "the level's own quantity; the longest is the largest shown"),
        ("< q", "an own order: what is left of it, and q, the quantity before it in the queue (working orders: ahead)"),
    )),
    ("Positions and orders", (
        ("average", "price with fees; - when flat, and for less than the smallest order: there fees would distort it"),
        ("unrealized", "what the position would gain at the touch; realized: what closed positions gained, after fees"),
        ("ahead, behind", "quantity before and after it at its price, the cautious estimate; -: not known"),
        ("phase", "requested: not sent; sent: no answer; working; canceling; doomed: canceled as soon as it has an id"),
    )),
    ("Latency", (
        ("tick to order", "from a frame's receipt to the write of its order, us; write: the system call alone"),
        ("frame", "what this console costs the engine's loop a picture; other names: one actor, one message"),
    )),
    ("States", (
        ("ACTIVE", "trades; REDUCING: only toward flat; CANCEL_ONLY: cancels alone; HALTED: until a person resumes it"),
        ("leader", "the instance that may trade on this account; peers: other accounts of the group that may rest here"),
        ("cools down", "nobody of the group opens a position on the instrument until the time is over"),
        ("exit flat", "nothing held; dust: held, but too little for any order"),
        ("exit holding", "a position is watched; armed: its gain passed the trigger, so break-even is defended"),
        ("taking profit", "an exit order rests; profit crossing: it takes through the touch"),
        ("defending", "it rests at break-even; defense crossing: it takes"),
        ("losing passive", "it rests to end a loss; losing crossing: it takes"),
        ("target, stop", "prices at which a held position is closed with gain, with loss"),
    )),
    ("Health", (
        ("index behind", "journal records that the query index does not have yet; trading does not wait for it"),
        ("gaps, resyncs", "updates missing from the feed, books that began anew for it; silences: streams silent for too long"),
        ("stalls", "the engine's loop was not free for half a second, times; stall max s: the longest"),
        ("gc pause max us", "longest pause of the garbage collector; gc passes: how many there were"),
    )),
    ("Signals", (
        ("pressure", "aggressive buys minus sells over both, -1 to 1, in the time window"),
        ("order flow", "order flow imbalance (Cont, Kukanov, Stoikov): buying is positive, in base asset"),
        ("sweeps", "trades that took more than the touch: those of buyers minus those of sellers"),
        ("thin ice", "sides with little between their touch and the next gap"),
        ("clusters", "levels far above their neighbors, bids / asks"),
        ("windows", "full: every signal has its whole window; filling: not yet; -: the book is not LIVE"),
    )),
)  # fmt: skip
NAME_WIDTH = 17
"""Columns for a word; chosen."""


def guide(width: int, height: int) -> list[Line]:
    """Headed groups where they fit, else without headings; what still does not fit is said in the last line."""
    spacious = [entry for title, words in WORDS for entry in (line(Span(title, Style.HEADING)), *_group(words, width))]
    lines = spacious if len(spacious) <= height else [entry for _, words in WORDS for entry in _group(words, width)]
    if len(lines) <= height:
        return lines
    kept = lines[: max(height - 1, 0)]
    more = f"{len(lines) - len(kept)} lines more: a larger terminal, or docs/howto/console.md"
    return [*kept, line(Span(more, Style.WARN))]


def _group(words: tuple[tuple[str, str], ...], width: int) -> list[Line]:
    lines: list[Line] = []
    for name, text in words:
        said = wrap(text, max(width - NAME_WIDTH, 20))
        lines.append(line(Span(f"{name:{NAME_WIDTH}}", Style.STRONG), said[0]))
        lines += (line(f"{'':{NAME_WIDTH}}{rest}") for rest in said[1:])
    return lines
