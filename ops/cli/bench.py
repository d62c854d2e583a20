"""`touchline bench NAME`: how fast, beside what it is compared with, in one run on this machine."""

import json
from collections.abc import Callable
from typing import Any

import click

from ops.bench import book, feed, order_day, tick, transport, venue, wire
from ops.cli.ranges import Real, Whole


@click.group()
def bench() -> None:
    """Benchmarks. Figures are of this machine, now; trust the ratios: both sides ran interleaved."""


def _print(result: dict[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(result) if as_json else _text(result))


def _text(value: Any, indent: str = "") -> str:
    if not isinstance(value, dict):
        return f" {value}"
    lines = []
    for key, inner in value.items():
        if isinstance(inner, dict) and not any(isinstance(item, dict) for item in inner.values()):
            lines.append(f"{indent}{key}: " + ", ".join(f"{name} {item}" for name, item in inner.items()))
        elif isinstance(inner, dict):
            lines.append(f"{indent}{key}:\n{_text(inner, indent + '  ')}")
        else:
            lines.append(f"{indent}{key}:{_text(inner)}")
    return "\n".join(lines)


def _command(name: str, measure: Callable[[int], dict[str, Any]], count: int, what: str, explain: str) -> None:
    @bench.command(name, help=explain)
    @click.option("--count", type=Whole(1, 1_000_000), default=count, show_default=True, help=what)
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    def run(count: int, as_json: bool) -> None:
        _print(measure(count), as_json)


_command(
    "tick", tick.run, 3_000, "Ticks of each variant.",
    "Frame bytes in to order bytes out, all mailboxes, everything on; against plain calls and zmq.asyncio.",
)  # fmt: skip
_command(
    "book", book.run, 20_000, "Frames of Binance Spot on each side; other venues have fewer.",
    "JSON to best bid and ask of a LIVE book, each venue; Binance Spot against SortedDict and what else is installed.",
)  # fmt: skip
_command(
    "wire", wire.run, 1_000, "Frames.",
    "A frame on one real socket to the order on another, against a bare echo through the same libraries.",
)  # fmt: skip
_command(
    "transport", transport.run, 2_000, "Messages over each transport.",
    "One hop, one way, between two processes: ipc, tcp and tcp with CURVE; and a host's own mailbox.",
)  # fmt: skip


@bench.command(name="feed")
@click.option(
    "--count",
    type=Whole(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="Frames of each number of symbols.",
)
@click.option("--symbols", default="1,10,100,1000", show_default=True, help="Numbers of symbols, with commas.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def feed_(count: int, symbols: str, as_json: bool) -> None:
    """A frame to its book's touch and signals, with many instruments on one host; and the memory of a book."""
    try:
        counts = [int(part) for part in symbols.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1 or max(counts) > feed.SYMBOLS_MAX:
        raise click.BadParameter(f"give numbers of 1 to {feed.SYMBOLS_MAX}, like 1,10,100", param_hint="--symbols")
    _print(feed.run(count, counts), as_json)


@bench.command(name="venue")
@click.option("--count", type=Whole(1, 100_000), default=2_000, show_default=True, help="Orders through each door.")
@click.option(
    "--hours",
    type=Real(0.01, 240),
    default=1.0,
    show_default=True,
    help="Of the crowd's time, at full speed.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def venue_(count: int, hours: float, as_json: bool) -> None:
    """The simulated venue: core, an order's round trip, diffs to 100 subscribers, the crowd's speed and memory.

    About a minute with what is the default; --count and --hours lengthen it.

    core: commands a second in one process. round_trip: from before an order is written to after its answer is read.
    pipelined_per_s, pipelined_cpu_us: requests over the WebSocket API, 50 under way, and what one of them costs the venue's
    process of processor time. fan_out: diffs and frames a second, and how late the first and the last subscriber reads one.
    crowd: its events a second and how many times faster than real time; memory by the hour.

    against_engine: what the venue could take by pipelined_cpu_us, and what an engine could send that does nothing but tick;
    times is the one by the other: above 1 the venue is not what an engine benchmark waits for.

    result_hash: a checksum of all that the core's mixed flow did. The same --count gives the same, on any machine, until
    the matching engine does something else.
    """
    _print(venue.run(count, hours, lambda text: click.echo(text, err=True)), as_json)


@bench.command(name="orders")
@click.option(
    "--events",
    type=Whole(1_000, 100_000_000),
    default=1_000_000,
    show_default=True,
    help="Of orders, in the day: inputs, requests and facts.",
)
@click.option("--count", type=Whole(1, 1_000_000), default=20_000, show_default=True, help="Appends of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def orders_(events: int, count: int, as_json: bool) -> None:
    """What is written of orders: the record before a send, and a day of them on disk; no network, no market.

    append_us: encoding a new order and appending it to the journal, as the order door does before it writes the socket;
    without a sync for power loss, and beside a thread that syncs. day: so many order events with the real journal, index,
    checkpoints and retention; memory by the tenth, the largest journal, and how long a start takes to know it all again.
    """
    _print(order_day.run(events, count, lambda text: click.echo(text, err=True)), as_json)
