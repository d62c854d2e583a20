"""What the howtos tell a reader to write works as written."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from actors.strategy import StrategyActor, StrategySettings
from bus.messages import (
    EngineStarted,
    Fill,
    QuoteIntent,
    SetTimer,
    Side,
    Signals,
    TimerFired,
    TradingState,
    TradingStateChanged,
)
from ops.assembly import build_actors, load_strategy
from ops.config import parse
from ops.sections import FeedSection
from ops.topology import ACTORS
from ops.venues import LEVELS, MARKETS
from tests.support.house import BTC

DOCS = Path(__file__).resolve().parents[2] / "docs" / "howto"
SECOND = 1_000_000_000


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def signals(update_id: int) -> Signals:
    price = 60_000 * 10**8
    return Signals(0, 1, update_id, 1, price, 10**8, price + BTC.tick, 10**8, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, True)


def test_the_configuration_to_start_from_is_usable() -> None:
    [text] = blocks("run.md", "toml")
    config = parse(text)
    assert [actor.name for actor in build_actors(config, [BTC])] == list(ACTORS)


def test_the_rows_of_data_are_usable_and_the_table_says_what_each_venue_has() -> None:
    [text], [rows] = blocks("run.md", "toml"), blocks("data-venues.md", "toml")
    assert [row.venue for row in parse(text + rows).feed] == ["okx", "kraken", "binance-usdm"]
    page = (DOCS / "data-venues.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (`.*?`) \| .*? \| (\d+), (\d+) \|", page, re.MULTILINE)
    assert set(get_args(FeedSection.__annotations__["venue"])) == set(MARKETS)
    told = {name: (int(usual), int(most)) for names, usual, most in table for name in re.findall("`(.+?)`", names)}
    assert told | {"coinbase": LEVELS["coinbase"]} == LEVELS
    shares = {"binance-spot": 341, "okx": 29, "kraken": 200, "coinbase": 10}
    assert "(Binance: {} symbols each, OKX: {}, Kraken: {}, Coinbase: {})".format(*shares.values()) in page
    for name, share in shares.items():
        market = MARKETS[name]()
        symbols = [f"S{n}" for n in range(share + 1)]
        assert [len(plan.venue_symbols) for plan in market.plan(symbols, market.streams, 10)] == [share, 1]


def test_the_strategy_rests_below_the_touch_and_pauses_after_a_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [source] = blocks("strategy.md", "python")
    [section] = blocks("strategy.md", "toml")
    (tmp_path / "my_strategy.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    [rest] = blocks("run.md", "toml")
    config = parse(rest.split("[strategy]")[0] + section)
    actor = StrategyActor(load_strategy(config), StrategySettings(owner="patient", account=0, instruments=(0,)))
    actor.receive(BTC, 0)
    actor.receive(EngineStarted(0, 1), 0)
    actor.receive(TradingStateChanged("engine", TradingState.ACTIVE, ""), 0)

    [wish] = actor.receive(signals(1), 0)
    assert isinstance(wish, QuoteIntent)
    assert (wish.bid_ticks, wish.bid_lots, wish.ask_lots) == (6_000_000 - 5, 100, 0)

    fill = Fill(1, 0, 0, 0, 1, "patient", "id", 1, 1, Side.BUY, 1, 1, 1, 1, 0, "BTC", True, False, 0)
    pulled, timer = actor.receive(fill, SECOND)
    assert isinstance(pulled, QuoteIntent)
    assert (pulled.bid_lots, pulled.ask_lots) == (0, 0)
    assert isinstance(timer, SetTimer)
    assert timer.fires_ns == 2 * SECOND
    assert actor.receive(signals(2), SECOND) == ()

    actor.receive(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns), 2 * SECOND)
    [again] = actor.receive(signals(3), 2 * SECOND)
    assert isinstance(again, QuoteIntent)
    assert again.bid_lots == 100


def test_the_exits_to_start_from_are_usable_and_say_every_key() -> None:
    [rest], [section] = blocks("run.md", "toml"), blocks("exits.md", "toml")
    config = parse(rest + section)
    assert list(tomllib.loads(section)["exits"]) == list(config.exits.__struct_fields__)
    [exits] = [actor for actor in build_actors(config, [BTC]) if actor.name == "exits"]
    assert exits.view()["enabled"] is True
