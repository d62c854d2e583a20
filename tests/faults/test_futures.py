"""The engine on USD-M futures: quotes, fills, exits, restarts, the private stream's own socket, the dead man's switch."""

import asyncio
import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bus.messages import Fill, ForeignTraded, OrderStatus, StopPolicy, WalletChanged
from ops.preflight import StartFailed
from tests.faults.futures import CONFIG, SETTINGS, FuturesPlay, playing, trading
from tests.faults.harness import life
from tests.faults.shows import shows
from tests.support.processes import WAIT_S, EngineProcess, VenueProcess, until


async def test_quotes_fills_and_cancels_end_with_equal_books(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fills(3)
        await play.more_orders()
        assert await play.end() == []
        seen = {status for history in play.histories().values() for status in history}
        assert {OrderStatus.FILLED, OrderStatus.CANCELED} <= seen


async def test_what_is_held_is_closed_by_reduce_only_orders(tmp_path: Path) -> None:
    """A stop that flattens: the position is gone, and no order of it could have opened another one."""
    async with trading(tmp_path) as play:
        async with asyncio.timeout(WAIT_S):
            while not (await play.positions()).get("BTCUSDT"):
                await play.fills()
        await play.engine.stop("the test is over", 8.0, StopPolicy.FLATTEN)
        assert play.engine.positions_left == ""
        assert (await play.positions()).get("BTCUSDT", 0) == 0
        assert await play.wrong() == []


async def test_a_restart_finds_its_position_and_takes_its_orders_down(tmp_path: Path) -> None:
    """The first life ends without a stop; while nobody lives, the crowd trades with what it left."""
    async with playing(tmp_path) as play:
        async with life(play):
            await play.more_orders(2)
            await play.fills()
            await play.control("pause-flow")
            await play.until(lambda: play.orders["open"], "orders work")
        assert (await play.ask("/control/ledger"))["open_orders"] != []
        await play.control("resume-flow")
        await play.sweep()
        async with life(play):
            await play.more_orders(2)
            assert await play.end() == []


@pytest.fixture
def short_weeks(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seven days last 2.1 s, for the venue and for us; so long in s."""
    monkeypatch.setattr("gateway.simulated.usdm.order_queries.DAY_MS", 300)
    monkeypatch.setattr("gateway.binance_usdm.queries.TRADES_WINDOW_MS", 2_100)
    monkeypatch.setattr("ops.assembly.TRADES_WINDOW_NS", 1_800_000_000)
    monkeypatch.setattr("actors.orders.desk.TRADES_OVERLAP_NS", 100_000_000)
    return 2.1


async def test_what_was_filled_in_the_first_of_several_weeks_off_is_booked(tmp_path: Path, short_weeks: float) -> None:
    """Two weeks without a trade follow it: the venue's history by ids, which has the last seven days, shows none of it."""
    async with playing(tmp_path, config=CONFIG.replace("dead_man_ms = 5000", "dead_man_ms = 0")) as play:
        async with life(play):
            await play.more_orders(2)
            await play.fills()
            await play.control("pause-flow")
            await play.until(lambda: play.orders["open"], "orders work")
        known = len(play.journal(Fill))
        async with asyncio.timeout(WAIT_S):
            while len(await play.our_trades()) == known:
                await play.sweep("5")
        await asyncio.sleep(2.5 * short_weeks)
        assert await play.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", fromId="0") == []
        await play.control("resume-flow")
        async with life(play):
            await play.more_orders(2)
            assert await play.end() == []
        assert play.engine.views()["portfolio"]["adjusted"] == {}


@pytest.mark.usefixtures("short_weeks")
async def test_an_order_that_was_canceled_and_that_the_venue_forgot_is_over(tmp_path: Path) -> None:
    """Canceled by a person while nobody lived, and three days later nowhere: not in its list, no trade of it, not found."""
    async with playing(tmp_path, config=CONFIG.replace("dead_man_ms = 5000", "dead_man_ms = 0")) as play:
        async with life(play):
            await play.more_orders(2)
            await play.control("pause-flow")
            await play.until(lambda: play.orders["open"], "orders work")
        await play.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        await asyncio.sleep(1.0)
        await play.control("resume-flow")
        async with life(play):
            await play.until(lambda: "order_forgotten_by_venue" in play.alerts(), "it is over")
            await play.more_orders(2)
            assert await play.end() == []


async def test_money_that_comes_in_is_booked_by_the_history_of_incomes(tmp_path: Path) -> None:
    """And so is what came in while nobody lived: no difference is left for a person."""
    async with playing(tmp_path) as play:
        async with life(play):
            await play.more_orders(2)
            await play.control("deposit", account="client", asset="USDT", amount="12.5")
            await play.until(lambda: play.journal(WalletChanged), "the deposit is booked")
            assert await play.stop() == 0
        await play.control("deposit", account="client", asset="USDT", amount="7.25")
        async with life(play):
            await play.more_orders(2)
            assert await play.end() == []
        assert [one.change for one in play.journal(WalletChanged)] == [1_250_000_000, 725_000_000]
        assert play.engine.views()["portfolio"]["adjusted"] == {}


async def test_money_that_comes_in_while_the_stream_is_renewed_is_found(tmp_path: Path) -> None:
    """No event tells of it, and the comparison that follows finds no gap."""
    async with trading(tmp_path) as play:
        await play.control("disconnect", kind="api")
        await play.control("deposit", account="client", asset="USDT", amount="12.5")
        await play.until(lambda: play.journal(WalletChanged), "the deposit is booked")
        await play.more_orders()
        assert await play.end() == []
        assert "ledger_difference" not in play.alerts()


async def test_money_that_nobody_told_of_is_looked_for_when_the_wallet_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its event is lost, and the next look at the incomes of itself is minutes away: the comparison is reason enough."""
    monkeypatch.setattr("ops.futures_account.AMISS_S", 0.5)
    async with trading(tmp_path) as play:
        await play.fault("user-drop", face="usdm")
        await play.control("deposit", account="client", asset="USDT", amount="12.5")
        await play.clear()
        await play.until(lambda: play.journal(WalletChanged), "the deposit is booked")
        await play.until(lambda: not play.engine.supervisor.differences, "nothing differs any more")
        await play.more_orders()
        assert await play.end() == []


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of incomes: five rows each, and two pages of one kind."""
    monkeypatch.setattr("gateway.binance_usdm.account.INCOME_MAX", 5)
    monkeypatch.setattr("ops.futures_account.PAGES_MAX", 2)
    monkeypatch.setattr("ops.futures_account.AMISS_S", 0.5)


@pytest.mark.usefixtures("small_pages")
async def test_money_is_found_among_more_fills_than_pages_hold(tmp_path: Path) -> None:
    """Each fill makes two rows of incomes, and what came in last is behind all of them."""
    async with trading(tmp_path) as play:
        await play.fills(12)
        await play.control("deposit", account="client", asset="USDT", amount="12.5")
        await play.until(lambda: play.journal(WalletChanged), "the deposit is booked")
        await play.more_orders()
        assert await play.end() == []


@pytest.mark.parametrize("small", [False, True], ids=["", "more fills than pages hold"])
async def test_trades_by_hand_in_other_symbols_are_booked_by_what_they_cost(
    tmp_path: Path, request: pytest.FixtureRequest, *, small: bool
) -> None:
    """One wallet pays for all: its fees and results there are no gap for a person, whether the page has them or a walk finds them."""
    if small:
        request.getfixturevalue("small_pages")
    async with trading(tmp_path, venue=replace(SETTINGS, symbols=("BTCUSDT", "ETHUSDT"))) as play:
        await play.fills(6)
        for side in ("BUY", "SELL"):
            await play.signed("POST", "/fapi/v1/order", symbol="ETHUSDT", side=side, type="MARKET", quantity="0.1")
        await play.until(lambda: len(play.journal(WalletChanged)) >= 3, "fees and a result are booked")
        await play.until(lambda: not play.engine.supervisor.differences, "nothing differs any more")
        await play.more_orders()
        assert (await play.stop(), play.our_ledger()) == (0, await play.truth())
        assert {one.cause for one in play.journal(WalletChanged)} == {"COMMISSION", "REALIZED_PNL"}


async def test_a_position_that_is_there_at_the_first_start_is_managed(tmp_path: Path) -> None:
    async with playing(tmp_path) as play:
        await play.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.005")
        async with life(play):
            await play.more_orders(2)
            assert play.engine.views()["portfolio"]["positions"][0]["position"] <= -300_000
            unresolved = await play.stop()
        assert (unresolved, play.our_ledger()) == (0, await play.truth())


async def test_a_trade_by_hand_moves_the_position_too(tmp_path: Path) -> None:
    """Under the policy "leave": its order is nobody's of ours, but the venue nets what it did against what we hold."""
    async with trading(tmp_path) as play:
        await play.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.017")
        await play.until(lambda: play.journal(ForeignTraded), "it is heard of")
        await play.more_orders()
        assert await play.stop() == 0
        held = play.engine.views()["portfolio"]["positions"][0]["position"]
        assert (held, play.our_ledger()) == ((await play.positions()).get("BTCUSDT", 0), await play.truth())
        assert play.engine.views()["portfolio"]["adjusted"] == {}


async def test_funding_every_second_is_booked_whoever_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it trades, while nobody lives, and while a start compares: each payment once, and no gap is left to anybody."""
    monkeypatch.setattr("gateway.simulated.usdm.chores.PERIOD_NS", 10**9)
    async with playing(tmp_path) as play:
        await play.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.5")
        for _ in range(2):
            async with life(play):
                paid = len(play.journal(WalletChanged))
                await play.more_orders(2)
                await play.until(lambda paid=paid: len(play.journal(WalletChanged)) >= paid + 3, "funding is booked")
                assert await play.stop() == 0
        monkeypatch.setattr("gateway.simulated.usdm.chores.PERIOD_NS", 10**15)
        async with life(play):
            await play.more_orders(2)
            assert (await play.stop(), play.our_ledger()) == (0, await play.truth())
        assert {one.cause for one in play.journal(WalletChanged)} == {"FUNDING_FEE"}
        assert play.engine.views()["portfolio"]["adjusted"] == {}


async def test_a_liquidation_is_booked_as_the_venues_own_doing(tmp_path: Path) -> None:
    """A position by hand that the wallet cannot bear: its end is fills of nobody's of ours, and what the insurance paid is there."""
    venue = replace(SETTINGS, balances={"USDT": 60})
    async with trading(tmp_path, venue=venue) as play:
        await play.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage="125")
        await play.signed("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.08")
        async with asyncio.timeout(WAIT_S):
            while not [row for row in await play.rows("orders") if row["client_order_id"].startswith("autoclose-")]:
                await play.control("market", symbol="BTCUSDT", side="SELL", quantity="20")
                await asyncio.sleep(0.2)
        await play.until(lambda: [one for one in play.journal(Fill) if one.owner == "venue"], "it is heard of")
        await play.stop()
        assert (play.our_ledger(), await play.positions()) == (await play.truth(), {})
        assert play.engine.views()["portfolio"]["positions"][0]["position"] == 0


@shows(
    "futures-request-lost",
    "futures-answer-lost",
    "futures-unknown",
    "futures-fill-after-cancel",
    "futures-user-drop",
    "futures-user-double",
)
@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("request-lost", {"operation": "place", "count": 2}),
        ("answer-lost", {"operation": "place", "count": 3}),
        ("unknown", {"operation": "place", "count": 3}),
        ("fill-after-cancel", {"count": 2}),
        ("user-drop", {"count": 4}),
        ("user-double", {"count": 6}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_faults_of_the_futures_face_leave_equal_books(tmp_path: Path, kind: str, keys: dict[str, Any]) -> None:
    async with trading(tmp_path) as play:
        await play.fault(kind, face="usdm", **keys)
        async with asyncio.timeout(WAIT_S):
            while len(await play.hits(kind)) < keys["count"]:
                await play.sweep()
                await asyncio.sleep(0.05)
        await play.clear()
        await play.more_orders()
        assert await play.end() == []


async def given_up_and_opened_again(play: FuturesPlay, kind: str, **keys: Any) -> None:
    """One such fault: CANCEL_ONLY, another session, ACTIVE; and the books are equal at the end."""
    mark, generation = play.mark(), play.engine.order_door.generation
    await play.fault(kind, count=1, face="usdm", **keys)
    await play.until(lambda: play.engine.order_door.generation > generation, "another session")
    await play.until_active(mark)
    await play.clear()
    await play.more_orders()
    await play.fills()
    assert await play.end() == []


@shows("futures-user-end")
async def test_a_listen_key_that_expires_ends_the_session(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await given_up_and_opened_again(play, "user-end")


@shows("futures-disconnect")
async def test_connections_that_are_cut_are_dialed_anew_together(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await given_up_and_opened_again(play, "disconnect", connections="api")


async def test_a_listen_key_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 0.2 s instead of every 20 minutes; a key that the venue knows no more ends the session, and another one begins."""
    monkeypatch.setattr("ops.futures.BinanceUsdmOrders.keep_alive_s", 0.2)
    async with trading(tmp_path) as play:

        async def pings() -> int:
            return sum(row["operation"] == "userDataStream.ping" for row in await play.rows("requests"))

        async with asyncio.timeout(WAIT_S):
            while await pings() < 2:
                await asyncio.sleep(0.05)
        generation = play.engine.order_door.generation
        await play.signed("DELETE", "/fapi/v1/listenKey")
        await play.until(lambda: play.engine.order_door.generation > generation, "another session")
        await play.more_orders()
        assert await play.end() == []


@pytest.mark.parametrize(
    ("method", "path", "params", "words"),
    [("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"}, "hedge mode")],
)
async def test_an_account_that_the_ledger_cannot_reckon_with_is_refused(
    tmp_path: Path, method: str, path: str, params: dict[str, str], words: str
) -> None:
    async with playing(tmp_path) as play:
        await play.signed(method, path, **params)
        with pytest.raises(StartFailed, match=words):
            async with life(play):
                raise AssertionError("it started")


async def test_the_dead_mans_switch_is_armed_before_the_first_order_and_disarmed_last(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        door = play.engine.futures.dead_man
        assert door is not None
        await play.until(lambda: door.calls >= 2, "it is armed again and again")
        assert await play.end() == []
        rows = [row["operation"] for row in await play.rows("requests")]
        asked = [name for name in rows if name in ("order.place", "order.cancel", "countdownCancelAll")]
        assert asked.count("countdownCancelAll") >= 3
        assert (asked[0], asked[-1]) == ("countdownCancelAll", "countdownCancelAll")
        assert "order.cancel" in asked
        assert door.fired == 0


async def test_it_is_not_armed_for_a_host_that_makes_no_progress(tmp_path: Path) -> None:
    """So it fires: the venue cancels, that is seen as the venue's doing, and said.

    Quotes move all the time: where each of them was being canceled by us in that very moment, it is tried once more.
    """
    async with trading(tmp_path) as play:
        door = play.engine.futures.dead_man
        assert door is not None
        heard: list[str] = []
        door.on_fired = heard.append
        async with asyncio.timeout(5 * WAIT_S):
            while "order_ended_by_venue" not in play.alerts():
                calls, fired = door.calls, door.fired
                door.alive = lambda: True
                await play.until(lambda: door.calls > calls, "it is armed")  # noqa: B023 - waited for here
                door.alive = lambda: False
                await play.until(lambda: door.fired > fired, "it has fired")  # noqa: B023 - waited for here
                await play.more_orders()
        assert set(heard) == {"BTCUSDT"}
        assert await play.end() == []


class _Venue(VenueProcess):
    def futures(self) -> dict[str, Any]:
        """The ledger of the futures face."""
        with urllib.request.urlopen(f"{self.told['rest']}/control/ledger?face=usdm", timeout=WAIT_S) as response:
            told: dict[str, Any] = json.loads(response.read())
        return told


def test_the_venue_cancels_what_a_killed_engine_leaves(tmp_path: Path) -> None:
    """SIGKILL, real processes: five seconds later nothing of it works, by nobody's doing; the next life finds its books equal."""
    arguments = ("--symbols", "BTCUSDT", "--futures-port", "0")
    with _Venue(tmp_path, *arguments) as venue, EngineProcess(tmp_path, venue) as engine:
        told = {name: venue.told[f"futures_{name}"] for name in ("rest", "streams", "websocket_api")}
        engine.config.write_text(CONFIG.format(**told))
        engine.start()
        engine.wait_for("orders_ready")
        until(lambda: len(venue.futures()["open_orders"]) >= 2, "both quotes work")
        engine.kill()
        until(lambda: venue.futures()["open_orders"] == [], "the venue cancels them")
        engine.start()
        engine.wait_for("orders_ready")
        until(lambda: len(venue.futures()["open_orders"]) >= 2, "it quotes again")
        report = engine.stop()
        assert venue.futures()["open_orders"] == []
        assert report["unresolved_orders"] == 0
