"""Mailboxes on ZeroMQ: counted local ends, and the outside end fed by another process over ipc."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from bus.errors import MailboxError, PlainTcpRefused
from bus.mailbox import OutsideSender, ZmqMailboxes, ipc_endpoint

ROOT = Path(__file__).parents[2]

SENDER = """
import sys
from bus.mailbox import OutsideSender
sender = OutsideSender(sys.argv[1])
for number in range(int(sys.argv[2])):
    assert sender.send(b"%d" % number)
sender.close()
"""


@pytest.fixture
def mailboxes() -> Iterator[ZmqMailboxes]:
    opened = ZmqMailboxes()
    yield opened
    opened.close()


def send_from_a_process(endpoint: str, count: int) -> None:
    subprocess.run([sys.executable, "-c", SENDER, endpoint, str(count)], cwd=ROOT, check=True, timeout=20)


def test_a_local_mailbox_gives_back_what_was_put_in_order_and_no_more(mailboxes: ZmqMailboxes) -> None:
    box = mailboxes.open("orders")
    sent = [b"%d" % number for number in range(5_000)]  # beyond any default high-water mark
    for raw in sent:
        box.send(raw)
    assert [box.receive() for _ in sent] == sent
    with pytest.raises(zmq.Again):  # a miscount raises, it does not hang
        box.receive()


def test_a_name_is_one_mailbox(mailboxes: ZmqMailboxes) -> None:
    mailboxes.open("orders")
    with pytest.raises(zmq.ZMQError):
        mailboxes.open("orders")


def test_two_hosts_do_not_hear_each_other(mailboxes: ZmqMailboxes) -> None:
    other = ZmqMailboxes()
    mine, theirs = mailboxes.open("orders"), other.open("orders")
    mine.send(b"mine")
    with pytest.raises(zmq.Again):
        theirs.receive()
    assert mine.receive() == b"mine"
    other.close()


def test_messages_of_another_process_come_whole_in_order_and_in_bounded_batches(
    mailboxes: ZmqMailboxes, tmp_path: Path
) -> None:
    endpoint = ipc_endpoint(tmp_path, "control")
    outside = mailboxes.open_outside("control", endpoint)
    send_from_a_process(endpoint, 1_000)
    taken: list[bytes] = []
    batches = []
    while len(taken) < 1_000:
        batch, empty = outside.drain(64)
        batches.append((len(batch), empty))
        taken += batch
    assert taken == [b"%d" % number for number in range(1_000)]
    assert max(size for size, _ in batches) == 64
    assert all(not empty for size, empty in batches if size == 64)
    assert outside.drain(64) == ([], True)


def test_only_its_user_can_reach_the_socket(mailboxes: ZmqMailboxes, tmp_path: Path) -> None:
    mailboxes.open_outside("control", ipc_endpoint(tmp_path, "control"))
    assert (tmp_path / "control.ipc").stat().st_mode & 0o077 == 0


def test_a_file_left_by_a_dead_process_is_replaced(mailboxes: ZmqMailboxes, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.ipc"))
    endpoint = ipc_endpoint(tmp_path, "control")
    outside = mailboxes.open_outside("control", endpoint)
    send_from_a_process(endpoint, 1)
    assert outside.drain(1)[0] == [b"0"]


def test_an_endpoint_that_somebody_answers_on_is_not_taken_away(mailboxes: ZmqMailboxes, tmp_path: Path) -> None:
    other = ZmqMailboxes()
    endpoint = ipc_endpoint(tmp_path, "control")
    theirs = other.open_outside("control", endpoint)
    with pytest.raises(MailboxError, match="held by another process"):
        mailboxes.open_outside("control", endpoint)
    send_from_a_process(endpoint, 1)
    assert theirs.drain(1)[0] == [b"0"]
    other.close()


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5555", "tcp://*:5555", "udp://127.0.0.1:1", "control"])
def test_anything_but_ipc_is_refused_with_the_remedy(mailboxes: ZmqMailboxes, endpoint: str) -> None:
    for open_it in (lambda: mailboxes.open_outside("control", endpoint), lambda: OutsideSender(endpoint)):
        with pytest.raises(PlainTcpRefused, match="use ipc://"):
            open_it()


def test_a_path_too_long_for_a_socket_says_so(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="too long for a socket; use a shorter --state directory"):
        ipc_endpoint(tmp_path / ("deep" * 30), "control")


def test_a_folder_that_is_not_there_is_named(mailboxes: ZmqMailboxes, tmp_path: Path) -> None:
    endpoint = ipc_endpoint(tmp_path / "gone", "control")
    with pytest.raises(MailboxError, match=f"cannot bind {endpoint}"):
        mailboxes.open_outside("control", endpoint)
