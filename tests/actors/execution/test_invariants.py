"""What holds whatever happens: a random day at one desk, with orders that answer late, never, or no."""

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.execution import Execution, ExecutionSettings, ExecutionState
from actors.execution.phases import Phase
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    CancelCommand,
    CommandDropped,
    EngineStarted,
    Fill,
    LevelQuantities,
    Message,
    OrderCommand,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    Refusal,
    SetTimer,
    Side,
    TimerFired,
    TradePrint,
    TradingState,
)
from tests.actors.execution.builders import MS, NOW, instrument, intent, position, state, touch
from tests.actors.execution.test_steady import liquidity

UNPROVEN = (OrderStatus.UNKNOWN_NEW, OrderStatus.SUSPECT, OrderStatus.PARTIALLY_FILLED, OrderStatus.ACCEPTED)


class Day:
    def __init__(self, seed: int, policy: str) -> None:
        self.settings = msgspec.convert({"replace": policy, "stale_ticks": 3}, ExecutionSettings)
        self.execution = Execution(self.settings)
        self.random, self.now, self.number = Random(seed), NOW, 0
        self.live: dict[str, OrderCommand] = {}
        self.canceled_ns: dict[str, int] = {}
        self.bid, self.active, self.book = 100, False, False
        self.timer: SetTimer | None = None
        self.inputs: list[tuple[Message, int]] = []
        self.outputs: list[tuple[Message, ...]] = []
        self.orders = self.cancels = self.exits = self.crossing = 0
        self.position = self.random.choice([-60, 60])
        for message in (instrument(), EngineStarted(0, 1), position(self.position), self._state(), self._touch()):
            self.tell(message)

    # Inputs

    def step(self) -> None:
        self.now += self.random.choice([0, 1, 20, 60, 400]) * MS
        if self.timer is not None and self.now >= self.timer.fires_ns:
            fired, self.timer = self.timer, None
            self.tell(TimerFired(fired.actor, fired.counter, fired.generation, fired.fires_ns))
        kind = self.random.random()
        if kind < 0.35:
            self.tell(self._intent())
        elif kind < 0.6:
            if not self.book:
                self.tell(BookStateChanged(0, BookState.LIVE, BookReason.REORDERED, 0))
            self.tell(self._touch())
        elif kind < 0.83:
            self._answer()
        elif kind < 0.86:
            self.tell(self._exits())
        elif kind < 0.9:
            self.tell(self._news())
        elif kind < 0.93:
            self.book = False
            self.tell(BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 0))
        else:
            self.tell(self._state())

    def _intent(self) -> Message:
        bid = self.bid + self.random.randint(-4, 3)
        ask = self.bid + self.random.randint(-1, 5)
        lots = [self.random.choice([0, 8, 10, 14]) for _ in range(2)]
        life = self.random.choice([0, 200, 5_000]) * MS
        return intent(bid, lots[0], ask, lots[1], expires_ns=self.now + life)

    def _exits(self) -> Message:
        """Sell some of what is held or buy it back, resting or crossing; or nothing any more."""
        lots = self.random.choice([0, abs(self.position), abs(self.position), 5, 50])
        sells, price = self.position > 0, self.bid + self.random.randint(-2, 4)
        life, cross = self.random.choice([50, 500, 5_000]) * MS, self.random.random() < 0.4
        sides = (price, 0, price, lots) if sells else (price, lots, price, 0)
        return intent(*sides, owner="exits", reduce_only=True, cross=cross, expires_ns=self.now + life)

    def _news(self) -> Message:
        """What concerns queues and the steadiness of levels: it may hold orders back, and break no rule."""
        near = self.bid + self.random.randint(-4, 4)
        lots = self.random.randint(0, 60)
        return self.random.choice(
            [
                LevelQuantities(0, 1, 7, self.now, (near,), (lots,), (near + 3,), (lots,)),
                TradePrint(0, 1, 1, self.now, self.now, near, lots, self.random.choice(list(Side))),
                liquidity(
                    bid_thin=lots < 20, ask_thin=lots > 40, bid_flickering=(near,), ask_flickering=(near + 2, near + 3)
                ),
            ]
        )

    def _touch(self) -> Message:
        self.book = True
        self.bid += self.random.randint(-3, 3)
        return touch(self.bid, self.bid + self.random.randint(1, 4), bid_quantity=self.random.choice([5, 50]))

    def _state(self) -> Message:
        to = self.random.choice([TradingState.ACTIVE, TradingState.ACTIVE, TradingState.ACTIVE, TradingState.HALTED])
        self.active = to is TradingState.ACTIVE
        return state(to)

    def _answer(self) -> None:
        if self.live:
            order = self.random.choice(list(self.live))
            ends = [OrderStatus.CANCELED] if order in self.canceled_ns else [OrderStatus.FILLED, OrderStatus.REJECTED]
            self.update(order, self.random.choice([*UNPROVEN, *ends, *ends]))

    def update(self, order: str, status: OrderStatus) -> None:
        """A full execution is told as the orders actor does: Fill, OrderUpdate, and then portfolio's PositionUpdate."""
        command = self.live[order]
        done, filled = status >= OrderStatus.FILLED, status is OrderStatus.FILLED
        self.number += 1
        lots = command.quantity_lots
        if filled:
            sold = (command.side, 0, lots, lots, 0, 0, "", True, False, self.now)
            self.tell(Fill(self.number, 0, 0, 0, 1, command.owner, order, 1, self.number, *sold))
            self.position += command.side * lots
        if done:
            del self.live[order]
            self.canceled_ns.pop(order, None)
        self.tell(
            OrderUpdate(
                self.number, 0, 0, 0, 1, command.owner, order, 1, command.command, command.side, command.price_ticks,
                lots, lots if filled else 0, 0 if done else lots, status, False, Refusal.NONE, self.now,
            )
        )  # fmt: skip
        if filled:
            self.tell(position(self.position))

    # Outputs

    def tell(self, message: Message) -> None:
        out = self.execution.receive(message, self.now)
        self.inputs.append((message, self.now))
        self.outputs.append(out)
        fresh = [m for m in out if isinstance(m, OrderCommand)]
        for cancel in (m for m in out if isinstance(m, CancelCommand)):
            self._check_cancel(cancel)
        for command in fresh:
            self._check_order(command)
        for timer in (m for m in out if isinstance(m, SetTimer)):
            assert self.timer is None, "one timer at a time"
            self.timer = timer
        for command in fresh:  # orders answers in the same cascade
            fate = self.random.random()
            if fate < 0.1:
                self.tell(OrderRefused(0, command.owner, command.command, command.side, Refusal.ORDER_RATE))
            elif fate < 0.15:
                self.tell(CommandDropped(0, command.owner, command.command, ""))
            else:
                self.live[f"x{command.command}"] = command
                self.update(f"x{command.command}", OrderStatus.PENDING_NEW)
        self.check()

    def _check_cancel(self, cancel: CancelCommand) -> None:
        order = cancel.client_order_id
        assert order in self.live, "canceled what is done"
        assert self.now - self.canceled_ns.get(order, -(10**12)) >= self.settings.cancel_timeout_ns
        self.canceled_ns[order] = self.now
        self.cancels += 1

    def _check_order(self, command: OrderCommand) -> None:
        now = self.execution.register.markets[0].touch
        assert self.active
        assert self.book
        assert now is not None
        assert self.now < command.expires_ns
        if command.post_only:
            assert command.price_ticks < now.ask if command.side > 0 else command.price_ticks > now.bid
        for other in self.live.values():
            assert other.side == command.side or (command.price_ticks - other.price_ticks) * command.side < 0
        if command.owner == "exits":
            self._check_exit(command)
        else:
            assert command.post_only
            assert not self._exits_rule(), "a strategy's order while exits wish something"
        self.orders += 1

    def _check_exit(self, command: OrderCommand) -> None:
        """Everything that works on its side, and the order itself, may fill, and the position is not turned."""
        working = sum(other.quantity_lots for other in self.live.values() if other.side == command.side)
        assert command.reduce_only
        assert working + command.quantity_lots <= -command.side * self.position
        self.exits += 1
        self.crossing += not command.post_only

    def _exits_rule(self) -> bool:
        target = next((d.target for d in self.execution.register.markets[0].desks if d.owner == "exits"), None)
        return target is not None and bool(target.bid_lots + target.ask_lots) and self.now < target.expires_ns

    def check(self) -> None:
        for desk in self.execution.register.markets[0].desks:
            for slot in (desk.buy, desk.sell):
                resting = [o for o in slot.orders if o.phase not in (Phase.CANCELING, Phase.DOOMED)]
                assert len(resting) <= 1
                assert len(slot.orders) <= (2 if self.settings.replace == "together" else 1)
                if not (self.active and self.book):
                    assert not resting, "something is left resting"
        known = self.execution.register.places
        assert set(known) <= set(self.live)
        waiting = bool(self.execution.register.requested)
        assert waiting or set(known) == set(self.live)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["together", "after_cancel"]))
def test_no_day_breaks_a_rule_of_the_desk(seed: int, policy: str) -> None:
    """Goal: `check`, `_check_order` and `_check_cancel` after every step. At the end all is canceled and known gone."""
    day = Day(seed, policy)
    for _ in range(80):
        day.step()
    day.active = False
    day.tell(state(TradingState.HALTED, "instrument:0"))
    assert set(day.canceled_ns) == set(day.live)
    for order in list(day.live):
        day.update(order, OrderStatus.CANCELED)
    assert day.execution.view()["orders"] == []


def test_a_day_has_orders_and_cancels() -> None:
    """Without this the property above could hold because nothing ever happened."""
    days = [Day(seed, "together") for seed in range(40)]
    for day in days:
        for _ in range(80):
            day.step()
    assert sum(day.orders for day in days) > 200
    assert sum(day.cancels for day in days) > 100
    assert sum(day.exits for day in days) > 20
    assert 0 < sum(day.crossing for day in days) < sum(day.exits for day in days)
    for counter in ("stale_cancels", "intents_outranked", "steps_back"):
        assert sum(day.execution.counters[counter] for day in days) > 0, counter


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_restored_at_any_step_it_answers_the_rest_alike(seed: int) -> None:
    day = Day(seed, "together")
    for _ in range(25):
        day.step()
    actor = Execution(day.settings)
    for k, (message, now_ns) in enumerate(day.inputs):
        saved = msgspec.msgpack.encode(actor.checkpoint())
        fresh = Execution(day.settings)
        fresh.restore(msgspec.msgpack.decode(saved, type=ExecutionState))
        assert msgspec.msgpack.encode(fresh.checkpoint()) == saved
        assert [fresh.receive(*rest) for rest in day.inputs[k:]] == day.outputs[k:]
        actor.receive(message, now_ns)
