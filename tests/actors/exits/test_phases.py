"""The table of a position's life: every phase against every event."""

import pytest

from actors.exits.phases import COOLS, REASONS, TRANSITIONS, Event, Phase, account_event

ACTING = [phase for phase in Phase if phase >= Phase.TAKING_PROFIT]
CROSSING = [phase for phase in Phase if phase >= Phase.PROFIT_CROSSING]
HELD = [phase for phase in Phase if phase is not Phase.FLAT]


def after(phase: Phase, event: Event) -> Phase | None:
    return TRANSITIONS.get((phase, event))


@pytest.mark.parametrize("phase", HELD)
def test_wherever_something_is_held_it_can_grow_turn_over_and_be_gone(phase: Phase) -> None:
    assert after(phase, Event.GREW) is (phase if phase >= Phase.TAKING_PROFIT else Phase.HOLDING)
    assert after(phase, Event.REVERSED) is Phase.HOLDING
    assert after(phase, Event.CLOSED) is Phase.FLAT
    assert after(phase, Event.OPENED) is None


@pytest.mark.parametrize("phase", list(Phase))
def test_whoever_acts_may_find_that_it_cannot_be_done(phase: Phase) -> None:
    assert after(phase, Event.UNCLOSABLE) is (Phase.DUST if phase in ACTING else None)


@pytest.mark.parametrize("phase", CROSSING)
def test_from_crossing_only_the_account_leads_back(phase: Phase) -> None:
    market = [event for event in Event if event > Event.UNCLOSABLE and after(phase, event) is not None]
    assert market in ([], [Event.STOP_REACHED])
    assert after(phase, Event.STOP_REACHED) in (None, Phase.LOSING_CROSSING)


@pytest.mark.parametrize("phase", [Phase.DEFENDING, Phase.LOSING_PASSIVE])
@pytest.mark.parametrize("event", [Event.RAN_AWAY, Event.PRESSED, Event.DEADLINE_PASSED])
def test_a_passive_stage_ends_by_crossing(phase: Phase, event: Event) -> None:
    assert after(phase, event) in CROSSING


def test_a_loss_is_never_called_off_by_the_market() -> None:
    losing = (Phase.LOSING_PASSIVE, Phase.LOSING_CROSSING)
    for (phase, event), to in TRANSITIONS.items():
        if phase in losing and event > Event.UNCLOSABLE:
            assert to is Phase.LOSING_CROSSING


def test_every_phase_can_be_reached_from_flat() -> None:
    reached = [Phase.FLAT]
    for phase in reached:
        reached += {to: None for (before, _), to in TRANSITIONS.items() if before is phase and to not in reached}
    assert sorted(reached) == list(Phase)


def test_every_exit_has_a_reason_and_says_whether_its_loss_cools() -> None:
    begun = {
        to
        for (phase, _), to in TRANSITIONS.items()
        if to in ACTING and (phase not in ACTING or to is Phase.LOSING_PASSIVE)
    }
    assert begun == set(REASONS)
    assert list(COOLS) == ACTING
    assert [phase for phase, cools in COOLS.items() if cools] == [Phase.LOSING_PASSIVE, Phase.LOSING_CROSSING]


@pytest.mark.parametrize(
    ("before", "to", "event"),
    [
        (0, 5, Event.OPENED),
        (0, -5, Event.OPENED),
        (5, 6, Event.GREW),
        (-5, -6, Event.GREW),
        (5, -1, Event.REVERSED),
        (-5, 1, Event.REVERSED),
        (5, 0, Event.CLOSED),
        (-5, 0, Event.CLOSED),
        (5, 4, None),
        (-5, -4, None),
        (5, 5, None),
        (0, 0, None),
    ],
)
def test_a_change_of_lots_is_an_event(before: int, to: int, event: Event | None) -> None:
    assert account_event(before, to) is event
