"""What a venue is started with: keys that stay, keys that do not, settings that cannot be used."""

import asyncio
import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.simulated.core.orders import AccountId
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import SettingsError, VenueSettings
from gateway.simulated.signing import KEY_FILE, Credential, load_credentials


def test_keys_stay_in_the_state_directory(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    first = load_credentials(state, ("client",))
    assert load_credentials(state, ("client",)) == first
    assert (state / KEY_FILE).stat().st_mode & 0o777 == 0o600
    (state / KEY_FILE).chmod(0o644)
    assert load_credentials(state, ("client",)) == first
    assert (state / KEY_FILE).stat().st_mode & 0o777 == 0o600
    more = load_credentials(state, ("client", "second"))
    assert more[0] == first[0]
    assert more[1].api_secret != more[0].api_secret
    assert len(json.loads((state / KEY_FILE).read_text())) == 2


def test_without_state_keys_differ_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_credentials(None, ("client",)) != load_credentials(None, ("client",))
    assert list(tmp_path.iterdir()) == []


def test_a_secret_does_not_show_in_a_repr() -> None:
    (credentials,) = load_credentials(None, ("client",))
    assert credentials.api_secret not in repr(credentials)
    assert credentials.api_secret not in repr(Credential(AccountId("client"), credentials.api_secret.encode()))


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("{")
    with pytest.raises(SettingsError, match="--state"):
        load_credentials(tmp_path, ("client",))


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"symbols": ("WHAT",)}, "--symbols"),
        ({"symbols": ()}, "--symbols"),
        ({"speed": 0.0}, "--speed"),
        ({"speed": math.nan}, "--speed"),
        ({"regime": "stormy"}, "--regime"),
        ({"cancel_rule": "middle"}, "--cancel-rule"),
        ({"accounts": ("fees",)}, "accounts"),
        ({"accounts": ("ann", "ann")}, "accounts"),
        ({"ed25519_public_key": "no key"}, "--ed25519-public-key"),
        ({"rsa_public_key": "no key"}, "--rsa-public-key"),
        ({"replay": Path("/nowhere/capture.gz")}, "--replay"),
    ],
)
async def test_unusable_settings_name_their_option(settings: dict[str, Any], option: str) -> None:
    with pytest.raises(SettingsError, match=option):
        await SimulatedVenue(VenueSettings(**settings)).start()


async def test_two_accounts_trade_with_each_other(start_client: Any) -> None:
    client = await start_client(accounts=("ann", "bob"))
    await client.control("pause-flow")
    ann, bob = client.endpoints.credentials
    assert (ann.account, bob.account) == ("ann", "bob")
    ledger = await client.control("ledger")
    assert ledger["accounts"]["ann"] == ledger["accounts"]["bob"]


async def test_a_background_that_dies_is_told(start_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    venue = SimulatedVenue(VenueSettings())
    await venue.start()

    def fail(now_ns: int) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(venue._market, "advance", fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        await asyncio.wait_for(venue.wait_broken(), 2)
    with pytest.raises(RuntimeError, match="on purpose"):
        await venue.stop()


async def test_control_is_off_unless_asked_for(start_client: Any) -> None:
    client = await start_client()
    venue = SimulatedVenue(VenueSettings())
    endpoints = await venue.start()
    async with client.http.get(f"{endpoints.rest}/control/ledger") as response:
        assert response.status == 404
    await venue.stop()


@pytest.mark.parametrize("offset_ms", [5_000, -5_000])
async def test_a_clock_that_is_off_shows_in_times_and_in_timestamp_checks(start_client: Any, offset_ms: int) -> None:
    client = await start_client(clock_offset_ms=offset_ms)
    before_ms = time.time_ns() // 1_000_000
    _, told = await client.get("/api/v3/time")
    assert 0 <= told["serverTime"] - offset_ms - before_ms < 3_000
    stream = await client.streams("btcusdt@depth@100ms")
    event = await stream.receive()
    assert 0 <= event["data"]["E"] - offset_ms - before_ms < 3_000
    status, refused = await client.signed("GET", "/api/v3/account", recvWindow=3_000)
    assert (status, refused["code"]) == (400, -1021)
    theirs_ms = time.time_ns() // 1_000_000 + offset_ms
    status, _ = await client.signed("GET", "/api/v3/account", recvWindow=3_000, timestamp=theirs_ms)
    assert status == 200
