"""The harness itself: nothing goes wrong, and the comparison at the end can say no."""

from pathlib import Path

from tests.faults.harness import trading


async def test_without_a_fault_orders_flow_and_both_sides_agree(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.more_orders(6)
        await play.fills(2)
        assert await play.end() == []


async def test_money_behind_our_back_is_seen_by_the_comparison(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fills(1)
        await play.control("deposit", account="client", asset="BTC", amount="0.5")
        assert len(await play.end()) == 1
