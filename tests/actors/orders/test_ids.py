"""Client order ids: made once, recognized always, never mistaken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.orders.ids import COUNTER_MAX, DIGITS, EPOCH_MAX, IdMaker, base36, cancel_id, check_character, recognize


def maker(epoch: int = 1, prefix: str = "tl", block: int = 4_000) -> IdMaker:
    ids = IdMaker(prefix, block)
    assert ids.start(epoch)
    ids.reserve()
    return ids


@given(
    epoch=st.integers(0, EPOCH_MAX), counter=st.integers(0, COUNTER_MAX - 2), prefix=st.sampled_from(["a", "tl", "x9z"])
)
def test_an_id_says_what_it_was_made_of(epoch: int, counter: int, prefix: str) -> None:
    ids = IdMaker(prefix, 4)
    ids.set(epoch, counter, counter + 2)
    key = ids.make()
    known = recognize(prefix, key)
    assert known is not None
    assert (known.epoch, known.counter, known.attempt, known.root) == (epoch, counter, 0, key)
    assert len(key) <= 16


def test_ids_agree_with_the_plain_way_of_making_them() -> None:
    """Oracle: the cached head against text put together digit by digit, across the change of head."""
    ids = maker(block=4_000)
    for counter in range(3_000):
        text = "tl" + base36(1, 5) + base36(counter, 7)
        assert ids.make() == text + check_character(text)


def test_ids_sort_by_age() -> None:
    ids = maker()
    made = [ids.make() for _ in range(3_000)]
    assert made == sorted(set(made))


@pytest.mark.parametrize("attempt", [1, 35, 36, 1295])
def test_a_cancel_id_leads_to_its_order_and_fits_18_characters(attempt: int) -> None:
    key = maker(prefix="abc").make()
    known = recognize("abc", cancel_id(key, attempt))
    assert known is not None
    assert (known.root, known.attempt) == (key, attempt)
    assert len(cancel_id(key, attempt)) <= 18


@given(at=st.integers(0, 14), to=st.sampled_from(DIGITS))
def test_one_wrong_character_is_noticed(at: int, to: str) -> None:
    key = maker(epoch=77).make()
    wrong = key[:at] + to + key[at + 1 :]
    assert (recognize("tl", wrong) is None) == (wrong != key)


@pytest.mark.parametrize(
    "text", ["", "tl", "web_1234567890abcdef", "tl00001000000", "TL0000100000000", "tl00001-0000000"]
)
def test_foreign_ids_are_not_ours(text: str) -> None:
    assert recognize("tl", text) is None


def test_an_unreserved_id_is_our_own_mistake() -> None:
    ids = IdMaker("tl", 2)
    ids.start(1)
    with pytest.raises(AssertionError):
        ids.make()


def test_after_recovery_the_same_epoch_goes_on_above_its_reservation() -> None:
    before = maker(epoch=3, block=10)
    used = {before.make() for _ in range(10)}
    after = IdMaker("tl", 10)
    after.recover(3, 10)
    assert after.start(3)
    after.reserve()
    assert used.isdisjoint(after.make() for _ in range(10))


def test_an_older_epoch_is_refused() -> None:
    ids = maker(epoch=5)
    assert not ids.start(4)
    assert ids.epoch == 5
