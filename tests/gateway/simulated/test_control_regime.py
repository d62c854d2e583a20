"""The crowd's mood over the control door, while it trades."""

from typing import Any

import pytest

from tests.gateway.simulated.test_replay import LINES, write_capture


async def set_regime(client: Any, **params: str) -> tuple[int, Any]:
    async with client.http.post(f"{client.endpoints.rest}/control/regime", params=params) as response:
        return response.status, await response.json()


async def test_it_is_set_for_all_or_for_one(client: Any) -> None:
    assert await set_regime(client, regime="thin") == (200, {"regimes": {"BTCUSDT": "thin", "ETHUSDT": "thin"}})
    status, answer = await set_regime(client, regime="flash-crash", symbol="ETHUSDT")
    assert (status, answer) == (200, {"regimes": {"BTCUSDT": "thin", "ETHUSDT": "flash-crash"}})
    status, answer = await set_regime(client, regime="scheduled")
    assert (status, answer) == (200, {"regimes": {"BTCUSDT": "calm", "ETHUSDT": "calm"}})


@pytest.mark.parametrize(
    ("params", "code"),
    [({}, -1102), ({"regime": "stormy"}, -1130), ({"regime": "thin", "symbol": "NOPE"}, -1121)],
)
async def test_what_there_is_not_is_refused(client: Any, params: dict[str, str], code: int) -> None:
    status, answer = await set_regime(client, **params)
    assert (status, answer["code"]) == (400, code)


async def test_a_replay_has_no_regimes(start_client: Any, tmp_path: Any) -> None:
    client = await start_client(replay=write_capture(tmp_path / "small.jsonl.gz", LINES))
    status, answer = await set_regime(client, regime="thin")
    assert (status, answer["code"]) == (400, -1130)
