"""The book bench run small: every venue's book goes LIVE, all sides agree at every frame, missing peers are named."""

import pytest

from ops.bench import book, peers
from ops.bench.book_frames import STREAMS
from ops.bench.book_sides import OURS
from ops.venues import MARKETS


@pytest.mark.parametrize("venue", STREAMS)
def test_every_venue_has_a_live_book_and_the_same_tops_with_and_without_checks(venue: str) -> None:
    result = book.compare(MARKETS[venue](), STREAMS[venue](20, 1), {}, 1)
    assert result.keys() >= OURS.keys()
    assert result["frames"] == 20
    assert result["times_ours"]["touchline_us"] == 1


def test_all_peers_that_install_agree_at_every_frame_and_the_result_repeats() -> None:
    there, found = peers.installed()
    assert there.keys() >= {"sorteddict_decimal_us", "sorteddict_float_us"}
    makers = {name: peer.make for name, peer in there.items()}
    stream = STREAMS["binance-spot"](30, 2)
    hashes = {book.compare(MARKETS["binance-spot"](), stream, makers, 1)["result_hash"] for _ in range(2)}
    assert len(hashes) == 1
    assert set(found) == {peer.needs for peer in peers.PEERS.values() if peer.needs}


def test_a_peer_that_does_not_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = peers.Peer(peers.ccxt_book, "no_such_peer", "nothing")
    monkeypatch.setattr(peers, "PEERS", {**peers.PEERS, "strange_us": strange})
    there, found = peers.installed()
    assert "strange_us" not in there
    assert found["no_such_peer"] == "not installed: skipped"


def test_sides_that_disagree_are_an_error_not_a_figure() -> None:
    stream = STREAMS["binance-spot"](5, 1)
    market = MARKETS["binance-spot"]()
    wrong = stream._replace(snapshot=stream.snapshot.replace(b'"2683.00000000"', b'"2683.01000000"', 1))
    with pytest.raises(AssertionError, match="disagree"):
        book.compare(
            market, stream, {"sorteddict_float_us": lambda _: peers.PEERS["sorteddict_float_us"].make(wrong)}, 1
        )
