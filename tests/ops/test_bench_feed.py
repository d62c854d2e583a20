"""The feed benchmark runs, and times what it says: every frame goes through to the signals of a LIVE book."""

from ops.bench import feed
from ops.bench.market import Market


def test_every_timed_frame_reaches_the_signals_of_a_live_book() -> None:
    """Goal: no figure of the bench is that of a path which is switched off."""
    market = Market(1)
    first = market.frame()
    snapshot = market.snapshot()
    rig = feed.FeedRig(3, [first, *market.frames(60)], snapshot, seed=1)
    before = rig.host.received()["microstructure"]
    times: list[int] = []
    rig.block(60, times)
    books = next(actor.view() for actor in rig.actors if actor.name == "orderbook")["books"]
    rig.close()
    assert [book["state"] for book in books.values()] == ["LIVE"] * 3
    assert len(times) == 60
    assert rig.host.received()["microstructure"] - before >= 60
    assert rig.host.failures == 0


def test_the_command_compares_numbers_of_symbols_in_one_run() -> None:
    frames = feed.BLOCK + 40
    result = feed.run(frames, (1, 2))
    assert list(result["symbols"]) == ["1", "2"]
    assert result["symbols"]["1"]["ratio"] == 1.0
    assert result["frames"] == frames, "as many as asked for, though they run in blocks"
    assert set(result["hops_us"]) == {"1", "2"}
    assert result["memory_kb_per_book"] > 50, "a book of a thousand levels a side"
