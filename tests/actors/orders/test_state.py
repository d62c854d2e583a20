"""The tables are complete where they must be, and the venue axis is a join."""

from itertools import product

import pytest

from actors.orders.state import (
    ABSENCE,
    ABSENT,
    CERTAINTY,
    ENDS,
    PENDING,
    RANK,
    STATUS,
    VENUE,
    Absence,
    Asked,
    Certainty,
    Missing,
    Pending,
    Proof,
)
from bus.messages import DONE, OrderStatus, VenueState


def test_every_pending_state_knows_every_event() -> None:
    assert set(PENDING) == set(product(Pending, Asked))


def test_certainty_ends_only_by_proof() -> None:
    assert set(CERTAINTY) == set(product(Certainty, Proof))
    assert {state for (_, event), state in CERTAINTY.items() if event is Proof.PROVEN} == {Certainty.CERTAIN}


def test_absence_always_ends_when_the_order_is_seen() -> None:
    assert {ABSENCE[absence, Missing.SEEN] for absence in Absence} == {Absence.OPEN}


def test_what_is_absent_is_not_declared_absent_twice() -> None:
    with pytest.raises(KeyError):
        ABSENCE[Absence.REFUSED, Missing.DOOR_REFUSED]


def test_venue_facts_form_a_join() -> None:
    for a, b, c in product(VenueState, repeat=3):
        assert VENUE[a, b] == VENUE[b, a]
        assert VENUE[a, VENUE[b, c]] == VENUE[VENUE[a, b], c]
    assert all(VENUE[a, a] is a for a in VenueState)


def test_fills_outrank_every_other_end() -> None:
    assert max(RANK, key=RANK.__getitem__) is VenueState.DONE_FILLED


def test_every_end_is_a_done_status_and_a_doubtful_end_is_not() -> None:
    for end, status in ENDS.items():
        assert STATUS[end, Pending.NONE, Certainty.CERTAIN] is status in DONE
        assert STATUS[end, Pending.NONE, Certainty.UNKNOWN] is OrderStatus.SUSPECT
    assert set(ABSENT.values()) <= DONE


def test_an_unproven_order_is_never_done() -> None:
    for (_, _, certainty), status in STATUS.items():
        assert certainty is Certainty.CERTAIN or status not in DONE


def test_the_status_table_has_every_row_that_can_be() -> None:
    """A fact settles the submit, an end settles everything: so WORKING never meets SUBMIT, an end never meets a request."""
    working = set(product([VenueState.WORKING], [Pending.NONE, Pending.CANCEL], Certainty))
    ends = set(product(ENDS, [Pending.NONE], Certainty))
    none = set(product([VenueState.NONE], Pending, Certainty))
    impossible = {(VenueState.NONE, pending, Certainty.CERTAIN) for pending in (Pending.NONE, Pending.CANCEL)}
    assert set(STATUS) == working | ends | (none - impossible)
