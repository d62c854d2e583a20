"""A stream's usual silence, learnt; and that no recorded stream would have been called silent."""

from pathlib import Path

import pytest

from actors.market_data.watch import (
    BESIDE_LOOKS,
    EVENT_MAX_NS,
    EVENT_MIN_NS,
    HALVED_NS,
    LEARNT,
    LOOK_NS,
    NEVER_NS,
    PATIENCE,
    SILENCE_MAX_NS,
    SILENCE_MIN_NS,
    Ending,
    StreamWatch,
    Vigil,
)
from bus.messages import Stream
from tests.ops.recordings import CAPTURES
from tests.support.silences import words

S = 1_000_000_000
START = 1_000 * S


def watched(gap_ns: int, count: int, stream: Stream = Stream.DEPTH) -> tuple[StreamWatch, int]:
    """A stream that spoke each `gap_ns`, and when it did last."""
    watch = StreamWatch(stream)
    watch.begin(START)
    last_ns = now_ns = START
    for _ in range(count):
        next_ns = last_ns + gap_ns
        while now_ns + LOOK_NS < next_ns:
            now_ns += LOOK_NS
            watch.look(last_ns, False, now_ns)
        last_ns = next_ns
    watch.look(last_ns, False, last_ns)
    return watch, last_ns


@pytest.mark.parametrize(
    ("gap_ns", "words_heard", "beside", "limit_ns"),
    [
        (S // 10, 3, 0, SILENCE_MAX_NS),  # too young to be judged
        (5 * S, 3, 0, SILENCE_MAX_NS),
        (1 * S, 40, 0, 8 * S // 2),  # a silence of 1 s is seen as the half second between two looks
        (3 * S, 40, 0, 8 * 5 * S // 2),
        (20 * S, 40, 0, SILENCE_MAX_NS),
        (3 * S, 40, BESIDE_LOOKS, 2 * 5 * S // 2),  # others speak
        (S // 10, 40, BESIDE_LOOKS, SILENCE_MIN_NS),
        (3 * S, 3, BESIDE_LOOKS - 1, SILENCE_MAX_NS),
    ],
)
def test_the_limit_follows_what_is_usual(gap_ns, words_heard, beside, limit_ns):
    watch, _ = watched(gap_ns, words_heard)
    watch.beside = beside
    watch.heard = max(watch.heard, LEARNT if words_heard >= LEARNT else 0)
    assert watch.limit_ns() == limit_ns


def test_depth_is_overdue_beyond_its_limit_and_others_only_while_depth_speaks():
    depth, last_ns = watched(1 * S, 40)
    assert not depth.overdue(last_ns + depth.limit_ns())
    assert depth.overdue(last_ns + depth.limit_ns() + 1)
    trades, last_ns = watched(3 * S, 40, Stream.TRADE)
    assert trades.limit_ns() == PATIENCE * trades.usual_ns > EVENT_MIN_NS
    assert not trades.overdue(last_ns + EVENT_MAX_NS)
    trades.beside = BESIDE_LOOKS
    assert trades.overdue(last_ns + trades.limit_ns() + 1)


def test_a_stream_without_a_connection_is_never_overdue():
    watch, last_ns = watched(1 * S, 40)
    watch.rest()
    assert not watch.overdue(last_ns + 1_000 * S)
    assert not StreamWatch(Stream.DEPTH).overdue(NEVER_NS - 1)


def test_what_was_usual_is_forgotten_by_halves():
    watch, last_ns = watched(10 * S, 30)
    usual_ns = watch.usual_ns
    watch.learn(0, last_ns + HALVED_NS)
    assert watch.usual_ns == usual_ns // 2
    watch.learn(0, last_ns + HALVED_NS + 1)
    assert watch.usual_ns == usual_ns // 2


@pytest.mark.parametrize(
    ("ending", "renewals", "limit_ns"),
    [
        (Ending.CONTINUED, 1, SILENCE_MAX_NS),  # 10 s were the market's own: it may be silent for 80
        (Ending.BROKEN, 1, 4 * S),  # the alarm was right
        (Ending.RENEWED, 1, 8 * S),  # nobody knows: borne twice as long
        (Ending.RENEWED, 0, 4 * S),
    ],
)
def test_how_a_silence_ended_decides_how_long_the_next_one_is_borne(ending, renewals, limit_ns):
    watch, last_ns = watched(1 * S, 40)
    watch.silent, watch.renewals = True, renewals
    assert not watch.look(last_ns + 10 * S, False, last_ns + 10 * S)  # `speak` tells how it ended
    assert watch.speak(last_ns + 10 * S, ending, last_ns + 10 * S) == 10 * S
    assert (watch.silent, watch.limit_ns()) == (False, limit_ns)


def test_a_vigil_counts_looks_at_which_another_stream_spoke():
    vigil = Vigil.fresh()
    vigil.begin(tuple(Stream), START)
    now_ns = START
    for place in range(BESIDE_LOOKS + 1):
        now_ns += LOOK_NS
        vigil.trade_ns = now_ns if place % 2 else vigil.trade_ns
        vigil.quote_ns = now_ns if place == 2 else vigil.quote_ns
        assert vigil.look(START, now_ns) == (place == BESIDE_LOOKS)
    assert vigil.watches[Stream.DEPTH].beside == BESIDE_LOOKS


# On recordings


def recordings() -> list[Path]:
    if not CAPTURES.exists():
        pytest.skip("recorded captures are not beside the repository")
    return sorted(CAPTURES.glob("*.jsonl.gz"))


def worst_share(path: Path, offset_ns: int) -> dict[tuple[str, Stream], float]:
    """Of each stream's limit the most that was used, from a start `offset_ns` into the recording on."""
    heard: dict[str, tuple[Vigil, int]] = {}
    worst: dict[tuple[str, Stream], float] = {}
    said = words(path)
    now_ns = start_ns = said[0][0] + offset_ns
    for received_ns, symbol, stream in (*said, (said[-1][0] + LOOK_NS, "", Stream.DEPTH)):
        while now_ns + LOOK_NS <= received_ns:
            now_ns += LOOK_NS
            for name, (vigil, depth_ns) in heard.items():
                assert not vigil.look(depth_ns, now_ns), f"{path.name} {name}: a false alarm at {now_ns - said[0][0]}"
                depth = vigil.watches[Stream.DEPTH]
                share = (now_ns - depth.last_ns) / depth.limit_ns()
                worst[name, Stream.DEPTH] = max(worst.get((name, Stream.DEPTH), 0.0), share)
        if received_ns < start_ns or not symbol:
            continue
        vigil, depth_ns = heard.get(symbol) or (Vigil.fresh(), 0)
        if symbol not in heard:
            vigil.begin(tuple(Stream), received_ns)
        depth_ns = received_ns if stream is Stream.DEPTH else depth_ns
        if stream is Stream.QUOTE:
            vigil.quote_ns = received_ns
        elif stream is Stream.TRADE:
            vigil.trade_ns = received_ns
        heard[symbol] = vigil, depth_ns
    return worst


def test_no_recorded_stream_is_called_silent_nor_comes_near_it():
    """From several starts, because looks fall where they fall. Half of the limit is the margin we keep."""
    shares = {
        (path.name, *stream): share
        for path in recordings()
        for offset_ns in (0, 137_000_000, 310_000_000)
        for stream, share in worst_share(path, offset_ns).items()
    }
    assert len(shares) >= 30
    assert max(shares.values()) < 0.5, max(shares.items(), key=lambda row: row[1])


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(
    "name", ["binance-spot-ethusdt-20240808", "binance-usdm-many-30s", "binance-us-many-30s", "kraken-v1-many-30s"]
)
def test_a_cut_depth_stream_is_found_within_its_limit(name, beside):
    """Depth is cut in the middle of the recording; quotes and trades go on, or stop too. Found at the first look beyond it."""
    path = next((path for path in recordings() if path.name.startswith(name)), None)
    if path is None:
        pytest.skip("this recording is not beside the repository")
    said = words(path)
    span_ns = min(said[-1][0] - said[0][0], 40 * S)
    cut_ns = said[0][0] + span_ns // 2
    vigil, depth_ns, now_ns = Vigil.fresh(), 0, said[0][0]
    symbol = busiest(said)
    vigil.begin(tuple(Stream), now_ns)
    mine = [word for word in said if word[1] == symbol and (word[0] < cut_ns or (beside and word[2] != Stream.DEPTH))]
    for received_ns, _, stream in mine:
        while now_ns + LOOK_NS <= received_ns and not vigil.watches[Stream.DEPTH].overdue(now_ns):
            now_ns += LOOK_NS
            vigil.look(depth_ns, now_ns)
        depth_ns = received_ns if stream is Stream.DEPTH else depth_ns
        vigil.quote_ns = received_ns if stream is Stream.QUOTE else vigil.quote_ns
        vigil.trade_ns = received_ns if stream is Stream.TRADE else vigil.trade_ns
    depth = vigil.watches[Stream.DEPTH]
    while not depth.overdue(now_ns):
        now_ns += LOOK_NS
        vigil.look(depth_ns, now_ns)
    assert now_ns - depth.last_ns <= depth.limit_ns() + LOOK_NS
    assert now_ns - depth.last_ns < (10 * S if beside else 20 * S)


def busiest(said: list[tuple[int, str, Stream]]) -> str:
    """The symbol with most depth words among those whose other streams speak too."""
    counts: dict[str, int] = {}
    for _, symbol, stream in said:
        counts[symbol] = counts.get(symbol, 0) + (stream is Stream.DEPTH)
    return max(counts, key=lambda symbol: counts[symbol])
