"""Our bid among others, from frames to the console's row: where it stands, and what a place near the front is kept for."""

from tests.support.house import CONFIG
from tests.support.stage import Stage

OFF = CONFIG + "\n[execution]\nkeep_place = false\n"
LOTS = 100_000  # of 1 BTC


def place(stage: Stage, client_order_id: str) -> tuple[int | None, ...]:
    """Ahead (risk-averse), ahead (proportional), behind, in lots, as the console reads them."""
    rows = stage.house.actor("execution").view()["orders"]
    [row] = [row for row in rows if row[6] == client_order_id]
    return tuple(row[8:])


def accepted(config: str = CONFIG) -> Stage:
    """The bid of 0.001 BTC rests behind 1 BTC at the touch of 60,000.00, and the book shows it."""
    stage = Stage(config)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.wait(200)
    stage.depth([["60000.00", "1.00100000"]], [["60000.10", "1.00100000"]])
    return stage


def test_an_order_that_was_just_accepted_has_the_whole_level_ahead() -> None:
    stage = Stage()
    assert place(stage, stage.bid) == (None, None, None)
    stage.accept(stage.bid)
    assert place(stage, stage.bid) == (LOTS, LOTS, 0)


def test_its_own_size_is_not_ahead_of_it_and_who_comes_later_is_behind() -> None:
    stage = accepted()
    assert place(stage, stage.bid) == (LOTS, LOTS, 0)
    stage.depth([["60000.00", "1.50100000"]], [])
    assert place(stage, stage.bid) == (LOTS, LOTS, LOTS // 2)


def test_trades_move_it_up_at_once_and_the_book_that_tells_them_again_does_not() -> None:
    stage = accepted()
    stage.trade("60000.00", "0.4")
    assert place(stage, stage.bid)[:2] == (60_000, 60_000)
    stage.depth([["60000.00", "0.60100000"]], [])
    assert place(stage, stage.bid) == (60_000, 60_000, 0)


def test_cancels_are_behind_it_for_the_one_estimate_and_everywhere_for_the_other() -> None:
    stage = accepted()
    stage.depth([["60000.00", "2.00100000"]], [])
    stage.depth([["60000.00", "1.50100000"]], [])
    assert place(stage, stage.bid) == (LOTS, 75_000, 75_000)


def test_it_is_followed_behind_the_touch_as_well() -> None:
    """Others offer lower: the ask is to follow, but until its cancel is answered it stands, at the second level now."""
    stage = accepted()
    stage.depth([], [["60000.09", "0.5"], ["60000.10", "0.50100000"]])
    assert stage.cancels() == [stage.ask]
    assert place(stage, stage.ask) == (50_000, 50_000, 0)
    stage.trade("60000.10", "0.1", seller_took=False)
    assert place(stage, stage.ask) == (40_000, 40_000, 0)


def test_a_fill_of_ours_means_that_nobody_is_ahead() -> None:
    stage = accepted()
    stage.fill(stage.bid, "0.00030000")
    assert place(stage, stage.bid)[:2] == (0, 0)


def near_the_front(config: str) -> Stage:
    """0.1 BTC ahead and 1 behind; then the touch moves up one tick, and the strategy wishes to be there."""
    stage = accepted(config)
    stage.depth([["60000.00", "2.00100000"]], [])
    stage.trade("60000.00", "0.9")
    stage.depth([["60000.00", "1.10100000"]], [])
    assert place(stage, stage.bid) == (10_000, 10_000, LOTS)
    stage.house.wait(100)
    stage.house.forget()
    stage.depth([["60000.01", "0.3"]], [])
    return stage


def test_near_the_front_one_tick_is_not_worth_the_place() -> None:
    stage = near_the_front(CONFIG)
    assert (stage.cancels(), stage.submits()) == ([], [])
    assert stage.house.actor("execution").view()["places_kept"] == 1


def test_two_ticks_are() -> None:
    stage = near_the_front(CONFIG)
    stage.depth([["60000.02", "0.3"]], [])
    assert stage.cancels() == [stage.bid]
    assert [params["price"] for params in stage.all_submits] == ["60000.02000000"]


def test_switched_off_it_follows_every_tick() -> None:
    stage = near_the_front(OFF)
    assert stage.cancels() == [stage.bid]
    assert [params["price"] for params in stage.all_submits] == ["60000.01000000"]


def test_a_lost_book_and_its_return_leave_no_order_and_no_place_behind() -> None:
    stage = accepted()
    stage.lose_a_frame()
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    stage.house.forget()
    stage.open_book_again()
    assert stage.house.actor("orderbook").view()["books"][0]["watched"] == (0, 0)
    [bid, _ask] = stage.submits()
    stage.accept(bid)
    assert place(stage, bid) == (LOTS, LOTS, 0)
