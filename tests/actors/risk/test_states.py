"""The table of what passes, and the set of reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.risk.states import ENGINE, PASSES, Command, Reasons
from bus.messages import TradingState

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState


def test_every_state_and_command_has_one_row() -> None:
    assert set(PASSES) == {(state, command) for state in TradingState for command in Command}


def test_cancels_and_queries_pass_in_every_state() -> None:
    for state in TradingState:
        assert PASSES[state, Command.CANCEL]
        assert PASSES[state, Command.MASS_CANCEL]
        assert PASSES[state, Command.QUERY]


def test_halted_passes_nothing_else() -> None:
    assert [c for c in Command if PASSES[HALTED, c]] == [Command.CANCEL, Command.MASS_CANCEL, Command.QUERY]


@pytest.mark.parametrize("command", Command)
def test_a_stricter_state_never_passes_more(command: Command) -> None:
    passes = [PASSES[state, command] for state in sorted(TradingState)]
    assert passes == sorted(passes, reverse=True)


def test_only_active_passes_an_increasing_order() -> None:
    assert [s for s in TradingState if PASSES[s, Command.NEW_INCREASING]] == [ACTIVE]
    assert [s for s in TradingState if PASSES[s, Command.NEW_REDUCING]] == [ACTIVE, REDUCING]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ENGINE, "instrument:1", "owner:a"]),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from([None, *TradingState]),
        )
    )
)
def test_the_strictest_reason_of_a_scope_holds_and_each_change_is_told_once(
    steps: list[tuple[str, str, TradingState | None]],
) -> None:
    reasons, model, told = Reasons(), {}, {}
    for scope, name, state in steps:
        if state is None:
            changes = reasons.drop(scope, name, "t")
            model.pop((scope, name), None)
        else:
            changes = reasons.hold(scope, name, state, "t")
            model[scope, name] = state
        for change in changes:
            assert change.state != told.get(change.scope, ACTIVE)
            told[change.scope] = change.state
        for which in (ENGINE, "instrument:1", "owner:a"):
            strictest = max((s for (sc, _), s in model.items() if sc == which), default=ACTIVE)
            assert reasons.states.get(which, ACTIVE) == strictest == told.get(which, ACTIVE)
    again = Reasons()
    again.restore(reasons.saved())
    assert again.held == reasons.held
    assert again.engine == reasons.engine
