"""What a directory says of its next start: an engine in memory writes its journal and checkpoints there, then is asked about."""

from pathlib import Path

import pytest

from actors.risk import AccountLimits, Risk
from bus.checkpoint import FORMAT, Checkpoint, collect, to_bytes
from bus.codec import encode, tag_of
from bus.log import RecordLog
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    AnswerKind,
    CommandAnswered,
    Control,
    LedgerCompared,
    Message,
    OperatorCommand,
    OrdersReady,
    StrategyQuarantined,
)
from ops.halts import folder_of, leave
from ops.next_start import next_start

NAMES = {0: "BTCUSDT"}
FLATTEN = OperatorCommand(Control.FLATTEN, 0, "out", asker="me")


def journal(folder: Path, *messages: Message) -> None:
    with RecordLog(folder / "journal", segment_bytes=1 << 16) as log:
        for number, message in enumerate(messages):
            raw = HEADER.pack(0, HEADER_VERSION, 0, number, number) + encode(message)
            log.append(tag_of(type(message)), number, 1_000 + number, raw)


def checkpoint(folder: Path, risk: Risk, records: int) -> None:
    (folder / "checkpoints").mkdir()
    whole = Checkpoint(FORMAT, "", 0, 1, 9, 0, 0, records, collect([risk]))
    (folder / "checkpoints" / "00000000000000000009.checkpoint").write_bytes(to_bytes(whole))


def reasons(folder: Path) -> list[tuple[str, str, str]]:
    return [(row["scope"], row["state"], row["text"]) for row in next_start(folder, NAMES)["reasons"]]


def test_an_empty_directory_begins_active(tmp_path: Path) -> None:
    told = next_start(tmp_path, NAMES)
    assert (told["state"], told["reasons"], told["flatten"]) == ("ACTIVE", [], None)


def test_the_checkpoint_then_the_journal_then_what_lies_there(tmp_path: Path) -> None:
    """And neither the start's own reasons nor what the next start ends."""
    risk = Risk({}, AccountLimits())
    for message in (
        OrdersReady(0, 1, 0, 0, 0),
        OperatorCommand(Control.REDUCE, 0, "old"),
        LedgerCompared(0, "BTC", 150_000_000, 0, False),
        StrategyQuarantined("maker", "it hangs"),
    ):
        risk.receive(message, 0)
    checkpoint(tmp_path, risk, records=1)
    halt = leave(tmp_path, Control.CANCEL_ONLY, -1, "left")
    heard = leave(tmp_path, Control.HALT, -1, "heard, and resumed since").command()
    resume = OperatorCommand(Control.RESUME, -1, "looked")
    journal(tmp_path, OperatorCommand(Control.HALT, -1, "before the checkpoint"), heard, resume)
    told = next_start(tmp_path, NAMES)
    assert reasons(tmp_path) == [("engine", "CANCEL_ONLY", halt.reason)]
    assert (told["state"], told["strategies"]) == ("CANCEL_ONLY", [{"strategy": "maker", "text": "it hangs"}])


def test_without_a_resume_the_checkpoint_speaks(tmp_path: Path) -> None:
    risk = Risk({}, AccountLimits())
    risk.receive(OperatorCommand(Control.REDUCE, 0, "old"), 0)
    risk.receive(LedgerCompared(0, "BTC", 150_000_000, 0, False), 0)
    checkpoint(tmp_path, risk, records=0)
    assert reasons(tmp_path) == [
        ("BTCUSDT", "REDUCING", "old"),
        ("engine", "REDUCING", "BTC: ours 1.5, venue's 0, dust bound 0"),
    ]


@pytest.mark.parametrize(
    ("rows", "going_on"),
    [
        ([FLATTEN], {"symbol": "BTCUSDT"}),
        ([FLATTEN, CommandAnswered("me", Control.FLATTEN, 0, AnswerKind.DONE, "closed")], None),
    ],
)
def test_a_flatten_without_an_end_is_told(tmp_path: Path, rows: list[Message], going_on: object) -> None:
    journal(tmp_path, *rows)
    told = next_start(tmp_path, NAMES)
    assert (told["flatten"], told["reasons"][0]["state"]) == (going_on, "CANCEL_ONLY")


def test_a_halt_that_cannot_be_read_is_told_with_its_file(tmp_path: Path) -> None:
    leave(tmp_path, Control.REDUCE, 0, "x")
    [path] = folder_of(tmp_path).iterdir()
    path.write_bytes(b"")
    told = next_start(tmp_path, NAMES)
    assert (told["state"], told["unreadable"]) == ("HALTED", [str(path)])


def test_a_checkpoint_that_cannot_be_read_gives_way(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "1.checkpoint").write_bytes(b"torn")
    journal(tmp_path, OperatorCommand(Control.HALT, -1, "look"))
    assert reasons(tmp_path) == [("engine", "HALTED", "look")]
