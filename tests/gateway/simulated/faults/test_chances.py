"""Faults and kill points that could never hit are refused, by the number of their table, its key, and what to give instead."""

from pathlib import Path
from typing import Any

import pytest

from gateway.simulated.faults.spec import SpecError
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import SettingsError, VenueSettings

LATE = {"kind": "fill-after-cancel"}
NEVER = [
    ({"kind": "market-drop", "stream": "dept"}, ("fault 2 (market-drop): stream 'dept'", "depth")),
    ({"kind": "answer-double", "door": "rest"}, ("fault 2 (answer-double): door 'rest'", "api")),
    ({"kind": "answer-lost", "symbol": "X"}, ("fault 2 (answer-lost): symbol 'X'", "BTCUSDT, ETHUSDT")),
    ({"kind": "user-drop", "account": "background"}, ("fault 2 (user-drop): account", "give one of client")),
    (
        {"kind": "balance-wrong", "asset": "DOGE", "amount": "1"},
        ("fault 2 (balance-wrong): asset 'DOGE'", "BTC, ETH, USDT"),
    ),
    ({**LATE, "operation": "order.place"}, ("fault 2 (fill-after-cancel): operation 'order.place'", "cancel, replace")),
    ({**LATE, "operation": "query"}, ("operation 'query'", "cancel, replace")),
    ({"kind": "events-first", "operation": "order.status"}, ("'order.status'", "place, cancel, replace, amend")),
    ({"kind": "unknown-status", "operation": "cancel"}, ("'cancel'", "place, replace")),
    ({"kind": "query-lag", "lag_ms": 1, "operation": "account.status"}, ("'account.status'", "query, account")),
    ({"kind": "answer-lost", "operation": "depth", "account": "client"}, ("fault 2 (answer-lost): account", "depth")),
    ({"kind": "answer-lost", "operation": "market", "side": "BUY"}, ("fault 2 (answer-lost): side", "leave it out")),
    ({"kind": "answer-lost", "operation": "trades.recent", "client_order_id": "a*"}, ("client_order_id", "leave it")),
]
NEVER_POINTS = [
    ({"at": "cancel-received", "operation": "place"}, ("point 1 (cancel-received): operation 'place'", "cancel")),
    ({"at": "query-page", "operation": "order.place"}, ("point 1 (query-page)", "'order.place'")),
    ({"at": "answer-sent", "operation": "depth", "account": "client"}, ("point 1 (answer-sent): account", "leave it")),
]


@pytest.mark.parametrize(("table", "words"), NEVER)
async def test_over_the_door(play: Any, table: dict[str, Any], words: tuple[str, ...]) -> None:
    status, answer = await play.post({"fault": [{"kind": "market-drop"}, table]})
    assert (status, answer["code"]) == (400, -1130)
    assert all(word in answer["msg"] for word in words), answer["msg"]
    assert len(answer["msg"]) < 300
    assert (await play.get("faults"))["rows"] == []


@pytest.mark.parametrize(("table", "words"), NEVER_POINTS)
async def test_points_over_the_door(play: Any, table: dict[str, Any], words: tuple[str, ...]) -> None:
    status, answer = await play.post({"point": [{**table, "run": ["true"]}]})
    assert (status, answer["code"]) == (400, -1130)
    assert all(word in answer["msg"] for word in words), answer["msg"]


async def test_in_a_file_and_from_this_process(play: Any, tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "answer-double"\ndoor = "rest"\n')
    with pytest.raises(SettingsError, match=r"faults.toml: fault 1 \(answer-double\): door 'rest'"):
        await SimulatedVenue(VenueSettings(faults=path)).start()
    with pytest.raises(SpecError, match="operation 'place'"):
        play.client.venue.faults.on_point("cancel-received", print, operation="place")


async def test_an_asset_of_the_other_face_is_none(start_play: Any) -> None:
    play = await start_play(futures_port=0)
    table = {"kind": "balance-wrong", "face": "usdm", "asset": "BTC", "amount": "1"}
    status, answer = await play.post({"fault": [table]})
    assert (status, answer["msg"]) == (
        400,
        "fault 1 (balance-wrong): asset 'BTC' is none of this venue; give one of USDT",
    )


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "market-drop", "stream": "depth@100ms"},
        {"kind": "market-drop", "stream": "arr"},
        {"kind": "answer-double", "door": "api"},
        {"kind": "balance-wrong", "asset": "ETH", "amount": "-1"},
        {**LATE, "operation": "order.cancelReplace"},
        {**LATE, "operation": "openOrders.cancelAll", "side": "BUY"},
        {"kind": "query-lag", "lag_ms": 1, "operation": "myTrades", "account": "client"},
        {"kind": "answer-lost", "operation": "depth", "symbol": "BTCUSDT"},
        {"kind": "answer-lost", "side": "BUY"},
    ],
)
async def test_what_can_hit_is_set(play: Any, table: dict[str, Any]) -> None:
    assert (await play.post({"fault": [table]}))[0] == 200


async def test_a_misspelt_operation_gets_the_nearest_and_the_kinds(play: Any) -> None:
    """Goal: not a hundred names. Method: one near a name, one near none."""
    _, answer = await play.post({"fault": [{"kind": "answer-lost", "operation": "order.plase"}]})
    kinds = "place, cancel, replace, amend, query, market, account"
    assert answer["msg"] == (
        f"fault 1 (answer-lost): operation 'order.plase' is none of this venue; give order.place, or a kind of it: {kinds}"
    )
    _, answer = await play.post({"fault": [{"kind": "answer-lost", "operation": "xyz"}]})
    assert answer["msg"] == (
        "fault 1 (answer-lost): operation 'xyz' is none of this venue; give its name on the WebSocket API, "
        f"or a kind of it: {kinds}"
    )


async def test_a_body_is_no_file(play: Any) -> None:
    status, answer = await play.post({"faults": []})
    assert (status, answer["msg"]) == (400, "the body: 'faults' is not a key here; give one of fault, point")
