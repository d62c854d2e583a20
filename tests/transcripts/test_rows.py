"""No row of the order's event table and no interleaving is without its transcript, or a reason why it has none."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
EVENTS = {
    "the intent is journaled": "journaled",
    "the socket write went well": "written",
    "acknowledged, NEW": "accepted filled-before-accepted",
    "definitely rejected": "refused refused-and-executed",
    "an ambiguous result, or none in time": "ambiguous unanswered",
    "a query found it": "query-found",
    "a query did not find it": "query-not-found",
    "a fill with a new execution id": "fill-new",
    "a fill with a known execution id": "fill-seen",
    "a fill without an execution id": "fill-without-execution-id",
    "a cumulative quantity below ours": "executed-less-than-known",
    "a cancel was sent": "cancel-sent",
    "a cancel is acknowledged, with more executed": "cancel-acknowledged-with-more-executed",
    "a cancel is refused": "cancel-refused",
    "a replacement is acknowledged": "amended-elsewhere",
    "expired, or self-trade prevention": "expired",
    "an unsolicited end, a liquidation": "ended-by-venue liquidation",
    "an unknown status": "unknown-status",
    "a gap of the private stream": "private-stream-gap",
    "a client id that collides": "client-id-collision",
    "an unknown id": "unknown-id orphan",
    "an id of an earlier epoch": "predecessor predecessor-adopted",
}
"""Row: its transcripts. One row cannot be: a refused or half done replacement, because this engine sends none, it cancels and
sends another (actors/orders/state.py)."""


@pytest.mark.parametrize(("folder", "rows"), [("events", EVENTS)])
def test_each_row_has_its_transcripts_and_each_transcript_its_row(folder: str, rows: dict[str, str]) -> None:
    there = sorted(path.stem for path in (HERE / folder).glob("*.txt"))
    assert sorted(name for names in rows.values() for name in names.split()) == there
