"""The topology file: what it may say, and what each mistake is told."""

from pathlib import Path

import pytest

from bus.messages import (
    BookStateChanged,
    EngineStarted,
    Frame,
    Instrument,
    LevelQuantities,
    Message,
    QuoteIntent,
    Signals,
    Touch,
    WatchLevels,
)
from ops.config import ConfigError
from ops.hosts import ALONE, place
from ops.topology import ACTORS, DOORS, JOURNALED, ROUTES, elsewhere
from tests.ops.command_line import touchline
from tests.support.hosts import DATA, TRADE, topology

GOOD = {"data": (DATA, "ipc://data.ipc"), "trade": (("strategy", *TRADE), "ipc://trade.ipc")}


def write(folder: Path, text: str) -> Path:
    path = folder / "topology.toml"
    path.write_text(text)
    return path


def without(group: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(name for name in group if name not in names)


# -- placement --------------------------------------------------------------------------------------------------------


def test_a_host_is_its_place_in_the_file_and_its_socket_lies_beside_it(tmp_path: Path) -> None:
    placement = place(write(tmp_path, topology(GOOD)), "trade")
    assert (placement.number, placement.trades, list(placement.others)) == (1, True, [0])
    assert placement.host.endpoint == f"ipc://{tmp_path.resolve()}/trade.ipc"


def test_the_host_that_trades_has_every_door_and_the_other_only_what_it_needs(tmp_path: Path) -> None:
    path = write(tmp_path, topology(GOOD))
    assert set(place(path, "trade").names) == {*GOOD["trade"][0], *DOORS}
    assert set(place(path, "data").names) == {*DATA, "rest_door", "feed_door", "timers", "supervision", "supervisor"}


def test_an_engine_on_one_host_sends_nothing_elsewhere() -> None:
    assert (ALONE.elsewhere(), set(ALONE.names)) == ({}, {*ACTORS, *DOORS})


def crossing(**hosts: tuple[str, ...]) -> dict[str, set[type[Message]]]:
    """By host: what it may have to tell another."""
    numbers = {name: number for number, name in enumerate(hosts)}
    return {
        name: set(elsewhere(number, {numbers[other]: actors for other, actors in hosts.items() if other != name}))
        for name, number in numbers.items()
    }


def test_what_crosses_is_what_the_page_routes_to_the_other_side() -> None:
    found = crossing(data=DATA, trade=("strategy", *TRADE))
    assert {Touch, Signals, LevelQuantities, BookStateChanged} <= found["data"]
    assert {Instrument, WatchLevels} <= found["trade"]
    assert EngineStarted not in found["trade"], "a run of the trade host ends no connection of the feed"


def test_what_only_doors_take_never_crosses() -> None:
    """A door is its host's own; but what people should hear goes to the ear of the host that trades."""
    found = crossing(data=(*DATA, "strategy"), trade=TRADE)
    doors = {kind for kind, names in ROUTES.items() if all(name in DOORS and name != "supervisor" for name in names)}
    assert doors
    assert found["data"] & doors == set()
    assert QuoteIntent in found["data"]
    assert {Signals, EngineStarted} & found["trade"] == {Signals, EngineStarted}
    assert Frame not in found["data"]


def test_no_host_but_the_one_that_trades_makes_a_journaled_fact() -> None:
    makers = {kind for kind in JOURNALED if set(ROUTES[kind]) & set(DATA)}
    assert makers == set(), "whatever is journaled concerns orders; a host without a journal has nothing to do with it"


# -- mistakes ---------------------------------------------------------------------------------------------------------

TRADING = GOOD["trade"][0]
MISTAKES = {
    "an actor nowhere": (
        {"data": GOOD["data"], "trade": (TRADE, "ipc://t.ipc")},
        r"\[\[host\]\] actors: strategy is placed nowhere; add it to one host",
    ),
    "an actor twice": (
        {"data": ((*DATA, "strategy"), "ipc://d.ipc"), "trade": GOOD["trade"]},
        r"strategy is placed 2 times \(data, trade\); keep one",
    ),
    "an unknown actor": (
        {"data": ((*DATA, "oracle"), "ipc://d.ipc"), "trade": GOOD["trade"]},
        r"\[\[host\]\] data actors: 'oracle' is no actor; known: market_data, ",
    ),
    "books apart": (
        {"data": (without(DATA, "microstructure"), "ipc://d.ipc"), "trade": ((*TRADING, "microstructure"), "ipc://t.ipc")},
        r"market_data is on data and microstructure on trade; put market_data, orderbook, microstructure on one host",
    ),
    "orders apart": (
        {"data": ((*DATA, "risk"), "ipc://d.ipc"), "trade": (without(TRADING, "risk"), "ipc://t.ipc")},
        r"orders is on trade and risk on data; put orders, .* on one host: they restart together, from one journal",
    ),
    "one endpoint for two": (
        {"data": (DATA, "ipc://same.ipc"), "trade": (TRADING, "ipc://same.ipc")},
        r"\[\[host\]\] data endpoint: ipc:///.*/same.ipc stands twice",
    ),
    "an endpoint of nobody": (
        {"data": (DATA, "tcp://*:7001"), "trade": GOOD["trade"]},
        r"data endpoint: nobody can connect to tcp://\*:7001; write the address and port that the others use, and bind",
    ),
    "an endpoint that is none": (
        {"data": (DATA, "data"), "trade": GOOD["trade"]},
        r"'data' is no endpoint; write ipc:///path/to/file or tcp://address:port",
    ),
    "plain tcp": (
        {"data": (DATA, "tcp://10.0.0.2:7001"), "trade": GOOD["trade"]},
        r"tcp://10.0.0.2:7001: plain tcp is refused; use ipc:// on one machine, or name a folder of keys under \[keys\]",
    ),
    "a path too long": (
        {"data": (DATA, f"ipc://{'deep/' * 30}d.ipc"), "trade": GOOD["trade"]},
        r"is too long for a socket",
    ),
    "a name that is none": (
        {"../data": GOOD["data"], "trade": GOOD["trade"]},
        r"\[\[host\]\] name: '\.\./data' is no name of a host; write small letters",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_field_and_remedy(tmp_path: Path, name: str) -> None:
    hosts, told = MISTAKES[name]
    path = write(tmp_path, topology(hosts))
    with pytest.raises(ConfigError, match=told) as refused:
        place(path, "trade")
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[host]", "not TOML"),
        ("", "required field `host`"),
        ('[[host]]\nname = "a"\nactors = []\nendpoint = "ipc://a"\nport = 1', "unknown field `port`.*; known: .*bind"),
        ("host = []", r"there are 0; name 1 to 16"),
    ],
)
def test_what_is_no_topology_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        place(write(tmp_path, text), "data")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"topology.toml: cannot be read: No such file"):
        place(tmp_path / "topology.toml", "data")


def test_two_hosts_of_one_name_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, topology(GOOD) + topology({"data": (DATA, "ipc://other.ipc")}))
    with pytest.raises(ConfigError, match="data stands twice; give each host its own"):
        place(path, "data")


def test_a_host_may_listen_elsewhere_than_the_others_reach_it(tmp_path: Path) -> None:
    text = topology({"data": (DATA, "tcp://127.0.0.1:7001"), "trade": GOOD["trade"]})
    path = write(tmp_path, text.replace(':7001"\n', ':7001"\nbind = "tcp://127.0.0.2:7001"\n'))
    assert place(path, "data").host.bind == "tcp://127.0.0.2:7001"
    path.write_text(path.read_text().replace("127.0.0.2", "0.0.0.0"))
    with pytest.raises(ConfigError, match=r"tcp://0\.0\.0\.0:7001: plain tcp is refused"):
        place(path, "data")


# -- touchline keys ---------------------------------------------------------------------------------------------------


def test_keys_are_made_for_each_host_and_never_replaced(tmp_path: Path) -> None:
    made = touchline("keys", "--out", str(tmp_path / "keys"))
    assert made.code == 0, made.err
    files = sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert files == ["data.key", "data.key_secret", "trade.key", "trade.key_secret"]
    touchline("keys", "data", "--out", str(tmp_path / "keys")).refused("data.key: is there already; remove it first")


def test_a_name_that_would_leave_the_folder_is_refused(tmp_path: Path) -> None:
    touchline("keys", "../data", "--out", str(tmp_path / "keys")).refused("'../data' is no name of a host")
    assert list(tmp_path.iterdir()) == []
