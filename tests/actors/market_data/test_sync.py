"""The synchronizer's table, every state by every event."""

import pytest

from actors.market_data.sync import NEVER, TRANSITIONS, SyncEvent, Synchronizer, SyncState
from tests.actors.market_data.feeds import body, instrument

S, E = SyncState, SyncEvent
EXPECTED = {
    S.DOWN: {E.UP: S.BUFFERING, E.LOST: S.DOWN, E.CHANGE: S.DOWN},
    S.BUFFERING: {E.UP: S.BUFFERING, E.LOST: S.DOWN, E.ASK: S.ASKED, E.CHANGE: S.BUFFERING},
    S.ASKED: {
        E.UP: S.BUFFERING,
        E.LOST: S.DOWN,
        E.HOLD: S.HELD,
        E.BRIDGE: S.LIVE,
        E.FAIL: S.BUFFERING,
        E.CHANGE: S.BUFFERING,
    },
    S.HELD: {E.UP: S.BUFFERING, E.LOST: S.DOWN, E.BRIDGE: S.LIVE, E.FAIL: S.BUFFERING, E.CHANGE: S.BUFFERING},
    S.LIVE: {E.UP: S.BUFFERING, E.LOST: S.DOWN, E.GAP: S.BUFFERING, E.BREAK: S.BUFFERING, E.CHANGE: S.BUFFERING},
}


@pytest.mark.parametrize("state", SyncState)
@pytest.mark.parametrize("event", SyncEvent)
def test_every_state_and_event(state: SyncState, event: SyncEvent) -> None:
    sync = Synchronizer(instrument(), 1, 7, 1, state=state, expected=42, held=body(1))
    if event not in EXPECTED[state]:
        with pytest.raises(KeyError):
            sync.advance(event)
        assert sync.state == state
        return
    sync.advance(event)
    assert sync.state == EXPECTED[state][event] == TRANSITIONS[state, event]
    assert sync.expected == (42 if sync.state == S.LIVE else NEVER)
    assert (sync.held is not None) == (sync.state == S.HELD)


def test_live_is_entered_by_a_bridge_only() -> None:
    assert {event for (_, event), after in TRANSITIONS.items() if after == S.LIVE} == {E.BRIDGE}
