"""The sliding count against the naive one."""

from hypothesis import given
from hypothesis import strategies as st

from actors.risk.window import Window


@given(st.integers(1, 5), st.integers(1, 50), st.lists(st.tuples(st.integers(0, 20), st.booleans())))
def test_room_is_exactly_fewer_than_the_limit_in_the_window(
    limit: int, width: int, steps: list[tuple[int, bool]]
) -> None:
    window, counted, now = Window(limit, width), [], 1_000
    for wait, forced in steps:
        now += wait
        room = sum(now - at < width for at in counted) < limit
        assert window.has_room(now) == room
        if room or forced:
            window.count(now)
            counted.append(now)
        again = Window(limit, width)
        again.restore(window.saved())
        assert again.has_room(now) == window.has_room(now)


def test_a_smaller_limit_keeps_the_newest_times() -> None:
    window = Window(3, 10)
    for now in (1, 2, 3):
        window.count(now)
    smaller = Window(1, 10)
    smaller.restore(window.saved())
    assert not smaller.has_room(12)
    assert smaller.has_room(13)
