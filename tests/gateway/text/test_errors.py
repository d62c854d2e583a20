"""What a person reads when the configuration and the venue's metadata do not fit."""

import pytest

from gateway.text import SymbolError


@pytest.mark.parametrize(
    ("venue_symbol", "field", "said"),
    [
        ("BTCUSD", "symbol", "symbol BTCUSD is wrong; mend it"),
        ("BTC-USD", "product_id", "symbol BTC-USD is wrong; mend it"),
        ("BTCUSD", "status", "BTCUSD: status: is wrong; mend it"),
        ("", "body", "metadata: body: is wrong; mend it"),
        ("", "symbol", "metadata: symbol: is wrong; mend it"),
    ],
)
def test_the_text_names_the_place_once(venue_symbol: str, field: str, said: str) -> None:
    assert str(SymbolError(venue_symbol, field, "is wrong", "mend it")) == said
