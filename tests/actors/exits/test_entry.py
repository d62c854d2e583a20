"""Fees of the entry: in which asset, what part of a fill, and when the ledger has the word."""

import pytest

from actors.exits.entry import Entry, fees_in_quote, fold, settle, traded
from bus.messages import Fill, Side
from tests.actors.exits.builders import BUY, SELL, Trader, instrument

RATE = 1_000


def fill(side: Side, lots: int, fee: int, asset: str = "BBB", price: int = 10_000) -> Fill:
    return Fill(1, 0, 0, 0, 1, "maker", "id", 1, 1, side, price, lots, lots, lots * price, fee, asset, True, False, 0)


def folded(*fills: Fill) -> Entry:
    """Each fill followed by its position, as in one host."""
    entry = Entry()
    for each in fills:
        fold(entry, each, RATE)
        settle(entry, entry.held)
    return entry


def fees(*fills: Fill) -> int:
    return fees_in_quote(folded(*fills), instrument())


@pytest.mark.parametrize(("asset", "expected"), [("BBB", 70), ("AAA", 0), ("CCC", 1_000)])
def test_a_fee_counts_by_its_asset(asset: str, expected: int) -> None:
    """Quote: as it is. Base: it is in the average price. Any other: the rate on 1,000,000."""
    assert fees(fill(BUY, 100, 70, asset)) == expected


def test_fees_of_several_fills_and_assets_add_up() -> None:
    assert fees(fill(BUY, 100, 70), fill(BUY, 50, 35), fill(BUY, 10, 9, "CCC"), fill(BUY, 1, 1, "AAA")) == 70 + 35 + 100


def test_what_is_closed_takes_its_share_rounded_down_and_pays_its_own_fee() -> None:
    assert fees(fill(BUY, 100, 100), fill(SELL, 33, 50)) == 67
    assert fees(fill(BUY, 3, 100), fill(SELL, 1, 0)) == 67, "2/3 of 100, rounded up: what is left is never too little"


def test_a_fill_that_turns_over_brings_the_fee_of_its_opening_part_only() -> None:
    assert fees(fill(BUY, 100, 100), fill(SELL, 150, 150)) == 50


def test_nothing_is_left_once_it_is_closed() -> None:
    entry = folded(fill(BUY, 100, 100), fill(SELL, 100, 100))
    assert entry == Entry()


def test_two_fills_before_their_positions_are_told_apart() -> None:
    """One cascade: both executions are heard first, both positions after."""
    entry = Entry()
    fold(entry, fill(BUY, 100, 100), RATE)
    fold(entry, fill(SELL, 100, 100), RATE)
    settle(entry, 100)
    assert (entry.held, entry.unsettled) == (0, 1)
    settle(entry, 0)
    assert entry == Entry()


def test_the_ledgers_word_replaces_what_was_counted() -> None:
    """A fee in the base asset made it smaller than the fill said."""
    entry = Entry()
    fold(entry, fill(BUY, 1_000, 10, "AAA"), RATE)
    settle(entry, 990)
    assert entry.held == 990


@pytest.mark.parametrize("side", [BUY, SELL])
def test_what_was_traded_is_what_is_held_without_the_fees_taken_out_of_it(side: Side) -> None:
    entry = folded(fill(side, 1_000, 10, "AAA"), fill(side, 500, 7))
    assert traded(entry, side * 1_500 - 10, instrument()) == side * 1_500


def test_dust_keeps_the_price_it_was_traded_at_though_a_fee_made_it_larger() -> None:
    """1,001 sold, 1,000 bought back, 1 of them paid: 2 are owed for what 1 was sold for."""
    entry = folded(fill(SELL, 1_001, 0), fill(BUY, 1_000, 1, "AAA"))
    assert traded(entry, -2, instrument()) == -1


def test_the_same_fill_twice_is_one() -> None:
    trader = Trader()
    once = fill(BUY, 100, 70)
    trader.tell(once)
    trader.tell(once)
    assert trader.watch.entry.held == 100
