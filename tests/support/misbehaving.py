"""Strategies that quote as JoinTouch does until the file named by TOUCHLINE_MISBEHAVE is there; then they misbehave."""

import os
import time
from pathlib import Path

from actors.strategy import Context
from actors.strategy.examples.join_touch import JoinTouch, Parameters
from bus.messages import Signals

__all__ = ["Hanging", "Parameters", "Raising", "Slow", "Swallowing"]

MISBEHAVE = "TOUCHLINE_MISBEHAVE"


class Misbehaving(JoinTouch):
    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.told = Path(os.environ[MISBEHAVE])

    def on_signals(self, context: Context, signals: Signals) -> None:
        super().on_signals(context, signals)
        if self.told.exists():
            self.misbehave()

    def misbehave(self) -> None:
        raise NotImplementedError


class Raising(Misbehaving):
    def misbehave(self) -> None:
        raise ZeroDivisionError("as a user's code does")


class Slow(Misbehaving):
    def misbehave(self) -> None:
        time.sleep(0.02)


class Hanging(Misbehaving):
    def misbehave(self) -> None:
        while True:
            pass


class Swallowing(Misbehaving):
    def misbehave(self) -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:  # noqa: BLE001 - what it is about
                pass
