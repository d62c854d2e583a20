"""Every answer of every endpoint that is used, by status and body: classified, never raised, and only a definite no is one."""

import itertools
import json

import pytest

from bus.messages import Instrument, Outcome, QueryKind, RequestAnswered, RequestKind, VenueQuery
from bus.messages.feed import Garbage
from gateway.binance_spot.order_rest import decode_order_answer
from gateway.binance_spot.outcomes import DUPLICATE, OUTCOMES, REFUSING_STATUSES
from gateway.binance_spot.past_orders import decode_client_order_ids
from gateway.binance_spot.queries import decode_query, decode_time
from gateway.binance_spot.symbols import rate_limits, read_instruments
from gateway.text import SymbolError
from tests.gateway.binance_spot.test_orders import cancel, codec, instrument, submit

STATUSES = (
    100,
    200,
    201,
    202,
    204,
    301,
    302,
    304,
    400,
    401,
    403,
    404,
    405,
    408,
    409,
    410,
    413,
    418,
    422,
    425,
    429,
    451,
)
BROKEN = (500, 501, 502, 503, 504, 520, 522, 525, 599)
CODES = sorted({code for _, code in OUTCOMES} | {0, -2016, -9999, 1})
GOOD = b'{"symbol":"BTCUSDT","orderId":28,"clientOrderId":"t1","status":"NEW"}'
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a page": b"<html><head><title>502 Bad Gateway</title></head></html>",
    "half": GOOD[:-20],
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "text": b'"OK"',
    "no UTF-8": b'{"code":-2010,"msg":"\xff"}',
    "deep": b"[" * 5_000,
    "odd code": b'{"code":"-2010","msg":"?"}',
    "odd id": b'{"symbol":"BTCUSDT","orderId":"28"}',
    "good": GOOD,
    **{f"code {code}": json.dumps({"code": code, "msg": "why"}).encode() for code in CODES},
    "duplicate": json.dumps({"code": -2010, "msg": DUPLICATE}).encode(),
}
KNOWN = {"BTCUSDT": instrument()}
REQUESTS = (submit(), cancel())


def code_in(name: str) -> int:
    return int(name.removeprefix("code ")) if name.startswith("code ") else -2010 if name == "duplicate" else 0


@pytest.mark.parametrize("request_index", [0, 1], ids=["submit", "cancel"])
@pytest.mark.parametrize("status", [*STATUSES, *BROKEN])
def test_orders_and_cancels_by_rest(status: int, request_index: int) -> None:
    request = REQUESTS[request_index]
    kind = (RequestKind.SUBMIT, RequestKind.CANCEL)[request_index]
    for name, body in BODIES.items():
        told = decode_order_answer(request, status, body, 9, KNOWN)
        where = (status, name)
        assert (told.request, told.client_order_id) == (kind, request.client_order_id), where
        if status == 200:
            assert told.outcome is (Outcome.RESULT if name == "good" else Outcome.AMBIGUOUS), where
        elif status in BROKEN or (name == "duplicate" and kind is RequestKind.SUBMIT):
            assert told.outcome is Outcome.AMBIGUOUS, where
        elif (kind, code_in(name)) in OUTCOMES:
            assert told.outcome is OUTCOMES[kind, code_in(name)], where
        else:
            expected = Outcome.REFUSED if status in REFUSING_STATUSES else Outcome.AMBIGUOUS
            assert told.outcome is expected, where
        assert told.outcome is not Outcome.REFUSED or told.code, where  # 0 would say: our own door, and never sent


@pytest.mark.parametrize("prefix", ["s", "c"])
def test_orders_and_cancels_on_the_session(prefix: str) -> None:
    """The same words in the frames of the WebSocket API; a frame that is none is no answer to anything."""
    for status, (name, body) in itertools.product([*STATUSES[1:], *BROKEN], BODIES.items()):
        part = b'"result":' if status == 200 else b'"error":'
        frame = b'{"id":"%bt1","status":%d,%b%b}' % (prefix.encode(), status, part, body)
        told = codec().decode(frame, 9)
        where = (status, name)
        if not isinstance(told, RequestAnswered):
            assert isinstance(told, Garbage), where
        elif status == 200:
            assert told.outcome is (Outcome.RESULT if name == "good" else Outcome.AMBIGUOUS), where
        elif status in BROKEN:
            assert told.outcome is Outcome.AMBIGUOUS, where


def query(kind: QueryKind) -> VenueQuery:
    return VenueQuery("orders", 1, 1, 10**18, 0, 0, kind, 5, "t1")


@pytest.mark.parametrize("kind", [QueryKind.OPEN_ORDERS, QueryKind.ORDER, QueryKind.TRADES, QueryKind.BALANCES])
def test_questions(kind: QueryKind) -> None:
    """What fails proves nothing, and that an order does not exist is believed in the venue's own words alone."""
    rows: list[Instrument] = [instrument()]
    for status, (name, body) in itertools.product([*STATUSES, *BROKEN], BODIES.items()):
        told = decode_query(query(kind), status, body, 1, 2, rows)
        where = (status, name)
        assert told.found or (kind is QueryKind.ORDER and 400 <= status < 500 and code_in(name) == -2013), where
        if status != 200:
            assert (told.reports, told.balances) == ((), ()), where
            assert told.outcome is not Outcome.RESULT or not told.found, where
        if status in BROKEN or status < 200 or 201 <= status < 400:
            assert told.outcome is Outcome.AMBIGUOUS, where
        if told.outcome is Outcome.RESULT and told.found:
            assert status == 200, where


def test_what_a_start_reads() -> None:
    for name, body in BODIES.items():
        clock, ids = decode_time(body), decode_client_order_ids(body)
        assert isinstance(clock, Garbage), name
        assert isinstance(ids, Garbage) is (name != "a list"), name
        assert rate_limits(body) == (), name
        with pytest.raises(SymbolError):
            read_instruments(body, ["BTCUSDT"], 0, 0)
