"""`python -m tests.support.touchline_with_a_bomb`: touchline whose orders actor raises once for each time that the file named
by TOUCHLINE_MISBEHAVE is there; whoever raises takes it away."""

import os
from pathlib import Path
from typing import Any

from actors.orders import Orders
from bus.messages import ApprovedOrder, Message
from ops.cli import main

TOLD = Path(os.environ["TOUCHLINE_MISBEHAVE"])
make = Orders.__init__


def with_a_bomb(self: Orders, *arguments: Any, **named: Any) -> None:
    make(self, *arguments, **named)
    real = self.handlers[ApprovedOrder]

    def raising(message: Message, now_ns: int) -> tuple[Message, ...]:
        if TOLD.exists():
            TOLD.unlink()
            raise ZeroDivisionError("the bomb")
        return real(message, now_ns)

    self.handlers = {**self.handlers, ApprovedOrder: raising}


Orders.__init__ = with_a_bomb  # type: ignore[method-assign]  # the program under test has no such switch
main()
