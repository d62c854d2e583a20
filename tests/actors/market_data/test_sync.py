"""The synchronizer's table, every state by every event."""

import pytest

from actors.market_data.sync import NEVER, TRANSITIONS, SyncEvent, Synchronizer, SyncState
from tests.actors.market_data.feeds import body, instrument

S, E = SyncState, SyncEvent
DOWN = {E.UP: S.BUFFERING, E.LOST: S.INIT}
EXPECTED = {
    S.INIT: DOWN | {E.CHANGE: S.INIT},
    S.BUFFERING: DOWN | {E.ASK: S.SNAPSHOT, E.CHANGE: S.BUFFERING, E.RESET: S.LIVE, E.HEAL: S.LIVE},
    S.SNAPSHOT: DOWN
    | {
        E.HOLD: S.REPLAY,
        E.BRIDGE: S.LIVE,
        E.FAIL: S.BUFFERING,
        E.CHANGE: S.SNAPSHOT,
        E.RESET: S.LIVE,
        E.HEAL: S.LIVE,
    },
    S.REPLAY: DOWN | {E.BRIDGE: S.LIVE, E.FAIL: S.BUFFERING, E.CHANGE: S.BUFFERING, E.RESET: S.LIVE},
    S.LIVE: DOWN | {E.GAP: S.INVALID, E.BREAK: S.INVALID, E.CHANGE: S.INVALID, E.RESET: S.LIVE, E.SILENT: S.STALE},
    S.INVALID: DOWN | {E.ASK: S.SNAPSHOT, E.CHANGE: S.INVALID, E.RESET: S.LIVE, E.HEAL: S.LIVE},
    S.STALE: DOWN
    | {
        E.GAP: S.INVALID,
        E.BREAK: S.INVALID,
        E.CHANGE: S.INVALID,
        E.RESET: S.LIVE,
        E.SILENT: S.STALE,
        E.RESUME: S.LIVE,
    },
}


@pytest.mark.parametrize("state", SyncState)
@pytest.mark.parametrize("event", SyncEvent)
def test_every_state_and_event(state: SyncState, event: SyncEvent) -> None:
    sync = Synchronizer(instrument(), 1, 7, 1, state=state, sequence=42, expected=42, held=body(1))
    if event not in EXPECTED[state]:
        with pytest.raises(KeyError):
            sync.advance(event)
        assert sync.state == state
        return
    sync.advance(event)
    assert sync.state == EXPECTED[state][event] == TRANSITIONS[state, event]
    assert sync.expected == (42 if sync.state == S.LIVE else NEVER)
    assert (sync.held is not None) == (sync.state == S.REPLAY)


def test_live_is_entered_by_a_proven_book_only() -> None:
    entered = {event for (state, event), after in TRANSITIONS.items() if after == S.LIVE != state}
    assert entered == {E.BRIDGE, E.RESET, E.HEAL, E.RESUME}


@pytest.mark.parametrize("looked_at", ["overlapping", "disbelieved"])
def test_a_book_that_needs_a_look_is_off_the_fast_path(looked_at: str) -> None:
    sync = Synchronizer(instrument(), 1, 7, 1, state=S.SNAPSHOT, sequence=42)
    sync.overlapping, sync.believed = looked_at == "overlapping", looked_at != "disbelieved"
    sync.advance(E.BRIDGE)
    assert sync.expected == NEVER
    sync.stand(43)
    assert (sync.expected, sync.before, sync.sequence) == (NEVER, 42, 43)
