"""The store door: what the index says of one order, when it may say that it knows none, and that each question is answered once."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bus.messages import Fill, OrderStatus, OrderUpdate, Refusal, Side, StoreAnswer, StoreQuery
from gateway.doors.store import JournalIndex, StoreDoor
from gateway.doors.store.lookup import QUEUE_MAX
from tests.gateway.doors.test_store import DAY, INSTRUMENT, Journal, fill, index, update

WAIT_S = 60.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.log.close()


class Asker:
    """One door over what is indexed up to `indexed`; its answers in order."""

    def __init__(self, store: Path, end: int, indexed: int) -> None:
        self.end, self.indexed, self.now_ns = end, indexed, 0
        self.answers: queue.Queue[StoreAnswer] = queue.Queue()
        self.door = StoreDoor(store, lambda: self.end, lambda: self.indexed, lambda: self.now_ns)
        self.door.attach(self.answers.put)

    def ask(self, key: str, counter: int = 1) -> None:
        query = StoreQuery("orders", counter, 0, 1_000, key)
        assert self.door.handlers[StoreQuery](query, 0) == ()

    def answer(self) -> StoreAnswer:
        return self.answers.get(timeout=WAIT_S)


@pytest.fixture
def asker(journal: Journal, tmp_path: Path) -> Iterator[Asker]:
    """Of DAY, all of it indexed."""
    journal.append(*DAY)
    index(journal, tmp_path / "store.sqlite")
    asker = Asker(tmp_path / "store.sqlite", len(DAY), len(DAY))
    yield asker
    asker.door.close()


def test_an_order_comes_back_as_it_was_said_last_with_all_its_fills(asker: Asker) -> None:
    asker.ask("a", counter=7)
    answer = asker.answer()
    assert (answer.actor, answer.counter, answer.client_order_id, answer.reason) == ("orders", 7, "a", "")
    assert answer.updates == (update("a", 4, OrderStatus.CANCELED, 3),)
    assert answer.fills == (fill("a", 1),)
    assert answer.complete_to == len(DAY) - 1


def test_every_field_comes_back_as_it_was(journal: Journal, tmp_path: Path) -> None:
    order = OrderUpdate(9, 1, 2, 7, 4, "x", "z", 55, 6, Side.SELL, 1, 8, 3, 5, OrderStatus.REJECTED, True, Refusal.VENUE_REJECTED, 77, 10_000, -2010)  # fmt: skip
    booked = Fill(3, 1, 2, 7, 4, "x", "z", 55, 66, Side.SELL, 2, 30_000, 3, 60, -1, "BNB", False, True, 5)
    journal.append(order, booked)
    index(journal, tmp_path / "store.sqlite")
    asker = Asker(tmp_path / "store.sqlite", 2, 2)
    asker.ask("z")
    assert (asker.answer()).updates == (order,)
    asker.ask("z")
    assert (asker.answer()).fills == (booked,)
    asker.door.close()


def test_an_order_that_was_sent_and_never_said_is_known_as_sent(asker: Asker) -> None:
    asker.ask("b")
    [order] = asker.answer().updates
    assert (order.status, order.number, order.leaves_lots) == (OrderStatus.PENDING_NEW, 0, 12)


def test_a_complete_index_may_say_that_it_knows_none(asker: Asker) -> None:
    asker.ask("unheard")
    answer = asker.answer()
    assert (answer.reason, answer.updates, answer.fills) == ("", (), ())


def test_an_index_that_is_behind_is_waited_for(asker: Asker) -> None:
    """Never answered from what it has so far: the order may be in what it has not."""
    asker.end = len(DAY) + 1
    asker.ask("a")
    with pytest.raises(queue.Empty):
        asker.answers.get(timeout=0.1)
    asker.indexed = len(DAY) + 1
    assert asker.answer().reason == ""


def test_what_comes_into_the_journal_after_the_question_is_not_waited_for(asker: Asker) -> None:
    asker.ask("a")
    asker.end += 1_000
    assert asker.answer().reason == ""


def test_past_the_deadline_it_says_how_far_the_index_is(asker: Asker) -> None:
    asker.end = len(DAY) + 5
    asker.ask("a")
    asker.now_ns = 1_000
    answer = asker.answer()
    assert answer.reason == f"the index has {len(DAY)} of the journal's {len(DAY) + 5} records"
    assert (answer.updates, answer.complete_to) == ((), len(DAY) - 1)


def test_a_store_that_cannot_be_read_is_a_reason_not_an_unknown_order(tmp_path: Path) -> None:
    asker = Asker(tmp_path / "none.sqlite", 0, 0)
    asker.ask("a")
    assert asker.answer().reason.startswith("OperationalError")
    (tmp_path / "none.sqlite").write_bytes(b"this is no database, however long one looks at it" * 99)
    asker.ask("a")
    assert asker.answer().reason.startswith("DatabaseError")
    assert (asker.door.asked, asker.door.answered, asker.door.failed) == (2, 2, 2)
    asker.door.close()


def test_the_queue_is_bounded_and_each_question_is_answered_once(asker: Asker) -> None:
    asker.end = len(DAY) + 1
    for counter in range(QUEUE_MAX + 20):
        asker.ask("a", counter)
    asker.indexed = len(DAY) + 1
    answers = [asker.answer() for _ in range(QUEUE_MAX + 20)]
    assert sorted(answer.counter for answer in answers) == list(range(QUEUE_MAX + 20))
    refused = [answer for answer in answers if "wait already" in answer.reason]
    assert 0 < len(refused) <= 20
    assert all(not answer.updates for answer in refused)


def test_a_close_answers_what_waits_and_ends_the_thread(asker: Asker) -> None:
    asker.end = len(DAY) + 1
    for counter in range(3):
        asker.ask("a", counter)
    asker.door.close()
    assert [asker.answer().reason for _ in range(3)] == ["the engine stops"] * 3
    assert "store-lookup" not in [thread.name for thread in threading.enumerate()]


def test_no_thread_runs_before_the_first_question(tmp_path: Path) -> None:
    door = Asker(tmp_path / "store.sqlite", 0, 0).door
    assert "store-lookup" not in [thread.name for thread in threading.enumerate()]
    door.close()


def test_beside_a_live_index(journal: Journal, tmp_path: Path) -> None:
    """The real thing: asked right behind the append, answered when the thread has come by."""
    follower = JournalIndex(tmp_path / "store.sqlite", journal.directory, [INSTRUMENT], poll_s=0.01)
    answers: queue.Queue[StoreAnswer] = queue.Queue()
    door = StoreDoor(
        tmp_path / "store.sqlite", lambda: journal.log.next_number, lambda: follower.next_number, lambda: 0
    )
    door.attach(answers.put)
    for number in range(20):
        journal.append(update(f"k{number}", number + 1, OrderStatus.FILLED, 12))
        door.handlers[StoreQuery](StoreQuery("orders", number, 0, 1_000, f"k{number}"), 0)
    for number in range(20):
        [order] = answers.get(timeout=WAIT_S).updates
        assert order.client_order_id == f"k{number}"
    door.close()
    follower.close()
