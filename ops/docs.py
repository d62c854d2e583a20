"""`python -m ops.docs`: the reference pages that are read off the code. They are committed, and a test keeps them fresh.

routes, messages: from ops/topology.py and the vocabulary. order-, book-, exit- and coordination-states: diagrams of the
tables that the actors themselves step through; whatever a diagram shows, the code does. fault-conformance: the table that
tests/faults takes its marks from. venue-control: what the control door is served from.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec

from actors.coordination import phases as coordination
from actors.execution import phases as execution
from actors.exits import phases as exits
from actors.market_data import phases as rolling
from actors.market_data import sync
from actors.orderbook import validity
from actors.orders import phases as startup
from actors.orders import state as orders
from actors.risk import causes
from actors.risk import ladder as lateness
from actors.risk import states as risk
from bus.codec import tag_of
from bus.messages import VOCABULARY, Message, TradingState
from gateway.simulated.faults.kinds import Acts
from ops import docs_control, docs_faults, docs_picture, fault_conformance, topology

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
CLASS_NAMES = ("control", "execution", "timers", "market data")
MADE = "<!-- Made by `python -m ops.docs`; do not edit. -->"
Table = Mapping[tuple[Any, Any], Any]
"""(state, event) -> state; the enums differ by table."""


def pages() -> dict[str, str]:
    """File name in docs/reference -> its text."""
    return {
        "routes.md": routes(),
        "messages.md": messages(),
        "order-states.md": order_states(),
        "trading-states.md": trading_states(),
        "book-states.md": book_states(),
        "exit-states.md": exit_states(),
        "coordination-states.md": coordination_states(),
        "faults.md": faults(),
        "venue-control.md": venue_control(),
        "fault-conformance.md": fault_conformance_page(),
        "architecture.svg": docs_picture.picture(),
    }


# -- routes and messages ----------------------------------------------------------------------------------------------


def routes() -> str:
    """Who gets what, in the order of the topology page; and the same by receiver."""
    classes = {kind: CLASS_NAMES[n] for n, kinds in enumerate(topology.INPUT_CLASSES) for kind in kinds}
    rows = [
        (link(kind), receivers(kind), classes.get(kind, ""), flags(kind))
        for kind in (*topology.ROUTES, *topology.ANSWERS)
    ]
    names = (*topology.ACTORS, *topology.DOORS)
    by_receiver = [
        (f"`{name}`", ", ".join(link(kind) for kind, targets in topology.ROUTES.items() if name in targets))
        for name in names
    ]
    return page(
        "Routes",
        "Every message and its receivers, in the order in which they get it. A message with an input class is (also) handed in "
        "from outside; the classes are taken in the order control, execution, timers, market data. *journaled*: a fact "
        "that is in the order journal before anyone acts on it. *command*: lost in a cascade that raised, it is answered "
        "with CommandDropped.",
        grid(("message", "receivers", "input class", ""), rows),
        "## By receiver",
        grid(("receiver", "gets"), by_receiver),
    )


def messages() -> str:
    """One section a message, by tag."""
    sections = []
    for kind in VOCABULARY:
        fields = msgspec.structs.fields(kind)
        rows = [(f"`{field.name}`", f"`{type_name(field.type)}`", default_of(field)) for field in fields]
        sections.append(f"## {kind.__name__}")
        sections.append(f"Tag {tag_of(kind)} · to {receivers(kind)}{note(kind)}")
        sections.append(inspect.cleandoc(kind.__doc__ or ""))
        sections.append(grid(("field", "type", "default"), rows) if rows else "No fields.")
    return page("Messages", "The vocabulary: everything anyone can say, by tag.", *sections)


def receivers(kind: type[Message]) -> str:
    if kind in topology.ANSWERS:
        return "the actor that asked"
    return ", ".join(f"`{name}`" for name in topology.ROUTES.get(kind, ())) or "nobody: a value inside other messages"


def flags(kind: type[Message]) -> str:
    marks = [("journaled", topology.JOURNALED), ("command", topology.COMMANDS)]
    return ", ".join(name for name, kinds in marks if kind in kinds)


def note(kind: type[Message]) -> str:
    marks = flags(kind)
    return f" · {marks}" if marks else ""


def link(kind: type[Message]) -> str:
    return f"[{kind.__name__}](messages.md#{kind.__name__.lower()})"


def type_name(kind: Any) -> str:
    name = kind.__name__ if isinstance(kind, type) and "[" not in str(kind) else str(kind)
    return re.sub(r"\b(?:\w+\.)+", "", name)  # without modules


def default_of(field: msgspec.structs.FieldInfo) -> str:
    return "" if field.default is msgspec.NODEFAULT else f"`{field.default!r}`"


# -- states -----------------------------------------------------------------------------------------------------------


def order_states() -> str:
    statuses = [
        (held.name, pending.name, certainty.name, f"**{status.name}**")
        for (held, pending, certainty), status in orders.STATUS.items()
    ]
    absent = [(absence.name, f"**{status.name}**") for absence, status in orders.ABSENT.items()]
    seen = [(status.name, event.name) for status, event in execution.EVENT_OF_STATUS.items()]
    return page(
        "Order states",
        "Read off the tables in `actors/orders/state.py`, `actors/orders/phases.py` and "
        "`actors/execution/phases.py`. Arrows that lead back to their own state are not drawn.",
        "## What the venue has proven",
        "Facts only climb: the higher rank wins, so their order of arrival does not matter.",
        grid(("state", "rank"), [(state.name, str(rank)) for state, rank in orders.RANK.items()]),
        "## Which of our requests have no answer",
        diagram(orders.PENDING, orders.Pending.SUBMIT),
        "## Whether what we know still holds",
        diagram(orders.CERTAINTY),
        "## Why the venue has no such order",
        diagram(orders.ABSENCE),
        "## What a word of the venue does",
        "Each word names a state; an execution and a snapshot prove beside it that the order exists, and how much of it is "
        "executed. An end settles every request and needs no proof; a shortfall of executions keeps it SUSPECT until they "
        "are booked. Executions are booked in every state, also behind an end (then the fill is *late*). A reject of what was "
        "executed, and executions of what was rejected, are a question, as is a word that nobody knows (OTHER).",
        grid(
            ("held", *(fact.name for fact in orders.RANK)),
            [
                (
                    held.name,
                    *(
                        "" if orders.VENUE[held, fact] is held else orders.VENUE[held, fact].name
                        for fact in orders.RANK
                    ),
                )
                for held in orders.RANK
            ],
        ),
        "## Whether the private stream tells everything",
        "OVERDUE: a request that was done, or a fact that a query showed, did not come on the stream within its learnt bound, or "
        "nothing came at all while orders work. MISSED: the venue was looked at, and it still has not.",
        diagram(orders.TRUST),
        "## The public status",
        "Derived from the first three; what is not listed cannot be. An order with a fill shows PARTIALLY_FILLED in place of "
        "ACCEPTED.",
        grid(("venue", "pending", "certainty", "status"), statuses),
        grid(("absence", "status"), absent),
        "## From a private stream that comes up to orders that may be sent",
        diagram(startup.PHASES),
        "## What execution may do with an order next",
        diagram(execution.TRANSITIONS),
        grid(("status", "event"), seen),
    )


def trading_states() -> str:
    passes = [
        (command.name, *("passes" if risk.PASSES[state, command] else "" for state in TradingState))
        for command in risk.Command
    ]
    stops = [
        (name, row.scope, row.state, row.ends, "yes" if row.binds_operator else "")
        for name, row in causes.CAUSES.items()
    ]
    ladder = [
        (str(number), f"{row.widen} x" if row.widen else "", "bounded" if row.bounded else "", row.state.name)
        for number, row in enumerate(lateness.STEPS)
    ]
    return page(
        "Trading states",
        "Read off the tables in `actors/risk/states.py`, `actors/risk/causes.py` and `actors/risk/ladder.py`. The strictest state "
        "of engine, venue, instrument and strategy decides.",
        "## What passes",
        grid(("command", *(state.name for state in TradingState)), passes),
        "## What stops trading, and what starts it again",
        "Thresholds are keys of `[risk]`. The last column says which of them hold an operator's own order too, as `touchline "
        "flatten` sends them: what is open or held is not known then, or nobody would take the order.",
        grid(("cause", "scope", "state", "ends with", "binds an operator"), stops),
        "## The ladder of lateness",
        "The step is the worst that feed age, acknowledgements, the engine's loop and the venue's clock stand on. It is climbed at "
        "once, and left one step at a time when all has been calm for `calm_ms`.",
        grid(("step", "quotes wider by", "orders in flight", "state"), ladder),
    )


def book_states() -> str:
    return page(
        "Book states",
        "Read off the tables in `actors/market_data/sync.py`, `actors/market_data/phases.py` and "
        "`actors/orderbook/validity.py`. Arrows that lead back to their own state are not drawn.",
        "## How a book comes to be LIVE (market data)",
        diagram(sync.TRANSITIONS),
        "## How a connection is rolled over to its next generation (market data)",
        diagram(rolling.TRANSITIONS),
        "## When a book may be believed (orderbook)",
        diagram(validity.TRANSITIONS, validity.Validity.INVALID),
        grid(
            ("what another says", "what it is to the book"),
            [
                *(
                    (f"{state.name}, {reason.name}", event.name)
                    for (state, reason), event in validity.EVENTS_OF_REASON.items()
                ),
                *((f"{state.name}, any other reason", event.name) for state, event in validity.EVENTS.items()),
            ],
        ),
        "What others are told of it: "
        + ", ".join(
            f"{inner.name} is {state.name}" for inner, state in validity.SHOWN.items() if inner.name != state.name
        )
        + ".",
    )


def exit_states() -> str:
    return page(
        "Exit states",
        "Read off the table in `actors/exits/phases.py`. Arrows that lead back to their own phase are not drawn. What the "
        "events mean, and at which prices: [exits](../howto/exits.md).",
        "## Life of a position",
        diagram(exits.TRANSITIONS),
        "## How an exit begins and ends",
        grid(
            ("phase", "reason, when an exit begins in it", "a loss that ends in it asks for a pause"),
            [
                (phase.name, exits.REASONS.get(phase, ""), "yes" if cools else "")
                for phase, cools in exits.COOLS.items()
            ],
        ),
    )


def coordination_states() -> str:
    return page(
        "Coordination states",
        "Read off the table in `actors/coordination/phases.py`. Arrows that lead back to their own phase are not drawn. "
        "Bands are asked for in HOLDING alone; the account is left for a successor while we lead.",
        "## Our term, as the actor knows it",
        diagram(coordination.PHASES),
        grid(
            ("phase", "we lead"),
            [(phase.name, "yes" if phase in coordination.LEADS else "") for phase in coordination.Phase],
        ),
    )


# -- faults -----------------------------------------------------------------------------------------------------------


def faults() -> str:
    """What the simulated venue can be told to do wrong: the tables a faults file is checked against."""
    sections = []
    for acts, title in docs_faults.TITLES.items():
        rows = docs_faults.kinds(acts)
        head: tuple[str, ...] = ("kind", "what happens", "its own keys", "whom it can be kept to", "requests")
        if acts is not Acts.REQUEST:
            head, rows = head[:-1], [row[:-1] for row in rows]
        sections += [f"## {title}", docs_faults.chances(acts), grid(head, rows)]
    key = ("key", "value", "meaning", "default")
    return page(
        "Faults and kill points of the simulated venue",
        "Every table `[[fault]]` and `[[point]]` that `touchline venue --faults FILE` and `POST /control/faults` take. How to use "
        "them: [faults](../howto/faults.md). Beside its own keys a fault has `kind`, a `name` for the log (the kind unless "
        "given), and:",
        "## When it hits",
        grid(key, docs_faults.schedule()),
        "## Whom it hits",
        "What is not named is not asked about. Which of these a kind takes is in its row.",
        grid(key, docs_faults.whom()),
        *sections,
        "## Kill points",
        "A `[[point]]` has `at`, one of these; the keys of when and whom, with `count` 1 unless given; and what to do.",
        grid(("at", "where the venue stands"), docs_faults.points()),
        grid(key, docs_faults.actions()),
    )


def fault_conformance_page() -> str:
    """Fault, what is expected, and the test that shows it; what is left to a later part is said."""
    sections = []
    for title, rows in fault_conformance.SECTIONS.items():
        lines = [
            (f"`{row.fault}`" + (f" `{row.how}`" if row.how else ""), row.venue, row.engine, held(row)) for row in rows
        ]
        sections += [f"## {title}", grid(("fault", "the venue", "the engine", "shown by"), lines)]
    count = len(fault_conformance.ROWS)
    open_rows = sum(bool(row.later) for row in fault_conformance.ROWS.values())
    return page(
        "Faults, and what the engine does",
        "Every way in which the simulated venue can fail, and every point at which it can have the engine killed, with what the "
        "engine must do then. Each row is a test in `tests/faults`: the real engine against the real venue over sockets, or "
        "both in the seeded world where it takes minutes. After each of them, unless it says otherwise, the engine is stopped "
        "and compared with the venue: no order left, no fill lost or booked twice, no order accepted twice, the ledgers equal.",
        f"{count - open_rows} of {count} rows hold. A row marked *later* is a test that is expected to fail; when it passes, "
        "the suite says that its mark must go.",
        *sections,
    )


def held(row: fault_conformance.Row) -> str:
    file, _, function = row.test.partition("::")
    test = f"[{function.removeprefix('test_').replace('_', ' ')}](../../tests/faults/{file})"
    return f"{test}; *later*: {row.later}" if row.later else test


def venue_control() -> str:
    """What the simulated venue can be asked and told: the tables that serve its control door."""
    return page(
        "The venue's control door",
        "`touchline venue --control` serves these on the REST port, to this machine alone: a request from elsewhere, or whose "
        "`Host` or `Origin` is not a loopback address, gets 403. Parameters are in the query; one that is not listed here is "
        "refused (-1104), and so is a name that nothing has (-1130), with those there are. `GET /control/` answers this list. "
        "What it is for: [the simulated venue](../howto/simulated-venue.md).",
        "## It tells",
        grid(("command", "parameters", "what"), docs_control.looks()),
        "A log answers `first` (the oldest row that is kept), `next` (the number of the next one to come), `then` (where the next "
        "page goes on) and `rows`.",
        "## It does",
        grid(("command", "parameters", "what"), docs_control.acts()),
    )


def diagram(table: Table, first: IntEnum | None = None) -> str:
    """A mermaid state diagram: one arrow for each pair of states, with every event that leads along it.

    first: where it begins, when that is not the enum's 0.
    """
    arrows: dict[tuple[IntEnum, IntEnum], list[str]] = {}
    for (state, event), after in table.items():
        if state is not after:
            arrows.setdefault((state, after), []).append(event.name)
    states = type(next(iter(table))[0])
    lines = [f"    [*] --> {(states(0) if first is None else first).name}"]
    lines += [f"    {state.name} --> {after.name}: {', '.join(events)}" for (state, after), events in arrows.items()]
    return "\n".join(("```mermaid", "stateDiagram-v2", *lines, "```"))


# -- text -------------------------------------------------------------------------------------------------------------


def page(title: str, *blocks: str) -> str:
    return "\n\n".join((f"# {title}", MADE, *blocks)) + "\n"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every page; returns those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for written in write():
        sys.stdout.write(f"{written}\n")
