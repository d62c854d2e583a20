"""Words on orders that are not in our books: other symbols, other people, another life of ours."""

from bus.messages import OrderStatus, TradingState
from tests.support.ids import id_of
from tests.support.stage import Stage


def test_a_report_of_an_unknown_symbol_is_kept_aside() -> None:
    stage = Stage()
    before = stage.updates()
    stage.report("tl00001000000zz", "TRADE", "FILLED", s="DOGEUSDT", l="5.0", z="5.0", t=77, L="0.1", Y="0.5")
    assert stage.house.actor("orders").view()["quarantined"] == 1
    assert "report_of_unknown_instrument" in stage.house.alerts()
    assert (stage.updates(), stage.fills()) == (before, [])


def test_an_order_of_somebody_else_on_the_account_is_ignored() -> None:
    """Its fills change the account, not our position: they are not ours to manage."""
    stage = Stage()
    before = stage.updates()
    stage.report("web_1a2b3c", "NEW", "NEW")
    stage.report("web_1a2b3c", "TRADE", "FILLED", l="0.5", z="0.5", t=78, L="60000.00", Y="30000.0")
    assert (stage.updates(), stage.fills(), stage.position()) == (before, [], 0)
    assert stage.house.alerts().count("external_order") == 1


def test_an_order_of_an_earlier_life_is_recognized_and_canceled() -> None:
    """Ours by its id and absent from the journal: somebody deleted the state, or the disk lost it."""
    stage = Stage(epoch=7)
    orphan = id_of(3)
    stage.house.wire.written.clear()
    stage.report(orphan, "NEW", "NEW")
    stage.house.wait(200)
    stage.house.answer_queries(ORDER=(stage.found(orphan),))
    assert orphan in stage.cancels()
    assert "orphan_order" in stage.house.alerts()
    stage.answer_cancel(orphan)
    stage.canceled(orphan)
    assert stage.status(orphan) is OrderStatus.CANCELED


def test_the_fill_of_an_orphan_is_ours() -> None:
    stage = Stage(epoch=7)
    orphan = id_of(3)
    stage.fill(orphan)
    assert [(fill.owner, fill.quantity_lots) for fill in stage.fills()] == [("orphan", 100)]
    assert stage.position() == 100


def test_an_engine_of_our_own_epoch_on_the_account_closes_trading_and_its_orders_are_left_alone() -> None:
    """Two fresh state directories begin with the same epoch and the same ids."""
    stage = Stage(epoch=7)
    theirs = id_of(7, 19)
    stage.report(theirs, "NEW", "NEW")
    stage.settle(5.0)
    assert stage.trading() is TradingState.CANCEL_ONLY
    assert "order_of_another_engine" in stage.house.alerts()
    assert theirs not in stage.cancels()
