"""The instrument registry: numbers last, versions follow the venue's filters, a damaged file is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.messages import Instrument
from ops.registry import register
from ops.state import StateError
from tests.support.house import BTC

ETH = msgspec.structs.replace(BTC, venue_symbol="ETHUSDT", base_asset="ETH")


def numbers(instruments: list[Instrument]) -> list[tuple[str, int, int]]:
    return [(row.venue_symbol, row.instrument, row.version) for row in instruments]


def test_a_number_lasts_whatever_the_order_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "instruments.json"
    assert numbers(register(path, "v", [BTC, ETH])) == [("BTCUSDT", 0, 1), ("ETHUSDT", 1, 1)]
    assert numbers(register(path, "v", [ETH])) == [("ETHUSDT", 1, 1)]
    assert numbers(register(path, "v", [ETH, BTC])) == [("ETHUSDT", 1, 1), ("BTCUSDT", 0, 1)]
    assert numbers(register(path, "another", [BTC])) == [("BTCUSDT", 2, 1)]


def test_a_changed_filter_is_a_new_version(tmp_path: Path) -> None:
    path = tmp_path / "instruments.json"
    register(path, "v", [BTC])
    changed = msgspec.structs.replace(BTC, tick=BTC.tick * 10)
    assert numbers(register(path, "v", [changed])) == [("BTCUSDT", 0, 2)]
    assert numbers(register(path, "v", [changed])) == [("BTCUSDT", 0, 2)]


@pytest.mark.parametrize("changes", [{"base_scale": 9}, {"quote_scale": 6}, {"quote_asset": "USD"}])
def test_other_assets_or_scales_of_what_is_traded_are_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    """The journal counts in them; what is only looked at has no journal."""
    path = tmp_path / "instruments.json"
    looked_at = msgspec.structs.replace(BTC, account=-1, venue=1)
    register(path, "v", [BTC])
    register(path, "another", [looked_at])
    with pytest.raises(StateError, match="new state directory"):
        register(path, "v", [msgspec.structs.replace(BTC, **changes)])
    assert register(path, "another", [msgspec.structs.replace(looked_at, **changes)])[0].version == 2
    assert register(path, "v", [BTC])[0].version == 1


@pytest.mark.parametrize(
    "text", ["", "{}", '[{"venue":"v","venue_symbol":"A","number":1,"version":1,"fingerprint":""}]']
)
def test_a_damaged_registry_is_refused_with_its_remedy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "instruments.json"
    path.write_text(text)
    with pytest.raises(StateError, match="restore it from a copy"):
        register(path, "v", [BTC])
