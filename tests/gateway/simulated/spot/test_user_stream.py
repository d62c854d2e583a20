"""Subscriptions to the user data stream: whose, how many, until when, in which unit (web-socket-api.md, "User Data Stream")."""

from typing import Any

from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import AccountId
from gateway.simulated.core.settlement import SpotSettlement
from gateway.simulated.spot.user_streams import ACTIVE_MAX, LIFETIME_MAX, UserStreams

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "50000",
}
TERMINATED = "eventStreamTerminated"


class Ears:
    """A connection that keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def send(self, payload: bytes) -> None:
        self.heard.append(payload)


def streams() -> UserStreams:
    return UserStreams(MatchingEngine(SpotSettlement(Ledger())))


def code_of(users: UserStreams, ears: Ears, account: str) -> int | None:
    try:
        users.subscribe(ears, AccountId(account))
    except VenueError as error:
        return error.code
    return None


def test_subscriptions_are_limited_at_once_and_in_a_lifetime() -> None:
    """Goal: 1,000 at once, 65,535 ever, one an account; ids are never used again."""
    users, ears = streams(), Ears()
    for number in range(ACTIVE_MAX):
        assert users.subscribe(ears, AccountId(str(number))) == number
    assert code_of(users, ears, "one more") == -1191
    assert code_of(users, Ears(), "one more") is None
    users.unsubscribe(ears, 5)
    assert code_of(users, ears, "7") == -2035
    assert users.subscribe(ears, AccountId("5")) == ACTIVE_MAX
    users.unsubscribe(ears)
    for number in range(ACTIVE_MAX + 1, LIFETIME_MAX):
        assert users.subscribe(ears, AccountId("5")) == number
        users.unsubscribe(ears, number)
    assert code_of(users, ears, "5") == -2042
    users.leave(ears)
    assert users.subscribe(ears, AccountId("5")) == 0


def test_whoever_left_hears_nothing() -> None:
    users, ears, others = streams(), Ears(), Ears()
    users.subscribe(ears, AccountId("a"))
    users.subscribe(others, AccountId("a"))
    users.leave(ears)
    users.deliver(AccountId("a"), {})
    assert (len(ears.heard), len(others.heard)) == (0, 1)
    users.terminate(AccountId("a"))
    assert TERMINATED.encode() in others.heard[-1]
    assert users.subscriptions(others) == []


async def test_two_accounts_on_one_connection(start_client: Any) -> None:
    """Goal: each event bears the id of its own account's subscription."""
    client = await start_client(accounts=("ann", "bob"))
    await client.control("pause-flow")
    socket = await client.api()
    for number in (0, 1):
        answer = await client.call(socket, "userDataStream.subscribe.signature", **client.params_of(number))
        assert answer["result"] == {"subscriptionId": number}
    assert (await client.call(socket, "session.subscriptions"))["result"] == [
        {"subscriptionId": 0},
        {"subscriptionId": 1},
    ]
    await client.control("deposit", account="bob", asset="USDT", amount="5")
    event = await socket.receive()
    assert (event["subscriptionId"], event["event"]["d"]) == (1, "5.00000000")


async def test_a_second_subscription_to_an_account_is_refused(quiet: Any) -> None:
    socket = await quiet.api()
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    answer = await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    assert answer["error"] == {"code": -2035, "msg": "User Data Stream subscription already active."}


async def test_the_end_of_a_subscription_is_told_behind_its_answer(quiet: Any) -> None:
    """Goal: eventStreamTerminated after unsubscribe, and after logout for what the session asked for, no other."""
    socket = await quiet.api()
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    await socket.send({"id": 1, "method": "userDataStream.unsubscribe", "params": {"subscriptionId": 0}})
    assert (await socket.receive())["result"] == {}
    ended = await socket.receive()
    assert (ended["subscriptionId"], ended["event"]["e"]) == (0, TERMINATED)
    answer = await quiet.call(socket, "userDataStream.unsubscribe", subscriptionId=0)
    assert answer["error"] == {"code": -2036, "msg": "User Data Stream subscription not active."}
    await quiet.call(socket, "session.logon", **quiet.params(ed25519=True))
    assert (await quiet.call(socket, "userDataStream.subscribe"))["result"] == {"subscriptionId": 1}
    await socket.send({"id": 2, "method": "session.logout"})
    answer = await socket.receive()
    assert (answer["result"]["apiKey"], answer["result"]["userDataStream"]) == (None, False)
    ended = await socket.receive()
    assert (ended["subscriptionId"], ended["event"]["e"]) == (1, TERMINATED)


async def test_a_logout_leaves_signed_subscriptions_alone(quiet: Any) -> None:
    socket = await quiet.api()
    await quiet.call(socket, "session.logon", **quiet.params(ed25519=True))
    await quiet.call(socket, "userDataStream.subscribe.signature", **quiet.params())
    assert (await quiet.call(socket, "session.logout"))["result"]["userDataStream"] is True
    await quiet.control("deposit", account="client", asset="USDT", amount="5")
    assert (await socket.receive())["event"]["e"] == "balanceUpdate"


async def test_microseconds_on_request(quiet: Any) -> None:
    """Goal: every time in answers and events in the unit that was asked for, by header or by URL; a stranger is refused."""
    socket = await quiet.connect(f"{quiet.endpoints.websocket_api}?timeUnit=MICROSECOND")
    plain = await quiet.api()
    for listener in (socket, plain):
        await quiet.call(listener, "userDataStream.subscribe.signature", **quiet.params())
    answer = await quiet.call(socket, "order.place", **quiet.params(**LIMIT))
    assert [len(str(answer["result"][name])) for name in ("transactTime", "workingTime")] == [16, 16]
    fine, coarse = (await socket.receive())["event"], (await plain.receive())["event"]
    assert [fine[name] // 1_000 for name in "ETOW"] == [coarse[name] for name in "ETOW"]
    assert len(str(coarse["T"])) == 13
    status = (await quiet.call(socket, "session.status"))["result"]
    assert (len(str(status["serverTime"])), len(str(status["connectedSince"]))) == (16, 16)
    headers = {"X-MBX-TIME-UNIT": "microsecond"}
    async with quiet.http.get(f"{quiet.endpoints.rest}/api/v3/time", headers=headers) as response:
        assert len(str((await response.json())["serverTime"])) == 16
    async with quiet.http.get(
        f"{quiet.endpoints.rest}/api/v3/time", headers={"X-MBX-TIME-UNIT": "FORTNIGHT"}
    ) as response:
        text = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
        assert (response.status, await response.json()) == (400, {"code": -1194, "msg": text})
    async with quiet.http.get(quiet.endpoints.rest + "/ws-api/v3?timeUnit=Microsecond") as response:
        assert (response.status, (await response.json())["code"]) == (400, -1194)


async def test_rate_limits_can_be_left_out_by_url(quiet: Any) -> None:
    socket = await quiet.connect(f"{quiet.endpoints.websocket_api}?returnRateLimits=false")
    assert "rateLimits" not in await quiet.call(socket, "time")
    assert "rateLimits" in await quiet.call(socket, "time", returnRateLimits=True)
    assert (await quiet.call(socket, "session.status"))["result"]["returnRateLimits"] is False
    assert (await quiet.call(socket, "v3/ping"))["result"] == {}
