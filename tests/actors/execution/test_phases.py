"""The table of an order's life in execution."""

from actors.execution.phases import EVENT_OF_STATUS, TRANSITIONS, TURNED_AWAY, Event, Phase
from bus.messages import DONE, OrderStatus

LIVE = [phase for phase in Phase if phase is not Phase.GONE]


def test_every_status_is_an_event_and_only_done_ones_end() -> None:
    assert set(EVENT_OF_STATUS) == set(OrderStatus)
    assert {status for status, event in EVENT_OF_STATUS.items() if event is Event.DONE} == DONE
    assert set(TURNED_AWAY) <= DONE


def test_every_word_of_the_venue_fits_every_phase_that_is_not_gone() -> None:
    for phase in LIVE:
        for event in (Event.PENDING, Event.ACCEPTED, Event.CANCEL_PENDING, Event.DONE):
            assert (phase, event) in TRANSITIONS


def test_gone_is_final_and_only_done_leads_there() -> None:
    assert not [key for key in TRANSITIONS if key[0] is Phase.GONE]
    assert {event for (_, event), to in TRANSITIONS.items() if to is Phase.GONE} == {Event.DONE}


def test_an_order_without_an_id_cannot_be_canceled() -> None:
    assert (Phase.REQUESTED, Event.CANCEL_SENT) not in TRANSITIONS
    assert TRANSITIONS[Phase.REQUESTED, Event.CANCEL_WISHED] is Phase.DOOMED


def test_a_cancel_is_never_taken_back_but_by_the_end() -> None:
    for (phase, event), to in TRANSITIONS.items():
        if phase is Phase.CANCELING:
            assert to is (Phase.GONE if event is Event.DONE else Phase.CANCELING)
