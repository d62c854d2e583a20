"""Self-trade bands: what risk may use is never more than what the store has of us, and never less than what works."""

from random import Random

import msgspec
import pytest

from actors.coordination.bands import NOTHING, VERSIONS_MAX, Band, Bands, Working
from actors.coordination.desk import Desk
from bus.messages import (
    Alert,
    BandHeld,
    BandPublished,
    BandWanted,
    LeadershipLost,
    Message,
    OrdersReady,
    OrderStatus,
    Outcome,
    PeersObserved,
    PublishBand,
    SetTimer,
    Side,
    StopRequested,
    TimerFired,
)
from gateway.doors.coordination.contract import Band as StoredBand
from gateway.doors.coordination.contract import judge_band
from tests.actors.coordination.build import EVERYTHING, MS, SETTINGS, Bench, asked_for, every, update

READY = OrdersReady(0, 5, 0, 0, 0)


def test_nothing_is_held_and_nothing_asked_before_orders_are_proven() -> None:
    bench = Bench()
    assert every(bench.begin(), PublishBand) == []
    assert bench.held == (0, 0)


def test_alone_everything_is_ours_once_the_store_has_it() -> None:
    bench = Bench()
    bench.begin()
    said = bench.feed(READY)
    assert asked_for(said) == [EVERYTHING]
    assert bench.held == (0, 0)
    assert every(bench.grant(said), BandHeld) == [BandHeld(7, *EVERYTHING)]


def test_with_peers_a_start_claims_what_works_and_no_more() -> None:
    """Adopted leftovers: their prices are claimed, so that the band of before is given up and nothing can meet them."""
    bench = Bench()
    bench.begin(peers=1, bid_max=900, ask_min=1_500)
    bench.feed(update("a", Side.BUY, 100), update("b", Side.BUY, 99), update("c", Side.SELL, 140))
    said = bench.feed(READY)
    assert asked_for(said) == [(1_000, 1_400)]
    bench.grant(said)
    assert bench.held == (1_000, 1_400)


def test_a_peer_that_comes_finds_us_narrowed_at_once_risk_before_the_store() -> None:
    bench = Bench().ready()
    bench.feed(update("a", Side.BUY, 100))
    said = bench.feed(PeersObserved(7, 1, 0, 0))
    assert said == [BandHeld(7, 1_000, 0), *every(said, PublishBand)]
    assert asked_for(said) == [(1_000, 0)]


def test_a_wish_widens_in_the_store_before_risk_may_use_it() -> None:
    bench = Bench().ready(peers=1)
    said = bench.want(Side.BUY, 1_010)
    assert (asked_for(said), every(said, BandHeld)) == ([(1_010, 0)], [])
    assert every(bench.grant(said), BandHeld) == [BandHeld(7, 1_010, 0)]


def test_a_wish_that_would_meet_a_peer_is_not_asked_until_the_peer_steps_back() -> None:
    bench = Bench().ready(peers=1, bid_max=900, ask_min=1_000)
    assert asked_for(bench.want(Side.BUY, 1_000)) == []
    assert asked_for(bench.want(Side.SELL, 900)) == []
    assert asked_for(bench.feed(PeersObserved(7, 1, 0, 1_010))) == [(1_000, 900)]


@pytest.mark.parametrize(("side", "price", "band"), [(Side.BUY, 1_005, (999, 0)), (Side.SELL, 890, (0, 901))])
def test_an_order_that_must_get_out_is_given_what_the_peer_leaves_and_all_of_it_once_he_steps_back(
    side: Side, price: int, band: tuple[int, int]
) -> None:
    bench = Bench().ready(peers=1, bid_max=900, ask_min=1_000)
    said = bench.want(side, price, nearest=True)
    assert asked_for(said) == [band]
    bench.grant(said)
    assert bench.held == band
    said = bench.feed(PeersObserved(7, 1, 0, 0))
    assert asked_for(said) == [(price, 0) if side > 0 else (0, price)]


def test_one_side_that_meets_a_peer_does_not_keep_the_other_back() -> None:
    bench = Bench().ready(peers=1, bid_max=900, ask_min=1_000)
    bench.want(Side.BUY, 1_000)
    assert asked_for(bench.want(Side.SELL, 1_005)) == [(0, 1_005)]


def test_a_newer_wish_of_a_side_replaces_the_older() -> None:
    """The market fell: the price that a peer keeps us from is not wished for any more."""
    bench = Bench().ready(peers=1, ask_min=1_000)
    bench.want(Side.BUY, 1_000)
    assert asked_for(bench.want(Side.BUY, 990)) == [(990, 0)]


def test_a_refusal_changes_nothing_and_is_asked_again_after_a_pause() -> None:
    bench = Bench().ready(peers=1)
    said = bench.answer(bench.want(Side.BUY, 1_010), Outcome.REFUSED, ask_min=1_000)
    assert bench.held == (0, 0)
    assert [alert.event for alert in every(said, Alert)] == ["band_refused"]
    assert asked_for(bench.want(Side.BUY, 1_010)) == []
    assert asked_for(bench.wait(SETTINGS.retry_ns)) == [(1_010, 0)]


def test_a_store_that_does_not_answer_widens_nothing_and_what_is_held_stays_in_use() -> None:
    bench = Bench().ready(peers=1)
    bench.grant(bench.want(Side.BUY, 1_000))
    bench.feed(update("a", Side.BUY, 100))
    bench.answer(bench.want(Side.BUY, 1_010), Outcome.AMBIGUOUS)
    assert bench.held == (1_000, 0)
    said = bench.wait(SETTINGS.retry_ns)
    assert asked_for(said) == [(1_010, 0)]
    bench.grant(said)
    assert bench.held == (1_010, 0)


def test_what_is_held_is_not_given_up_for_a_wish_after_an_answer_that_was_lost() -> None:
    """An order that risk approved a moment ago, in the same cascade as the refusal, is not among the working ones yet."""
    bench = Bench().ready(peers=1)
    bench.grant(bench.want(Side.BUY, 1_000))
    bench.answer(bench.want(Side.SELL, 1_100), Outcome.AMBIGUOUS)
    bench.now_ns += SETTINGS.retry_ns
    said = bench.want(Side.SELL, 1_090)
    assert (asked_for(said), every(said, BandHeld)) == ([(1_000, 1_090)], [])


@pytest.mark.parametrize("phase", ["quiet", "asked"])
def test_an_order_that_comes_to_light_outside_of_the_band_is_claimed(phase: str) -> None:
    """An orphan, or one that was thought never to have arrived: risk was not asked for it."""
    bench = Bench().ready(peers=1)
    asked = bench.want(Side.SELL, 1_200) if phase == "asked" else []
    said = bench.feed(update("orphan", Side.BUY, 100))
    if phase == "asked":
        assert asked_for(said) == []
        said = bench.grant(asked)
    assert asked_for(said) == [(1_000, 1_200 if phase == "asked" else 0)]


def test_a_band_is_given_back_after_its_orders_are_gone_risk_before_the_store() -> None:
    bench = Bench().ready(peers=1)
    bench.grant(bench.want(Side.BUY, 1_000))
    bench.feed(update("a", Side.BUY, 100))
    assert asked_for(bench.wait(SETTINGS.narrow_ns)) == []
    bench.feed(update("a", Side.BUY, 100, OrderStatus.CANCELED))
    said = bench.wait(SETTINGS.narrow_ns)
    assert (every(said, BandHeld), asked_for(said)) == ([BandHeld(7, 0, 0)], [(0, 0)])


def test_a_band_is_given_back_though_its_timer_was_set_for_something_sooner() -> None:
    """Else it stays as wide as it ever was, and keeps the peers out, while all of our own orders lie within it."""
    bench = Bench().ready(peers=1, ask_min=1_010)
    bench.grant(bench.want(Side.SELL, 1_100))
    bench.feed(update("a", Side.SELL, 110))
    bench.wait(SETTINGS.narrow_ns)
    bench.answer(bench.want(Side.BUY, 1_000), Outcome.REFUSED)
    bench.wait(SETTINGS.retry_ns - 50 * MS)
    bench.feed(update("a", Side.SELL, 110, OrderStatus.CANCELED))
    assert asked_for(bench.want(Side.BUY, 1_020)) == []
    assert asked_for(bench.wait(10 * SETTINGS.narrow_ns)) == [(0, 0)]


def test_a_granted_wish_that_no_order_followed_is_given_back() -> None:
    bench = Bench().ready(peers=1)
    bench.grant(bench.want(Side.SELL, 1_200))
    assert asked_for(bench.wait(SETTINGS.narrow_ns)) == [(0, 0)]


def test_an_order_whose_price_cannot_be_read_might_be_anywhere() -> None:
    """Of a version before this life: its tick is not known."""
    bench = Bench()
    bench.begin(peers=1)
    bench.feed(msgspec.structs.replace(update("a", Side.SELL, 100), version=9))
    assert asked_for(bench.feed(READY)) == [(0, 1)]


@pytest.mark.parametrize("over", [LeadershipLost(0, 5, "cut off"), StopRequested("test", 0)])
def test_nothing_more_is_asked_when_the_term_is_over_or_ends(over: Message) -> None:
    bench = Bench().ready(peers=1)
    bench.feed(over)
    assert asked_for(bench.want(Side.BUY, 1_000)) == []
    assert asked_for(bench.feed(PeersObserved(7, 0, 0, 0))) == []


def test_an_answer_of_an_earlier_term_is_dropped_and_counted() -> None:
    bench = Bench().ready(peers=1)
    said = bench.want(Side.BUY, 1_000)
    bench.begin(6, peers=1)
    assert every(bench.grant(said), BandHeld) == []
    assert bench.held == (0, 0)
    assert bench.actor.view()["stale_answers"] == 1


# -- as a property ----------------------------------------------------------------------------------------------------


def test_a_band_is_a_join_and_a_meet() -> None:
    assert Band(100, 0) | Band(0, 120) == Band(100, 120)
    assert Band(100, 110) | Band(90, 120) == Band(100, 110)
    assert Band(100, 110) & Band(90, 120) == Band(90, 120)
    assert Band(100, 0) & Band(90, 120) == Band(90, 0)
    assert NOTHING | NOTHING == NOTHING


class Instance:
    """One of two instances: its actor, its orders, and its requests on their way to the store. Risk's rule is its own:
    an order goes only within what was last held."""

    def __init__(self, scope: str) -> None:
        self.scope, self.bench = scope, Bench()
        self.held = Band(0, 0)
        self.requests: list[PublishBand] = []
        self.orders: dict[str, tuple[int, int]] = {}
        self.made = 0

    def hear(self, said: list[Message]) -> None:
        for message in said:
            if isinstance(message, BandHeld):
                self.held = Band(message.bid_max, message.ask_min)
                for side, price in self.orders.values():
                    assert price <= self.held.bid_max if side > 0 else price >= self.held.ask_min > 0
            elif isinstance(message, PublishBand):
                self.requests.append(message)

    def place(self, side: int, price: int) -> None:
        """An order where risk would let it; else the wish that the refusal makes."""
        if price <= self.held.bid_max if side > 0 else price >= self.held.ask_min > 0:
            self.made += 1
            key = f"{self.scope}{self.made}"
            self.orders[key] = (side, price)
            self.hear(self.bench.feed(update(key, Side(side), price // 10)))
        else:
            self.hear(self.bench.feed(BandWanted(7, side, price)))

    def cancel(self) -> None:
        if self.orders:
            key, (side, price) = self.orders.popitem()
            self.hear(self.bench.feed(update(key, Side(side), price // 10, OrderStatus.CANCELED)))


class Store:
    def __init__(self) -> None:
        self.bands: dict[str, StoredBand] = {}

    def take(self, instance: Instance, fate: str) -> None:
        """Its oldest request: answered, or done or not done with the answer lost."""
        if not instance.requests:
            return
        asked = instance.requests.pop(0)
        mine = StoredBand("BTCUSDT", instance.scope, asked.bid_max, asked.ask_min)
        judged = judge_band(mine, tuple(self.bands.values()))
        if fate != "lost" and judged.granted:
            self.bands[instance.scope] = mine
        outcome = Outcome.AMBIGUOUS if fate != "yes" else Outcome.RESULT if judged.granted else Outcome.REFUSED
        head = (asked.actor, asked.counter, asked.generation, outcome, 7)
        theirs = (judged.theirs_bid_max, judged.theirs_ask_min)
        instance.hear(instance.bench.feed(BandPublished(*head, asked.bid_max, asked.ask_min, *theirs, "")))

    def look(self, instance: Instance) -> None:
        """The door sees the others as they are now, however late."""
        others = [band for scope, band in self.bands.items() if scope != instance.scope]
        seen = judge_band(StoredBand("BTCUSDT", instance.scope, 0, 0), tuple(others))
        instance.hear(instance.bench.feed(PeersObserved(7, len(others), seen.theirs_bid_max, seen.theirs_ask_min)))


@pytest.mark.parametrize("seed", range(30))
def test_orders_of_two_instances_never_meet_whatever_the_store_answers(seed: int) -> None:
    """Goal: no bid of one at or above an ask of the other, at any moment. Method: two actors, one store, any order of
    wishes, orders, cancels, answers that come, are lost, or are lost after the deed, and looks however late."""
    random = Random(seed)
    pair, store = [Instance("a"), Instance("b")], Store()
    for instance in pair:
        instance.hear(instance.bench.begin())
        instance.hear(instance.bench.feed(READY))
    for _ in range(600):
        instance = random.choice(pair)
        step = random.choice(["place", "place", "cancel", "cancel", "answer", "answer", "look", "time"])
        if step == "place":
            instance.place(random.choice([1, -1]), random.randint(98, 102) * 10)
        elif step == "cancel":
            instance.cancel()
        elif step == "answer":
            store.take(instance, random.choice(["yes", "yes", "yes", "lost", "done but lost"]))
        elif step == "look":
            store.look(instance)
        else:
            for one in pair:
                one.hear(one.bench.wait(random.randint(1, 400) * MS))
        for one, other in (pair, pair[::-1]):
            bids = [price for side, price in one.orders.values() if side > 0]
            asks = [price for side, price in other.orders.values() if side < 0]
            assert max(bids, default=0) < min(asks, default=1 << 63)
    assert all(instance.made for instance in pair)


def test_two_instances_that_keep_asking_both_come_to_quote() -> None:
    """Neither is starved: alone, then together, each gets its side of the market."""
    pair, store = [Instance("a"), Instance("b")], Store()
    for instance in pair:
        instance.hear(instance.bench.begin())
        instance.hear(instance.bench.feed(READY))
    for _ in range(20):
        for instance in pair:
            instance.place(1, 1_000)
            instance.place(-1, 1_010)
            store.take(instance, "yes")
            for other in pair:
                store.look(other)
            instance.hear(instance.bench.wait(100 * MS))
    assert [{side for side, _ in instance.orders.values()} for instance in pair] == [{1, -1}, {1, -1}]


def test_a_timer_of_nobody_is_ignored() -> None:
    bench = Bench().ready()
    assert every(bench.feed(TimerFired("coordination", 4 * 99, 0, bench.now_ns)), SetTimer) == []


def test_ticks_of_versions_that_nothing_works_in_are_forgotten_but_for_the_last() -> None:
    bands = Bands(Desk(SETTINGS))
    bands.working["a"] = Working(0, 1, 1, 100)
    for version in range(1, 3 * VERSIONS_MAX):
        bands.know(0, version, 10 * version)
    assert [version for _, version in bands.ticks] == [1, *range(2 * VERSIONS_MAX, 3 * VERSIONS_MAX)]
    assert bands.price_of(Working(0, 1, 1, 100)) == 1_000
