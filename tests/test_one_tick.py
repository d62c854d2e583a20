"""One tick's whole story: from the frame's bytes through each layer to the order's bytes, the fill, the position and
the checkpoint.

Read it top to bottom: how far the story has come, then its steps, each a test. `House` is the whole engine in memory:
real actors, real codec, real order door, a virtual clock; the venue is played by this file. `story()` is what the mailboxes
carried, in order, as "receiver < Message".
"""

from typing import Any

import msgspec

from bus.actor import Actor
from bus.checkpoint import collect, state_of
from bus.messages import (
    Balance,
    BookView,
    DepthUpdate,
    Fill,
    OrderCommand,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteIntent,
    Side,
    Signals,
    SubmitOrder,
    Touch,
)
from ops.assembly import build_actors
from ops.config import parse
from tests.support.house import BTC, CONFIG, MS, House

BTC_UNITS = 10**8
EXITS_ON = f"{CONFIG}\n[exits]\nenabled = true\n"
PRICE = 10**8  # books count prices in 10^-8 of the quote asset
Request = dict[str, Any]  # as JSON


def a_house_that_quotes() -> House:
    """Started, its book LIVE at 60000.00 x 60000.10, one order resting on each side and acknowledged."""
    house = House(EXITS_ON)
    house.start(balances=(Balance("BTC", 10 * BTC_UNITS, 0), Balance("USDT", 1_000_000 * BTC_UNITS, 0)))
    house.receive(house.depth(101, 105, [["60000.00", "1.0"]], [["60000.10", "2.0"]]))
    house.answer_snapshot(103, [["60000.00", "1.5"], ["59999.00", "3"]], [["60000.10", "2"], ["60001.00", "1"]])
    for request in house.wire.requests():
        accept(house, request)
    house.clock.advance(100 * MS)
    house.forget()
    return house


def a_house_whose_bid_was_eaten() -> House:
    """The tick: one frame, 100 ms after the last, takes the venue's bid down to 59999.00."""
    house = a_house_that_quotes()
    house.receive(house.depth(106, 108, [["60000.00", "0"]], []))
    return house


def a_house_that_bought() -> tuple[House, Request]:
    """After the tick the venue accepts the new bid and fills it whole; the fee is a thousandth of what was received."""
    house = a_house_whose_bid_was_eaten()
    _, order = house.wire.requests()
    accept(house, order)
    house.forget()
    fill_whole(house, order)
    return house, order


def test_a_frame_becomes_a_wish() -> None:
    house = a_house_whose_bid_was_eaten()

    # Market data found the sequence whole (106 follows 105) and handed on integers.
    [update] = house.said(DepthUpdate)
    assert (update.previous_sequence, update.last_sequence) == (105, 108)
    assert (update.bid_prices, update.bid_quantities) == ((60_000 * PRICE,), (0,))

    # The book deleted that level. Execution and risk got the new touch, microstructure the view.
    [touch] = house.said(Touch)
    assert (touch.bid, touch.bid_quantity, touch.ask) == (59_999 * PRICE, 3 * BTC_UNITS, 6_000_010 * PRICE // 100)
    [view] = house.said(BookView)
    assert view.bid_prices == (59_999 * PRICE,)

    # Microstructure made signals of it, the strategy a wish: join the new bid, stay on the ask.
    [signals] = house.said(Signals)
    assert signals.imbalance == (3 - 2) / (3 + 2)
    [intent] = house.said(QuoteIntent)
    assert (intent.bid_ticks, intent.bid_lots, intent.ask_ticks, intent.ask_lots) == (5_999_900, 100, 6_000_010, 100)


def test_the_wish_becomes_an_order() -> None:
    house = a_house_whose_bid_was_eaten()

    # Execution cancels the bid that is now too high and wants it one level down; the ask is where it should be.
    [command] = house.said(OrderCommand)
    assert (command.side, command.price_ticks, command.quantity_lots) == (Side.BUY, 5_999_900, 100)

    # The whole way, in the order in which the mailboxes carried it.
    # `exits` hears the signals before the strategy, because its wish outranks; nothing is held, so it says nothing.
    assert house.story()[:12] == [
        "market_data < Frame",
        "orderbook < DepthUpdate",
        "execution < Touch",
        "risk < Touch",
        "microstructure < BookView",
        "exits < Signals",
        "strategy < Signals",
        "execution < QuoteIntent",
        "orders < CancelCommand",
        "risk < OrderCommand",
        "order_door < CancelOrder",
        "execution < OrderUpdate",
    ]
    assert "orders < ApprovedOrder" in house.story()


def test_the_order_becomes_bytes_journaled_before_they_leave() -> None:
    house = a_house_whose_bid_was_eaten()

    # The cancel left first, in the same write; both were journaled before it.
    cancel, order = house.wire.requests()
    assert (cancel["method"], order["method"]) == ("order.cancel", "order.place")
    assert order["params"] | {"signature": "-", "newClientOrderId": "-"} == {
        "apiKey": "key",
        "newClientOrderId": "-",
        "newOrderRespType": "ACK",
        "price": "59999.00000000",
        "quantity": "0.00100000",
        "recvWindow": 1000,
        "selfTradePreventionMode": "EXPIRE_TAKER",
        "side": "BUY",
        "signature": "-",
        "symbol": "BTCUSDT",
        "timestamp": house.clock.now_ns() // MS,
        "type": "LIMIT_MAKER",
    }
    [journaled] = [m for m in house.journal.messages() if isinstance(m, SubmitOrder) and m.price_ticks == 5_999_900]
    assert journaled.client_order_id == order["params"]["newClientOrderId"]


def test_the_fill_is_booked_once() -> None:
    house, order = a_house_that_bought()

    # One fill, journaled before anyone acted on it; the order is done; the position is exact.
    [fill] = house.said(Fill)
    booked = (fill.side, fill.quantity, fill.quote, fill.fee, fill.fee_asset)
    assert booked == (Side.BUY, 100_000, 5_999_900_000, 100, "BTC")
    assert fill in house.journal.messages()
    [done] = [one for one in house.said(OrderUpdate) if one.client_order_id == order["params"]["newClientOrderId"]]
    assert (done.status, done.cumulative_lots, done.leaves_lots) == (OrderStatus.FILLED, 100, 0)
    [position] = house.said(PositionUpdate)
    assert position.position == 100_000 - 100
    ledger = house.actor("portfolio").view()["ledger"]
    assert ledger == {"BTC": 10 * BTC_UNITS + 99_900, "USDT": 1_000_000 * BTC_UNITS - 5_999_900_000}

    # The same report again, as after a reconnect: nothing is booked twice.
    fill_whole(house, order)
    assert house.actor("portfolio").view()["ledger"] == ledger


def test_a_checkpoint_knows_what_these_actors_know() -> None:
    house, _ = a_house_that_bought()

    # Time passes and persistence asks for one. New actors restore it.
    house.wait(6_000)
    assert house.checkpoints_asked()
    reborn = restored(house)
    assert reborn["portfolio"].view()["ledger"] == house.actor("portfolio").view()["ledger"]
    assert reborn["orders"].view() == house.actor("orders").view()
    assert collect(list(reborn.values())) == collect(house.actors)


def restored(house: House) -> dict[str, Actor[msgspec.Struct]]:
    """New actors from the states of the house's, through their bytes."""
    actors = {actor.name: actor for actor in build_actors(parse(EXITS_ON), [BTC])}
    for saved in collect(house.actors):
        actors[saved.name].restore(state_of(saved, actors[saved.name].State))
    return actors


def accept(house: House, request: Request) -> None:
    """The venue's answer, and the report NEW on the private stream."""
    house.venue_says({"id": request["id"], "status": 200, "result": {"symbol": "BTCUSDT", "orderId": 1}})
    report(house, request, "NEW", "NEW")


def fill_whole(house: House, order: Request) -> None:
    report(house, order, "TRADE", "FILLED", l="0.00100000", z="0.00100000", L="59999.00000000", Y="59.99900000",
           Z="59.99900000", n="0.00000100", N="BTC", t=7, m=True)  # fmt: skip


def report(house: House, request: Request, kind: str, status: str, **more: object) -> None:
    """An executionReport on the order that `request` placed."""
    params = request["params"]
    event = {
        "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": params["newClientOrderId"], "C": "", "S": params["side"],
        "o": "LIMIT_MAKER", "f": "GTC", "q": params["quantity"], "p": params["price"], "x": kind, "X": status,
        "r": "NONE", "i": int(params["newClientOrderId"], 36) % 10**9, "l": "0", "z": "0", "L": "0", "n": "0",
        "N": None, "T": house.clock.now_ns() // MS, "t": -1, "I": 1, "m": False, "Z": "0", "Y": "0",
    }  # fmt: skip
    house.venue_says({"subscriptionId": 0, "event": event | more})
