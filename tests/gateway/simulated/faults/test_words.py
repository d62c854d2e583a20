"""What frames and payloads are made of, wrong on purpose; and lanes, where things wait. Pure."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.faults.active import Stage
from gateway.simulated.faults.clock import VenueClock
from gateway.simulated.faults.corrupt import corrupt
from gateway.simulated.faults.face import BalanceWords
from gateway.simulated.faults.falsehoods import off_by
from gateway.simulated.faults.lanes import WAITING_MAX, Lanes

DEPTH = {"e": "depthUpdate", "U": 11, "u": 20, "b": [["12.34", "1.0"]], "a": [["12.35", "2.0"]]}
TICKER = {"u": 20, "s": "BTCUSDT", "b": "12.34", "B": "1.0", "a": "12.35", "A": "2.0"}
TRADE = {"e": "trade", "E": 5, "t": 7, "p": "7", "q": "1.0", "T": 5}
PARTIAL = {"lastUpdateId": 20, "bids": [["0.5", "1"]], "asks": [["0.6", "1"]]}


def spoilt(event: Any, how: str, draw: float = 0.0) -> Any:
    return json.loads(corrupt(json.dumps(event).encode(), how, draw))


@pytest.mark.parametrize(
    ("event", "change"),
    [
        (DEPTH, {"U": 12, "u": 21}),
        (TICKER, {"u": 21}),
        (TRADE, {"t": 8}),
        (PARTIAL, {"lastUpdateId": 21}),
    ],
)
def test_ids_move_on_and_nothing_else(event: Any, change: Any) -> None:
    assert spoilt(event, "sequence") == event | change


@pytest.mark.parametrize(
    ("event", "change"),
    [
        (DEPTH, {"b": [["123.40", "1.0"]]}),
        (DEPTH | {"b": []}, {"a": [["123.50", "2.0"]]}),
        (TICKER, {"b": "123.40"}),
        (TRADE, {"p": "70"}),
        (PARTIAL, {"bids": [["05.0", "1"]]}),
        ({"e": "x"}, {}),
    ],
)
def test_the_first_price_is_ten_times_too_high_and_nothing_else(event: Any, change: Any) -> None:
    assert spoilt(event, "price") == event | change


def test_of_a_list_the_first_event_is_meant() -> None:
    assert spoilt([TRADE, TRADE], "sequence") == [TRADE | {"t": 8}, TRADE]


@given(
    event=st.sampled_from([DEPTH, TICKER, TRADE, PARTIAL, {}]),
    how=st.sampled_from(["json", "truncated"]),
    draw=st.floats(0.0, 1.0, exclude_max=True),
)
def test_what_should_be_no_json_never_is(event: Any, how: str, draw: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        spoilt(event, how, draw)


@pytest.mark.parametrize(
    ("told", "amount", "expected"),
    [("1.50000000", 50_000_000, "2.00000000"), ("1.00000000", -200_000_000, "0.00000000"), ("-1.0", 0, "0.00000000")],
)
def test_a_balance_is_off_and_never_below_nothing(told: str, amount: int, expected: str) -> None:
    words = BalanceWords("asset", ("free",))
    rows = [{"asset": "BTC", "free": told, "locked": "1"}, {"asset": "ETH", "free": told}]
    assert off_by({"balances": rows}, words, "BTC", amount) == {
        "balances": [{"asset": "BTC", "free": expected, "locked": "1"}, {"asset": "ETH", "free": told}]
    }


class Bench:
    """Lanes on a clock that the test moves."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.due: list[tuple[int, Any]] = []
        self.sent: list[Any] = []
        stage = Stage(VenueClock(lambda: self.now_ns), lambda ns, act: self.due.append((self.now_ns + ns, act)), 0)
        self.lanes: Lanes[str, int] = Lanes(stage, lambda key, item: self.sent.append(item), lambda: None)

    def run(self, until_ns: int) -> None:
        while ready := [row for row in self.due if row[0] <= until_ns]:
            first = min(ready, key=lambda row: row[0])
            self.due.remove(first)
            self.now_ns = max(self.now_ns, first[0])
            first[1]()
        self.now_ns = until_ns


STEPS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30), st.booleans()), max_size=40)


@given(STEPS)
def test_nothing_is_lost_and_only_swaps_change_the_order(steps: list[tuple[int, int, bool]]) -> None:
    """Goal: delays keep the order of a lane, a swap moves one by one place. Method: random waits, delays and swaps.

    The model is a list in which every held item stands after the next one.
    """
    bench, model, held = Bench(), [], None
    for item, (wait_ns, delay_ns, swaps) in enumerate(steps):
        bench.run(bench.now_ns + wait_ns)
        bench.lanes.pass_on("lane", item, 1, delay_ns, swaps=swaps)
        if swaps and held is None:
            held = item
        else:
            model += [item] if held is None else [item, held]
            held = None
    bench.run(bench.now_ns + 10_000)
    assert bench.sent == model
    assert bench.lanes.are_busy is (held is not None)


def test_a_lane_that_is_full_sends_its_first_early() -> None:
    bench = Bench()
    for item in range(WAITING_MAX + 2):
        bench.lanes.pass_on("lane", item, 1, 1_000)
    assert bench.sent == [0, 1]
    bench.run(1_000)
    assert bench.sent == list(range(WAITING_MAX + 2))
    assert not bench.lanes.are_busy
