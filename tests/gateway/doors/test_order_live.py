"""The order door against the simulated venue, which checks signatures, clocks and orders as the real one does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bus.messages import (
    ClockEstimate,
    ExecutionReport,
    Instrument,
    PrivateStreamDown,
    PrivateStreamUp,
    ReportKind,
    RequestAnswered,
    RequestKind,
    RequestSent,
)
from gateway.binance_spot.signing import Ed25519Signer, HmacSigner, Signer
from gateway.binance_spot.symbols import read_instruments
from gateway.doors.order import SessionRefused
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, VenueSettings
from tests.gateway.doors.order_entry import LOTS, PRICE_TICKS, Desk, cancel, desk_at, submit
from tests.gateway.doors.peers import LIMIT_S, until

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
FAR_BELOW = PRICE_TICKS // 2
"""Half the market's price: it rests."""

SignerOf = Callable[[Endpoints], Signer]


def hmac(told: Endpoints) -> Signer:
    return HmacSigner(told.api_key, told.api_secret)


def ed25519(told: Endpoints) -> Signer:
    return Ed25519Signer(told.api_key, PEM)


class Floor:
    """A venue, its words over HTTP, and the instruments it lists."""

    def __init__(self, told: Endpoints, http: aiohttp.ClientSession, instrument: Instrument) -> None:
        self.told, self.http, self.instrument = told, http, instrument

    async def control(self, verb: str) -> None:
        async with self.http.post(f"{self.told.rest}/control/{verb}") as response:
            assert response.status == 200

    @asynccontextmanager
    async def desk(self, signer: Signer) -> AsyncIterator[Desk]:
        async with desk_at(self.told.websocket_api, signer, {0: self.instrument}) as desk:
            yield desk

    async def open_orders(self) -> list[str]:
        async with self.http.get(f"{self.told.rest}/control/ledger") as response:
            ledger = await response.json()
            return [order["clientOrderId"] for order in ledger["open_orders"]]


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    venue = SimulatedVenue(VenueSettings(control=True, ed25519_public_key=PUBLIC, symbols=("BTCUSDT",)))
    told = await venue.start()
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{told.rest}/api/v3/exchangeInfo") as response:
            (instrument,) = read_instruments(await response.read(), ["BTCUSDT"], account=0, venue=0)
        yield Floor(told, http, instrument)
    await venue.stop()


async def up(desk: Desk, generation: int = 1) -> None:
    await until(lambda: len(desk.of(PrivateStreamUp)) >= generation)


@pytest.mark.parametrize("signer", [hmac, ed25519])
async def test_logon_submit_and_cancel_are_each_answered_once(floor: Floor, signer: SignerOf) -> None:
    async with floor.desk(signer(floor.told)) as desk:
        await up(desk)
        desk.ask(submit("tl1", price_ticks=FAR_BELOW))
        await until(lambda: len(desk.answers()) == 1)
        assert await floor.open_orders() == ["tl1"]
        desk.ask(cancel("tl1"))
        await until(lambda: len(desk.answers()) == 2 and len(desk.of(ExecutionReport)) == 2)
        assert desk.answers() == [(RequestKind.SUBMIT, "tl1", "RESULT"), (RequestKind.CANCEL, "tl1", "RESULT")]
        assert [sent.request for sent in desk.of(RequestSent)] == [RequestKind.SUBMIT, RequestKind.CANCEL]
        reports = [(r.client_order_id, r.kind, r.quantity // floor.instrument.lot) for r in desk.of(ExecutionReport)]
        assert reports == [("tl1", ReportKind.NEW, LOTS), ("tl1", ReportKind.CANCELED, LOTS)]
        assert await floor.open_orders() == []
        assert len(desk.journal.messages) == 2
        [clock] = desk.of(ClockEstimate)
        assert abs(clock.offset_ns) <= clock.uncertainty_ns + 2_000_000


async def test_a_definite_no_of_the_venue_is_refused_with_its_code(floor: Floor) -> None:
    async with floor.desk(hmac(floor.told)) as desk:
        await up(desk)
        desk.ask(submit("tl1", quantity_lots=1), cancel("tl77"))
        await until(lambda: len(desk.answers()) == 2)
        small, unknown = desk.of(RequestAnswered)
        assert (small.outcome.name, small.code) == ("REFUSED", -1013)
        assert "NOTIONAL" in small.reason
        assert (unknown.client_order_id, unknown.code) == ("tl77", -2011)


@pytest.mark.parametrize("what", ["secret", "key", "private key"])
async def test_wrong_credentials_are_refused_in_clear_words_without_a_secret(floor: Floor, what: str) -> None:
    key, secret = floor.told.api_key, floor.told.api_secret
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    other_pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    wrong: dict[str, Signer] = {
        "secret": HmacSigner(key, "0" * 64),
        "key": HmacSigner("0" * 64, secret),
        "private key": Ed25519Signer(key, other_pem),
    }
    async with floor.desk(wrong[what]) as desk:
        assert desk.task is not None
        with pytest.raises(SessionRefused, match=r"the venue refused \w+: .* check the API key") as failure:
            await asyncio.wait_for(desk.task, LIMIT_S)
        told = str(failure.value) + repr(failure.value) + repr(desk.troubles)
        assert "\n" not in str(failure.value)
        for hidden in (secret, "0" * 64, *other_pem.splitlines()[1:2]):
            assert hidden not in told
        assert desk.of(PrivateStreamUp) == []


async def test_orders_in_flight_at_a_cut_are_ambiguous_and_those_that_arrived_still_work(floor: Floor) -> None:
    async with floor.desk(hmac(floor.told)) as desk:
        await up(desk)
        desk.ask(submit("tl1", price_ticks=FAR_BELOW), submit("tl2", price_ticks=FAR_BELOW - 1))
        assert desk.door._socket is not None
        desk.door._socket.abort("cut on purpose")  # after the write, before any answer
        assert [outcome for _, _, outcome in desk.answers()] == ["AMBIGUOUS", "AMBIGUOUS"]
        await up(desk, generation=2)
        assert [type(m) for m in desk.said if type(m) in (PrivateStreamDown, PrivateStreamUp)] == [
            PrivateStreamUp, PrivateStreamDown, PrivateStreamUp,
        ]  # fmt: skip
        works = await floor.open_orders()
        desk.ask(*(cancel(name) for name in works))
        await until(lambda: len(desk.answers()) == 2 + len(works))
        assert await floor.open_orders() == []


async def test_a_venue_that_cuts_everyone_is_joined_again(floor: Floor) -> None:
    async with floor.desk(ed25519(floor.told)) as desk:
        await up(desk)
        desk.ask(submit("tl1", price_ticks=FAR_BELOW))
        await until(lambda: desk.answers())
        await floor.control("disconnect")
        await up(desk, generation=2)
        desk.ask(cancel("tl1"))
        await until(lambda: len(desk.answers()) == 2)
        assert desk.answers()[1] == (RequestKind.CANCEL, "tl1", "RESULT")
        await until(lambda: any(r.kind is ReportKind.CANCELED for r in desk.of(ExecutionReport)))


async def test_no_secret_shows_in_any_repr_of_what_holds_it(floor: Floor) -> None:
    for signer in (hmac(floor.told), ed25519(floor.told)):
        async with floor.desk(signer) as desk:
            await up(desk)
            shown = "".join(repr(thing) for thing in (signer, desk.door, desk.door._venue, desk.said))
            for holder in (vars(desk.door), vars(desk.door._venue)):
                shown += repr(holder)
            assert floor.told.api_secret not in shown
            assert PEM.splitlines()[1] not in shown
    assert floor.told.api_secret not in repr(floor.told)
