"""What holds in any life of a position: buying is selling in a mirror, a restart changes nothing, no wish is too large.

Positions open and grow at 10,000, so that distances in basis points are the same on both sides; they close anywhere.
"""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.exits.phases import DUST, HOLDING, TAKING_PROFIT, Phase
from bus.messages import Message, OrderRefused, QuoteIntent, Refusal, Side, TradingState
from tests.actors.exits.builders import BOOK_LOST, BUY, MS, SECOND, SELL, Trader, state, wishes

OPENED_AT = 10_000
STATES = [TradingState.ACTIVE, TradingState.ACTIVE, TradingState.REDUCING, TradingState.CANCEL_ONLY]
SCOPES = ["engine", "instrument:0", "owner:exits", "instrument:1", "owner:main"]


def settings_of(random: Random) -> dict[str, Any]:
    return {
        "pressure_threshold": 0.5,
        "pressure_ns": random.choice([0, 100 * MS]),
        "pressure_stop_bps": random.choice([0, 40]),
        "passive_ns": random.choice([0, 2 * SECOND]),
        "lots_max": random.choice([40, 1_000]),
    }


class Life:
    """One random step at a time; `mirror` -1: every price around 10,000 and every side turned over."""

    def __init__(self, seed: int, mirror: int = 1, *, restarts: bool = False) -> None:
        self.random, self.mirror = Random(seed), mirror
        self.trader = Trader(**settings_of(self.random))
        self.trader.restarts = restarts
        self.mid = OPENED_AT

    def step(self) -> list[Message]:
        random, trader = self.random, self.trader
        kind = random.random()
        if kind < 0.55:
            return self._market()
        if kind < 0.8:
            return self._fill()
        if kind < 0.84:
            return trader.tell(BOOK_LOST)
        if kind < 0.88:
            return trader.tell(state(random.choice(STATES), random.choice(SCOPES)))
        if kind < 0.92:
            return trader.tell(OrderRefused(0, "exits", 1, Side.SELL, random.choice(list(Refusal))))
        return trader.wait(random.choice([100, 1_000, 2_500]) * MS)

    def _market(self) -> list[Message]:
        random = self.random
        self.mid += random.randint(-60, 60)
        half, lean = random.choice([1, 2, 5]), random.choice([0.0, 0.8, -0.8]) * self.mirror
        middle = OPENED_AT + (self.mid - OPENED_AT) * self.mirror
        bid, ask = middle - half, middle + half
        if random.random() < 0.05:
            bid, ask = (0, ask) if self.mirror > 0 else (bid, 0)
        after_ns = random.choice([0, 1, 50, 400]) * MS
        return self.trader.market(bid, ask, after_ns, depth_imbalance=lean, pressure=lean)

    def _fill(self) -> list[Message]:
        """It opens, grows, shrinks or ends; a position that turned over would be open at another price."""
        random, held = self.random, self.trader.watch.position * self.mirror if self.trader.exits.watches else 0
        if held and random.random() < 0.6:
            side, lots, price = (SELL if held > 0 else BUY), random.randint(1, abs(held)), self.mid
        else:
            side, lots, price = (BUY if held > 0 else SELL), random.choice([1, 20, 100]), OPENED_AT
            side = random.choice([BUY, SELL]) if not held else side
        price = OPENED_AT + (price - OPENED_AT) * self.mirror
        return self.trader.fill(Side(side * self.mirror), lots, price)


def turned(rows: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    words = {"sell": "buy", "buy": "sell", "sell!": "buy!", "buy!": "sell!"}
    return [(words[what], 2 * OPENED_AT - ticks, lots) if what in words else (what, 0, 0) for what, ticks, lots in rows]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_a_short_position_is_a_long_one_in_a_mirror(seed: int) -> None:
    long, short = Life(seed), Life(seed, -1)
    for _ in range(60):
        assert turned(wishes(long.step())) == wishes(short.step())
        assert list(long.trader.exits.watches) == list(short.trader.exits.watches)
    if long.trader.exits.watches:
        assert long.trader.phase is short.trader.phase
        assert long.trader.watch.realized == short.trader.watch.realized


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_restored_before_every_message_it_answers_alike(seed: int) -> None:
    lived, reborn = Life(seed), Life(seed, restarts=True)
    for _ in range(60):
        assert lived.step() == reborn.step()
    assert lived.trader.exits.checkpoint() == reborn.trader.exits.checkpoint()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, -1]))
def test_a_wish_is_in_force_only_while_something_is_to_be_closed_and_never_for_more(seed: int, mirror: int) -> None:
    life = Life(seed, mirror)
    for _ in range(60):
        said = life.step()
        if not life.trader.exits.watches:
            continue
        watch = life.trader.watch
        assert (watch.phase is Phase.FLAT) == (watch.lots == 0)
        for intent in said:
            if isinstance(intent, QuoteIntent):
                assert intent.ask_lots <= max(watch.lots, 0)
                assert intent.bid_lots <= max(-watch.lots, 0)
        if watch.wish is not None:
            assert watch.phase >= TAKING_PROFIT
            assert 0 < watch.wish.lots <= abs(watch.lots)


@pytest.mark.parametrize("mirror", [1, -1])
def test_the_lives_have_exits_of_every_kind(mirror: int) -> None:
    """Without this the rules above could hold because nothing ever happened."""
    seen: dict[Phase, None] = {}
    for seed in range(60):
        life = Life(seed, mirror)
        for _ in range(60):
            life.step()
            if life.trader.exits.watches:
                seen[life.trader.phase] = None
    assert {*seen} >= {phase for phase in Phase if phase >= HOLDING and phase is not DUST}


def test_signals_behind_the_word_that_took_their_book_away_are_of_before() -> None:
    """One input may move a book and take it away; the word is here first, for it has fewer hops."""
    trader = Trader()
    trader.fill(BUY, 10, OPENED_AT)
    trader.market(OPENED_AT, OPENED_AT + 3)
    late = trader.exits.watches[0].signals
    assert late is not None
    trader.tell(BOOK_LOST)
    assert trader.tell(late) == []
    assert trader.exits.watches[0].signals is None
