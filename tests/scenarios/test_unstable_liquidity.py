"""A book that loses its floor, and a level that comes and goes: what our quotes do, with each rule on and off.

Frames in, bytes out: the findings are microstructure's own, of the book that the frames make.
"""

import pytest

from bus.messages import Control, Liquidity, OperatorCommand, QuoteIntent
from tests.support.stage import CONFIG, Stage

NO_STEP_BACK = CONFIG + "\n[execution]\nstep_back_on_thin_ice = false\n"
JOINS_FLICKER = CONFIG + "\n[execution]\navoid_flicker = false\n"
BELOW = [f"{59_999.99 - step / 100:.2f}" for step in range(12)]
ABOVE = [f"{60_000.11 + step / 100:.2f}" for step in range(12)]


def prices(stage: Stage) -> list[tuple[str, str]]:
    return [(params["side"], params["price"].rstrip("0")) for params in stage.all_submits]


# Thin ice


def floored(config: str) -> Stage:
    """Both quotes rest at the touch of a book with twelve even levels behind it, for three seconds."""
    stage = Stage(config)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.depth([[price, "1.0"] for price in BELOW], [[price, "1.0"] for price in ABOVE])
    for _ in range(30):
        stage.tick()
    stage.house.forget()
    return stage


def lose_the_floor(stage: Stage) -> None:
    """All twelve levels below the bid go. The bid's own level still stands, and the strategy wishes to stay there."""
    stage.depth([[price, "0"] for price in BELOW], [])
    for _ in range(5):  # each side is read every half second
        stage.tick()


def test_a_quote_steps_back_when_nothing_is_left_below_it() -> None:
    stage = floored(CONFIG)
    lose_the_floor(stage)
    assert stage.house.said(Liquidity)[-1].bid_thin
    assert stage.cancels() == [stage.bid]
    assert prices(stage) == [("BUY", "59999.99")]


def test_it_stays_back_although_its_owner_wishes_the_touch_and_moves_once() -> None:
    stage = floored(CONFIG)
    lose_the_floor(stage)
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    [back] = stage.submits()
    stage.accept(back)
    stage.house.forget()
    for _ in range(8):
        stage.tick()
    assert (stage.cancels(), stage.submits()) == ([], [])
    assert all(wish.bid_ticks == 6_000_000 for wish in stage.house.said(QuoteIntent))


def test_when_the_floor_is_back_the_quote_returns_after_the_hold() -> None:
    stage = floored(CONFIG)
    lose_the_floor(stage)
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    [back] = stage.submits()
    stage.accept(back)
    stage.house.forget()
    stage.depth([[price, "1.0"] for price in BELOW], [])
    for _ in range(9):
        stage.tick()
    assert not stage.house.said(Liquidity)[-1].bid_thin
    assert stage.submits() == []
    for _ in range(6):
        stage.tick()
    assert prices(stage) == [("BUY", "60000.")]


def test_switched_off_the_quote_stays_where_it_is() -> None:
    stage = floored(NO_STEP_BACK)
    lose_the_floor(stage)
    assert stage.house.said(Liquidity)[-1].bid_thin
    assert (stage.cancels(), stage.submits()) == ([], [])


# Flicker


def flickered(config: str) -> Stage:
    """The strategy is halted while 60,000.05 is bid and withdrawn, every 100 ms; then it may quote, and that is the touch."""
    stage = Stage(config)
    stage.house.post(OperatorCommand(Control.HALT, -1, "test"))
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    for _ in range(8):
        for quantity in ("0.3", "0"):
            stage.house.wait(100)
            stage.depth([["60000.05", quantity]], [])
    stage.house.wait(300)
    stage.depth([["60000.05", "0.3"]], [])
    stage.house.post(OperatorCommand(Control.RESUME, -1, "seen enough"))
    stage.house.forget()
    stage.tick()
    return stage


def test_a_quote_does_not_join_a_level_that_comes_and_goes() -> None:
    stage = flickered(CONFIG)
    assert [wish.bid_ticks for wish in stage.house.said(QuoteIntent)] == [6_000_005]
    assert prices(stage) == [("BUY", "60000.04"), ("SELL", "60000.1")]


def test_switched_off_it_joins_it() -> None:
    assert prices(flickered(JOINS_FLICKER)) == [("BUY", "60000.05"), ("SELL", "60000.1")]


@pytest.mark.parametrize("config", [CONFIG, JOINS_FLICKER], ids=["avoid", "join"])
def test_a_quote_that_rests_already_is_not_moved_by_a_flicker(config: str) -> None:
    """The level around our own bid comes and goes, and only that: our order is not driven from it."""
    stage = Stage(config)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.forget()
    for _ in range(8):
        for quantity in ("0.001", "1.0"):
            stage.house.wait(100)
            stage.depth([["60000.00", quantity]], [])
    assert (stage.cancels(), stage.submits()) == ([], [])


def test_what_flickered_before_the_book_was_lost_is_forgotten() -> None:
    stage = flickered(CONFIG)
    assert prices(stage)[0] == ("BUY", "60000.04")
    for order in stage.submits():
        stage.accept(order)
    orders = stage.submits()
    stage.house.forget()
    stage.lose_a_frame()
    for order in orders:
        stage.answer_cancel(order)
        stage.canceled(order)
    stage.touch = ("60000.05", "60000.10")
    stage.open_book_again()
    assert prices(stage)[0] == ("BUY", "60000.05")
