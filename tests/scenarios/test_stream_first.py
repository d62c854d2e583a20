"""A start asks the venue nothing, and is not ready, before its own private stream is open."""

from bus.messages import OrdersReady, VenueQuery
from tests.support.house import House
from tests.support.play import Play


def test_the_stream_of_the_run_before_is_not_ours_though_the_checkpoint_says_that_it_was_up() -> None:
    """Method: a checkpoint of a quiet engine, restored by a new process whose private stream takes its time."""
    play = Play()
    play.goes_well("bid1")
    play.goes_well("ask1")
    play.operator("HALT", "quiet")
    play.wait("1", "s")
    play.checkpoint()
    before = play.stage.house
    house = House(
        play.config, clock=before.clock, journal=before.journal, epoch=2, first_offset=before.host.offset,
        before=play.recover,
    )  # fmt: skip
    play.stage.house = house
    house.begin()
    play.settle("5", "s", "")
    assert (house.said(VenueQuery), house.said(OrdersReady)) == ([], [])
    play.stage.reconnect()
    play.settle("5", "s", "")
    assert len(house.said(OrdersReady)) == 1
