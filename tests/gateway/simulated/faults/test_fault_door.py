"""The control door's rows of faults: set, listed, removed, logged; and refusals."""

from typing import Any

import pytest


async def test_faults_are_set_listed_and_removed(play: Any) -> None:
    status, answer = await play.post(
        {
            "fault": [{"kind": "answer-double", "name": "again"}, {"kind": "market-drop"}],
            "point": [{"at": "answer-sent", "run": ["true"], "operation": "cancel"}],
        }
    )
    assert (status, answer) == (200, {"ids": [1, 2, 3]})
    socket = await play.client.api()
    first = await play.place(socket, "one")
    assert await socket.receive() == first
    rows = (await play.get("faults"))["rows"]
    assert [(row["id"], row["name"], row["kind"], row["at"], row["chances"], row["hits"]) for row in rows] == [
        (1, "again", "answer-double", "", 1, 1),
        (2, "market-drop", "market-drop", "", 0, 0),
        (3, "answer-sent", "", "answer-sent", 0, 0),
    ]
    assert await play.remove(id=1) == (200, {"removed": 1})
    assert (await play.place(socket, "two"))["result"]["status"] == "NEW"
    assert await play.silent(socket, 0.05)
    assert await play.remove(all="true") == (200, {"removed": 2})
    assert (await play.get("faults"))["rows"] == []
    assert not play.client.venue.faults.armed


@pytest.mark.parametrize(
    "body",
    [
        {"fault": [{"kind": "nothing"}]},
        {"fault": [{"kind": "market-drop"}, {"kind": "market-drop", "symbol": "NOPE"}]},
        {"faults": []},
        {"seed": 3},
        [],
        {"fault": [{"kind": "market-drop"}] * 1_001},
    ],
)
async def test_what_cannot_be_is_refused_whole(play: Any, body: Any) -> None:
    status, answer = await play.post(body)
    assert (status, answer["code"]) == (400, -1130)
    assert (await play.get("faults"))["rows"] == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 10_000, b'{"fault": null}', b"null"])
async def test_a_body_that_is_no_table_is_refused(play: Any, body: bytes) -> None:
    async with play.client.http.post(f"{play.rest}/control/faults", data=body) as response:
        assert response.status == 400
        assert (await response.json())["code"] == -1130


@pytest.mark.parametrize(
    ("params", "code"), [({}, -1102), ({"id": "7"}, -1130), ({"id": "x"}, -1100), ({"all": "yes"}, -1102)]
)
async def test_removing_what_is_not_there_is_refused(play: Any, params: dict[str, str], code: int) -> None:
    status, answer = await play.remove(**params)
    assert (status, answer["code"]) == (400, code)


async def test_the_log_is_numbered_and_paged(play: Any) -> None:
    socket = await play.client.api()
    await play.set("answer-delay", name="slow", delay_ms=0, operation="place", every=2)
    for number in range(6):
        await play.place(socket, f"o{number}")
    page = await play.get("fault-log", limit=2)
    assert (page["first"], page["next"], page["then"]) == (0, 3, 2)
    assert [(row["number"], row["fault"], row["client_order_id"]) for row in page["rows"]] == [
        (0, "slow", "o1"),
        (1, "slow", "o3"),
    ]
    rest = await play.get("fault-log", **{"from": page["then"]})
    assert [(row["face"], row["about"], row["symbol"], row["client_order_id"]) for row in rest["rows"]] == [
        ("spot", "order.place", "BTCUSDT", "o5")
    ]
    times = [row["time_ns"] for row in [*page["rows"], *rest["rows"]]]
    assert times == sorted(times)


async def test_faults_that_are_over_make_room(play: Any) -> None:
    """A thousand at most are listed; those that can hit no more go first, the oldest first."""
    spent = {"kind": "market-drop", "until_s": 0.000001}
    assert (await play.post({"fault": [spent] * 999}))[0] == 200
    await play.set("market-drop")
    number = await play.set("market-double")
    rows = (await play.get("faults"))["rows"]
    assert len(rows) == 1_000
    assert rows[-1]["id"] == number
    assert (await play.post({"fault": [{"kind": "market-drop"}] * 999}))[0] == 400


async def test_without_the_control_door_a_file_still_acts(start_client: Any, tmp_path: Any) -> None:
    from gateway.simulated.server import SimulatedVenue
    from gateway.simulated.settings import VenueSettings

    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nkind = "halt"\nsymbol = "BTCUSDT"\n')
    venue = SimulatedVenue(VenueSettings(faults=path))
    endpoints = await venue.start()
    try:
        client = await start_client()
        async with client.http.get(f"{endpoints.rest}/api/v3/exchangeInfo", params={"symbol": "BTCUSDT"}) as response:
            assert (await response.json())["symbols"][0]["status"] == "BREAK"
        async with client.http.get(f"{endpoints.rest}/control/faults") as response:
            assert response.status == 404
    finally:
        await venue.stop()
