"""One input that both moves a book and takes it away: whoever heard the second believes no price of the first."""

from bus.messages import BookState, BookStateChanged, Frame, FrameBatch
from tests.support.stage import Stage


def stage_at_rest() -> Stage:
    """Both quotes have been canceled and nothing rests, so that whatever is priced now is priced anew."""
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.wait(1_000)
    stage.house.forget()
    return stage


def batch(stage: Stage, *payloads: bytes) -> FrameBatch:
    now_ns = stage.house.clock.now_ns()
    return FrameBatch(tuple(Frame(0, now_ns, payload, 1) for payload in payloads))


def diff(stage: Stage, skip: int = 0, *, bid: str = "60000.00") -> bytes:
    stage.sequence += 1 + skip
    return stage.house.depth(stage.sequence, stage.sequence, [[bid, f"{stage.sequence}.0"]], [])


def own_quote(stage: Stage, bid: str) -> bytes:
    """The venue's own best prices at the book's id."""
    return stage.house.frame("btcusdt@bookTicker", u=stage.sequence, s="BTCUSDT", b=bid, B="1.0", a="60000.10", A="1.0")


def nobody_believes_a_price(stage: Stage) -> None:
    actor = stage.house.actor
    assert stage.book_state() is not BookState.LIVE
    assert actor("execution").register.markets[0].touch is None
    assert actor("risk").books[0].touch is None
    assert actor("strategy").context.lines[0].signals is None
    assert not actor("strategy").context.lines[0].live
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    assert stage.submits() == []


def test_an_update_and_the_gap_behind_it_in_one_input() -> None:
    stage = stage_at_rest()
    stage.house.post(batch(stage, diff(stage), diff(stage, skip=3)))
    nobody_believes_a_price(stage)


def test_an_update_and_a_quote_that_refutes_it_in_one_input() -> None:
    stage = stage_at_rest()
    update = diff(stage)
    stage.house.post(batch(stage, update, own_quote(stage, "59999.00")))
    nobody_believes_a_price(stage)


def test_a_book_that_is_mended_and_lost_again_in_one_input() -> None:
    """LIVE is said, and taken back before anyone has seen the book that it is said of."""
    stage = stage_at_rest()
    late = diff(stage)
    early = diff(stage)
    stage.house.post(batch(stage, early, late, diff(stage), diff(stage, skip=3)))
    nobody_believes_a_price(stage)
    states = [change.state for change in stage.house.said(BookStateChanged)]
    assert BookState.LIVE in states


def test_a_book_that_is_lost_and_mended_in_one_input_is_shown_as_it_stands_then() -> None:
    stage = stage_at_rest()
    late = diff(stage)
    early = diff(stage)
    stage.house.post(batch(stage, early, late, diff(stage)))
    assert stage.book_state() is BookState.LIVE
    actor = stage.house.actor
    assert actor("execution").register.markets[0].touch.update_id == stage.sequence
    assert actor("risk").books[0].touch.update_id == stage.sequence
    assert actor("strategy").context.lines[0].signals.update_id == stage.sequence
