"""The architecture picture, docs/reference/architecture.svg: rooms at places chosen by hand, arrows checked against the topology page.

Part of `python -m ops.docs`. An arrow says which messages take that way; one that the page does not route raises.
"""

from typing import NamedTuple

from bus import messages
from ops import topology

WIDTH, HEIGHT = 1330, 610
BOX_WIDTH, BOX_HEIGHT = 152, 52
COLUMNS = (14, 236, 458, 680, 902, 1124)
ROWS = (56, 170, 300, 420, 530)
COLORS = {"actor": ("#dbeafe", "#1d4ed8"), "door": ("#ffedd5", "#c2410c"), "world": ("#f1f5f9", "#64748b")}


class Room(NamedTuple):
    """column, row: of the grid above; kind: its color. says: what it is for, in three or four words."""

    column: int
    row: int
    kind: str
    says: str


class Arrow(NamedTuple):
    """From room to room; `sent` are message names; none where nothing of the vocabulary travels.

    shift: sideways, of one of two arrows between the same rooms. at: where the label stands on its way, in percent.
    """

    start: str
    end: str
    sent: tuple[str, ...] = ()
    shift: int = 0
    at: int = 50


ROOMS = {
    "venue: market data": Room(0, 0, "world", "WebSocket, REST"),
    "feed_door": Room(0, 1, "door", "frames, received_ns"),
    "rest_door": Room(0, 2, "door", "snapshots, queries"),
    "market_data": Room(1, 1, "actor", "sync, gaps, normalized"),
    "orderbook": Room(2, 1, "actor", "L2 book, O(1) touch"),
    "microstructure": Room(3, 1, "actor", "signals, thin ice"),
    "strategy": Room(3, 2, "actor", "YOUR CODE"),
    "exits": Room(3, 3, "actor", "outrank the strategy"),
    "execution": Room(4, 2, "actor", "working orders, queue"),
    "risk": Room(4, 3, "actor", "limits, states, bands"),
    "orders": Room(5, 2, "actor", "order truth, ids"),
    "order_door": Room(5, 1, "door", "keys, commit point"),
    "venue: orders": Room(5, 0, "world", "WebSocket API"),
    "portfolio": Room(5, 3, "actor", "ledger, PnL"),
    "coordination": Room(4, 4, "actor", "leader, cooldown, bands"),
    "coordination_door": Room(3, 4, "door", "etcd or local"),
    "persistence": Room(5, 4, "actor", "checkpoints, index"),
    "other instances": Room(2, 4, "world", "etcd"),
    "console": Room(1, 3, "world", "telemetry, its own process"),
}
ARROWS = (
    Arrow("venue: market data", "feed_door"),
    Arrow("feed_door", "market_data", ("Frame",)),
    Arrow("rest_door", "market_data", ("SnapshotAnswer",)),
    Arrow("market_data", "orderbook", ("DepthUpdate",)),
    Arrow("orderbook", "microstructure", ("BookView",)),
    Arrow("microstructure", "strategy", ("Signals",)),
    Arrow("orderbook", "execution", ("Touch",), at=20),
    Arrow("microstructure", "execution", ("Liquidity",)),
    Arrow("strategy", "execution", ("QuoteIntent",)),
    Arrow("exits", "execution", ("QuoteIntent",)),
    Arrow("execution", "risk", ("OrderCommand",)),
    Arrow("risk", "orders", ("ApprovedOrder",)),
    Arrow("orders", "order_door", ("SubmitOrder",), -22),
    Arrow("order_door", "orders", ("ExecutionReport",), 22),
    Arrow("order_door", "venue: orders", (), -22),
    Arrow("venue: orders", "order_door", (), 22),
    Arrow("orders", "portfolio", ("Fill",)),
    Arrow("portfolio", "coordination", ("AccountState",)),
    Arrow("risk", "coordination", ("BandWanted",), -22),
    Arrow("coordination", "risk", ("BandHeld",), 22),
    Arrow("coordination", "coordination_door", ("PublishBand",)),
    Arrow("coordination_door", "other instances"),
)


def picture() -> str:
    """The SVG's text. Raises LookupError for an arrow that the topology page does not know, or an actor without a place."""
    missing = [name for name in topology.ACTORS if name not in ROOMS]
    if missing:
        raise LookupError(f"no place in the picture for {', '.join(missing)}")
    shapes = [*map(_arrow, ARROWS), *(_room(name, room) for name, room in ROOMS.items())]
    return "\n".join((_HEAD, *shapes, _LEGEND, "</svg>")) + "\n"


def _room(name: str, room: Room) -> str:
    x, y = _corner(room)
    fill, stroke = COLORS[room.kind]
    middle = x + BOX_WIDTH // 2
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="{fill}" stroke="{stroke}"/>'
        f'<text x="{middle}" y="{y + 22}" class="name" fill="{stroke}">{name}</text>'
        f'<text x="{middle}" y="{y + 39}" class="says">{room.says}</text>'
    )


def _arrow(arrow: Arrow) -> str:
    for sent in arrow.sent:
        kind = getattr(messages, sent)
        if arrow.end not in topology.ROUTES.get(kind, ()) and kind not in topology.ANSWERS:
            raise LookupError(f"{sent} is not routed to {arrow.end}")
    start, end = ROOMS[arrow.start], ROOMS[arrow.end]
    x1, y1, x2, y2 = _ends(start, end)
    if start.column == end.column:
        x1, x2 = x1 + arrow.shift, x2 + arrow.shift
    label = ", ".join(arrow.sent)
    x, y = x1 + (x2 - x1) * arrow.at // 100, y1 + (y2 - y1) * arrow.at // 100
    if start.column == end.column:
        anchor, x, y = ("start", x + 6, y + 4) if arrow.shift >= 0 else ("end", x - 6, y + 4)
    else:
        anchor, y = "middle", y - 6
    text = f'<text x="{x}" y="{y}" class="sent" text-anchor="{anchor}">{label}</text>' if label else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="way"/>{text}'


def _ends(start: Room, end: Room) -> tuple[int, int, int, int]:
    """Side to side within a row, else bottom to top (or top to bottom) of the two boxes."""
    (x1, y1), (x2, y2) = _corner(start), _corner(end)
    if start.column == end.column:
        middle = x1 + BOX_WIDTH // 2
        return (middle, y1 + BOX_HEIGHT, middle, y2) if y1 < y2 else (middle, y1, middle, y2 + BOX_HEIGHT)
    half = BOX_HEIGHT // 2
    return (x1 + BOX_WIDTH, y1 + half, x2, y2 + half) if x1 < x2 else (x1, y1 + half, x2 + BOX_WIDTH, y2 + half)


def _corner(room: Room) -> tuple[int, int]:
    return COLUMNS[room.column], ROWS[room.row]


_HEAD = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Helvetica, Arial, sans-serif">
<!-- Made by `python -m ops.docs`; do not edit. -->
<style>
.name {{ font-size: 14px; font-weight: bold; text-anchor: middle }}
.says {{ font-size: 11px; fill: #334155; text-anchor: middle }}
.sent {{ font-size: 11px; fill: #475569; font-style: italic; paint-order: stroke; stroke: white; stroke-width: 3px }}
.way {{ stroke: #64748b; stroke-width: 1.4; marker-end: url(#tip) }}
.note {{ font-size: 12px; fill: #334155 }}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" fill="#64748b"/></marker></defs>
<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>
<text x="14" y="30" style="font-size:17px;font-weight:bold" fill="#0f172a">Actors decide, the bus carries, the gateway touches the world, ops assembles.</text>"""
_LEGEND = f"""<rect x="14" y="{HEIGHT - 92}" width="14" height="14" rx="3" fill="#dbeafe" stroke="#1d4ed8"/>
<text x="36" y="{HEIGHT - 80}" class="note">actor: pure, one ZeroMQ mailbox</text>
<rect x="14" y="{HEIGHT - 68}" width="14" height="14" rx="3" fill="#ffedd5" stroke="#c2410c"/>
<text x="36" y="{HEIGHT - 56}" class="note">door: touches the world</text>
<rect x="14" y="{HEIGHT - 44}" width="14" height="14" rx="3" fill="#f1f5f9" stroke="#64748b"/>
<text x="36" y="{HEIGHT - 32}" class="note">outside</text>"""
