"""Who leads: what every backend promises of terms, campaigns and their ends."""

import asyncio
from contextlib import suppress

import pytest

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import (
    EPOCH_MAX,
    EpochsExhausted,
    Leader,
    Misconfigured,
    TermOver,
    Waiting,
)
from tests.gateway.doors.coordination.backends import (
    SECOND_NS,
    Backend,
    above,
    campaigning,
    soon,
    until,
)
from tests.support.holder import EPOCH


async def test_the_second_waits_and_follows_a_resignation(backend: Backend) -> None:
    first, term = await backend.leader()
    second = await backend.start("b")
    heard: list[Waiting] = []
    waits = asyncio.create_task(second.campaign(backend.scope, above, heard.append))
    await until(lambda: heard)
    assert not waits.done()
    await first.resign(term)
    successor = await soon(waits)
    assert heard[0] == Waiting(Leader(backend.scope, EPOCH + 1, "a"), "")
    assert (term.reason, term.left_ns(boottime_ns()) <= 0) == ("resigned", True)
    assert (successor.epoch, successor.holder) == (EPOCH + 2, "b")
    assert await first.observe(backend.scope) == Leader(backend.scope, EPOCH + 2, "b")


async def test_nobody_leads_a_scope_before_its_first_term_and_after_its_last(backend: Backend) -> None:
    one = await backend.start("a")
    assert await one.observe(backend.scope) is None
    term = await soon(one.campaign(backend.scope, above))
    await one.resign(term)
    assert await one.observe(backend.scope) is None


async def test_scopes_are_led_apart(backend: Backend) -> None:
    one, term = await backend.leader()
    other = await soon(one.campaign(backend.scope + ".other", above))
    assert (term.reason, other.reason) == ("", "")


async def test_of_many_campaigns_one_leads_at_a_time_and_epochs_rise(backend: Backend) -> None:
    leading: list[str] = []
    epochs: list[int] = []

    async def serve(holder: str) -> None:
        one = await backend.start(holder)
        for _ in range(3):
            term = await one.campaign(backend.scope, above)
            leading.append(holder)
            assert leading == [holder]
            epochs.append(term.epoch)
            await asyncio.sleep(0)
            leading.remove(holder)
            await one.resign(term)

    await soon(asyncio.ensure_future(asyncio.gather(*(serve(f"i{number}") for number in range(6)))))
    assert len(epochs) == 18
    assert epochs == sorted(set(epochs))


async def test_a_killed_holder_is_followed(backend: Backend) -> None:
    with backend.process("dead", SECOND_NS) as holder:
        epoch = (await holder.hear())["epoch"]
        one = await backend.start("b", SECOND_NS)
        async with campaigning(one, backend.scope) as campaign:
            holder.kill()
            term = await soon(campaign)
    assert term.epoch == epoch + 1


async def test_a_stopped_holder_wakes_up_to_a_term_that_is_over(backend: Backend) -> None:
    """It is told what to do while it is stopped, so that it does it before anything of its own has run."""
    with backend.process("stopped", SECOND_NS) as holder:
        epoch = (await holder.hear())["epoch"]
        one = await backend.start("b")
        async with campaigning(one, backend.scope) as campaign:
            holder.stop()
            term = await soon(campaign)
        for word in ("left", "account", "band"):
            holder.tell(word)
        holder.go_on()
        left, account, band = [await holder.hear() for _ in range(3)]
    assert left["left_ns"] <= 0
    assert account == {"account": "TermOver", "reason": f"b leads with epoch {term.epoch}"}
    assert band == {"band": "TermOver", "reason": f"b leads with epoch {term.epoch}"}
    assert term.epoch == epoch + 1
    assert await one.get_account(backend.scope) is None


async def test_a_host_that_makes_no_progress_loses_its_term(backend: Backend) -> None:
    _, term = await backend.leader(ttl_ns=SECOND_NS)
    term.alive = lambda: False
    assert await soon(term.until_over()) == "not kept alive in time: the host made no progress"
    other = await backend.start("b")
    assert (await soon(other.campaign(backend.scope, above))).epoch == term.epoch + 1


async def test_a_living_holder_keeps_its_term_past_its_time_to_live(backend: Backend) -> None:
    _, term = await backend.leader(ttl_ns=SECOND_NS)
    first_deadline_ns = term.deadline_ns
    await until(lambda: boottime_ns() > first_deadline_ns + SECOND_NS)
    assert term.reason == ""
    assert term.left_ns(boottime_ns()) > 0


async def test_the_epoch_is_above_what_is_known_when_the_term_is_won(backend: Backend) -> None:
    """Not when the campaign began: meanwhile the journal may have seen more."""
    first, term = await backend.leader()
    known = EPOCH
    second = await backend.start("b")
    heard: list[Waiting] = []
    waits = asyncio.create_task(second.campaign(backend.scope, lambda: known, heard.append))
    await until(lambda: heard)
    known = 5_000
    await first.resign(term)
    assert (await soon(waits)).epoch == 5_001


async def test_epochs_go_on_when_less_is_known_than_there_was(backend: Backend) -> None:
    one, term = await backend.leader()
    await one.resign(term)
    assert (await soon(one.campaign(backend.scope, lambda: 0))).epoch == term.epoch + 1


async def test_used_up_epochs_are_named(backend: Backend) -> None:
    one = await backend.start("a")
    with pytest.raises(EpochsExhausted, match=backend.scope):
        await soon(one.campaign(backend.scope, lambda: EPOCH_MAX))


@pytest.mark.parametrize("steps", range(0, 60, 4))
async def test_a_canceled_campaign_leaves_nothing_behind(backend: Backend, steps: int) -> None:
    """Canceled after a few turns of the loop, wherever it then is; under a time to live that nothing here waits for."""
    one, other = await backend.start("a"), await backend.start("b")
    campaign = asyncio.create_task(one.campaign(backend.scope, above))
    for _ in range(steps):
        await asyncio.sleep(0.0002)
    if not campaign.done():
        campaign.cancel()
        with suppress(asyncio.CancelledError):
            await campaign
    if not campaign.cancelled():
        await one.resign(campaign.result())
    assert (await soon(other.campaign(backend.scope, above))).reason == ""


async def test_closing_ends_the_terms(backend: Backend) -> None:
    one, term = await backend.leader()
    await one.close()
    assert await soon(term.until_over()) == "coordination was closed"
    assert term.left_ns(boottime_ns()) <= 0


async def test_a_term_that_was_resigned_writes_nothing(backend: Backend) -> None:
    one, term = await backend.leader()
    await one.put_account(term, b"before")
    await one.resign(term)
    with pytest.raises(TermOver, match=backend.scope):
        await one.put_account(term, b"after")
    assert await one.get_account(backend.scope) == b"before"


async def test_a_holder_of_the_next_term_is_not_taken_for_the_last(backend: Backend) -> None:
    """The same instance, the same name: what fences is the term."""
    one, old = await backend.leader()
    await one.resign(old)
    new = await soon(one.campaign(backend.scope, above))
    with pytest.raises(TermOver):
        await one.put_account(old, b"old")
    await one.put_account(new, b"new")
    assert await one.get_account(backend.scope) == b"new"


@pytest.mark.parametrize("name", ["", "a/b", "a b", "ä", "x" * 65])
async def test_a_name_that_cannot_stand_in_a_key_is_refused(backend: Backend, name: str) -> None:
    one = await backend.start("a")
    with pytest.raises(Misconfigured, match="scope"):
        await soon(one.campaign(name, above))
    with pytest.raises(Misconfigured, match="group"):
        await one.cooldowns(name)
