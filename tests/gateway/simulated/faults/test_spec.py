"""Faults files: what they may say, and that whatever else they say is refused by table, key and remedy."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.faults.kinds import KINDS, POINTS, SCHEDULE, WHOM
from gateway.simulated.faults.spec import SpecError, parse, parse_json, parse_toml
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import SettingsError, VenueSettings

WHOLE = """
seed = 7

[[fault]]
kind = "answer-delay"
name = "slow"
probability = 0.25
after = 2
every = 3
count = 4
from_s = 1
until_s = 9.5
door = "api"
operation = "place"
symbol = "BTCUSDT"
account = "client"
side = "SELL"
client_order_id = "abc*"
delay_ms = [10, 20.5]

[[fault]]
kind = "filters"
symbol = "BTCUSDT"
tick_size = "0.5"

[[point]]
at = "answer-sent"
after = 3
signal = "KILL"
pid_file = "engine.pid"
"""


def test_a_whole_file() -> None:
    specs = parse_toml(WHOLE)
    slow, filters = specs.faults
    assert specs.seed == 7
    assert (slow.kind, slow.name, slow.span("delay_ms")) == ("answer-delay", "slow", (10.0, 20.5))
    assert (slow.schedule.probability, slow.schedule.after, slow.schedule.every, slow.schedule.count) == (0.25, 2, 3, 4)
    assert (slow.schedule.from_s, slow.schedule.until_s) == (1.0, 9.5)
    assert (slow.whom.door, slow.whom.side, slow.whom.client_order_id) == ("api", "SELL", "abc*")
    assert (filters.name, filters.parameters["tick_size"], filters.parameters["step_size"]) == (
        "filters",
        50_000_000,
        None,
    )
    [point] = specs.points
    assert (point.at, point.signal, point.pid_file, point.schedule.after, point.schedule.count) == (
        "answer-sent", "KILL", "engine.pid", 3, 1,
    )  # fmt: skip


GOOD = {"kind": "market-drop"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, ("fault 1", "kind", "market-drop")),
        ({"kind": "market-dropp"}, ("fault 1", "'market-dropp'", "market-drop")),
        ({**GOOD, "probabilty": 1}, ("fault 1 (market-drop)", "'probabilty'", "probability")),
        ({**GOOD, "probability": 1.5}, ("fault 1 (market-drop)", "probability", "from 0 to 1")),
        ({**GOOD, "probability": True}, ("probability", "from 0 to 1")),
        ({**GOOD, "probability": float("nan")}, ("probability", "from 0 to 1")),
        ({**GOOD, "every": 0}, ("every", "from 1")),
        ({**GOOD, "count": 2.5}, ("count", "whole number")),
        ({**GOOD, "from_s": 5, "until_s": 5}, ("until_s", "after from_s")),
        ({**GOOD, "face": "margin"}, ("face", "spot, usdm")),
        ({**GOOD, "side": "BUY"}, ("'side'", "stream")),
        ({**GOOD, "name": ""}, ("name", "text")),
        ({"kind": "answer-lost", "stream": "depth"}, ("'stream'", "client_order_id")),
        ({"kind": "answer-delay"}, ("fault 1 (answer-delay)", "delay_ms", "missing")),
        ({"kind": "answer-delay", "delay_ms": [9, 1]}, ("delay_ms", "lower one first")),
        ({"kind": "answer-delay", "delay_ms": [1]}, ("delay_ms", "pair")),
        ({"kind": "answer-delay", "delay_ms": 60_001}, ("delay_ms", "60000")),
        ({"kind": "market-corrupt", "how": "odd"}, ("how", "truncated")),
        ({"kind": "unknown", "code": -1007, "status": 503}, ("code", "one of them")),
        ({"kind": "unknown", "status": 404}, ("status", "502")),
        ({"kind": "filters", "symbol": "BTCUSDT"}, ("filters", "tick_size")),
        ({"kind": "filters", "tick_size": "0"}, ("tick_size", "above 0")),
        ({"kind": "filters", "tick_size": 0.5}, ("tick_size", "as text")),
        ({"kind": "clock-skew", "offset_ms": 1, "every": 2}, ("'every'", "until_s")),
        ({"kind": "balance-wrong", "asset": "BTC", "amount": "1e3"}, ("amount", "eight decimals")),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_name(table: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as refusal:
        parse({"fault": [table]})
    assert all(word in str(refusal.value) for word in words), refusal.value


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, ("point 1", "at", "answer-sent")),
        ({"at": "answer-sent"}, ("point 1 (answer-sent)", "signal", "run")),
        ({"at": "answer-sent", "signal": "KILL"}, ("signal", "pid_file")),
        ({"at": "answer-sent", "signal": "KILL", "pid": 1}, ("pid", "from 2")),
        ({"at": "answer-sent", "signal": "KILL", "pid": 9, "pid_file": "x"}, ("pid", "one of")),
        ({"at": "answer-sent", "signal": "SEGV", "pid": 9}, ("signal", "KILL")),
        ({"at": "answer-sent", "run": []}, ("run", "list of texts")),
        ({"at": "answer-sent", "run": "ls"}, ("run", "list of texts")),
        ({"at": "answer-sent", "run": ["ls"], "pid": 9}, ("signal",)),
        ({"at": "answer-sent", "run": ["ls"], "stream": "depth"}, ("'stream'", "symbol")),
    ],
)
def test_a_point_that_cannot_be_is_refused_by_name(table: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as refusal:
        parse({"point": [table]})
    assert all(word in str(refusal.value) for word in words), refusal.value


@pytest.mark.parametrize("source", ["[[fault]", "fault = 1", "fault = [1]", "seed = 1.5", "sed = 1"])
def test_a_file_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(SpecError):
        parse_toml(source)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted({p.name for p in (*SCHEDULE, *WHOM)} | {p.name for kind in KINDS.values() for p in kind.parameters})


@given(kind=st.sampled_from(sorted(KINDS)), keys=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4))
def test_no_table_does_more_than_be_refused(kind: str, keys: dict[str, Any]) -> None:
    refusal = ""
    try:
        parse({"fault": [{"kind": kind, **keys}]})
    except SpecError as error:
        refusal = str(error)
    assert refusal == "" or refusal.startswith(f"fault 1 ({kind}): ")


@given(st.binary(max_size=64) | JSON.map(lambda value: repr(value).encode()))
def test_no_body_does_more_than_be_refused(body: bytes) -> None:
    with contextlib.suppress(SpecError):
        assert parse_json(body).points == ()


def test_every_kind_says_what_happens_and_takes_what_its_chances_need() -> None:
    for name, kind in KINDS.items():
        assert kind.text.endswith("."), name
        assert all(p.text and p.form for p in kind.parameters), name
        assert set(kind.filters) <= {p.name for p in WHOM}, name
    assert all(text.endswith(".") for text in POINTS.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("--faults", "cannot be read")),
        ('[[fault]]\nkind = "market-stal"', ("--faults", "fault 1", "market-stall")),
        ('[[fault]]\nkind = "market-drop"\nsymbol = "NOPE"', ("--faults", "symbol", "BTCUSDT")),
        ('[[fault]]\nkind = "answer-lost"\noperation = "order.plase"', ("--faults", "operation", "order.place")),
        ('[[fault]]\nkind = "market-drop"\nstream = "dept"', ("--faults", "stream", "'dept'", "depth")),
        ('[[fault]]\nkind = "answer-lost"\naccount = "nobody"', ("--faults", "account", "client")),
        ('[[fault]]\nkind = "answer-lost"\nface = "usdm"', ("--faults", "face", "spot")),
    ],
)
async def test_a_venue_does_not_start_with_a_file_it_cannot_use(
    tmp_path: Path, text: str | None, words: tuple[str, ...]
) -> None:
    path = tmp_path / "faults.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as refusal:
        await SimulatedVenue(VenueSettings(faults=path)).start()
    assert all(word in str(refusal.value) for word in words), refusal.value
