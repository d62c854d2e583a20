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

RACES = {
    "1. intent journaled, killed before the write": "killed-before-the-write",
    "2. in the transport's buffer, not in the kernel": "in-the-buffer-not-in-the-kernel",
    "4. accepted, answer lost, filled; a resend is tempted": "answer-lost-then-filled",
    "5. fill before acknowledgement, full fill before NEW": "filled-before-it-was-new",
    "6. canceled with more executed, the fill arrives after": "canceled-before-its-fill",
    "7. a replacement half done, killed": "killed-between-cancel-and-replacement",
    "8. refused while an earlier attempt lives": "refused-as-duplicate-and-filled",
    "9. not found by a lagging replica": "not-found-by-a-lagging-replica",
    "10. the private stream silently dead": "private-stream-silently-dead",
    "11. page one, a fill, page two": "fill-between-two-pages",
    "12. killed during reconcile, twice": "killed-during-reconcile-twice",
    "13. checkpoint, fill, killed, read again": "fill-behind-the-checkpoint-read-again",
    "14. raised between reservation and door": "raised-between-reservation-and-door",
    "15. a predecessor's cancel reaches an adopted order": "predecessors-cancel-reaches-an-adopted-order",
    "19. filters change with quotes resting": "filters-change-with-quotes-resting",
    "20. a fee leaves dust": "fee-leaves-dust",
    "and: a quote fills while flatten cancels it": "quote-fills-while-flatten-cancels-it",
    "21. disk full between intent and send": "disk-full-between-intent-and-send",
    "23. clock step between timestamp and check": "clock-stepped-before-the-check",
    "25. too many requests on what would end UNKNOWN": "too-many-requests-while-unknown",
}
"""Not here: 3 and 16-18 need two instances and their store (tests/scenarios/test_two_instances.py, test_takeover_live.py), 22 two
accounts' sum, 24 exits on views of the book."""

LESSONS = {
    "hummingbot#8457": "outage-is-no-answer",
    "nautilus_trader#4152": "ambiguous-is-neither-yes-nor-no",
    "nautilus_trader#3879": "nothing-is-stacked-on-what-may-rest",
    "Qubx PR#434": "refused-cancel-is-a-question",
    "nautilus_trader#5000": "open-orders-whatever-the-position",
    "nautilus_trader#4958": "asked-for-by-our-own-id",
    "nautilus_trader#3176": "a-second-reconcile-says-nothing",
    "nautilus_trader#3775": "fill-of-an-unknown-instrument",
    "nautilus_trader PR#4991": "replayed-reports-after-a-reconnect",
    "nautilus_trader#1437": "a-word-nobody-knew",
    "hummingbot#2501": "filled-while-the-cancel-was-in-flight",
    "freqtrade#3647": "fills-belong-by-id",
    "hummingbot#3374": "lost-in-a-network-error",
}
"""Public threads in which users of other engines lost orders."""
FOLDERS = {"events": EVENTS, "races": RACES, "lessons": LESSONS}


@pytest.mark.parametrize(("folder", "rows"), FOLDERS.items())
def test_each_row_has_its_transcripts_and_each_transcript_its_row(folder: str, rows: dict[str, str]) -> None:
    there = sorted(path.stem for path in (HERE / folder).glob("*.txt"))
    assert sorted(name for names in rows.values() for name in names.split()) == there


@pytest.mark.parametrize(("thread", "name"), LESSONS.items())
def test_a_lesson_begins_with_whose_it_is(thread: str, name: str) -> None:
    assert (HERE / "lessons" / f"{name}.txt").read_text(encoding="utf-8").startswith(f"# {thread}")
