"""The real command line as processes: what a person who got something wrong sees."""

import os
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT_S = 90.0

CONFIG = """
[venue]
kind = "binance-spot"
rest = "{rest}"
streams = "{streams}"
websocket_api = "{websocket_api}"

[[instrument]]
symbol = "BTCUSDT"
order_max = "0.01"
position_max = "0.02"
position_min = "-0.02"

[strategy.parameters]
quantity_lots = 100
max_position_lots = 1000
min_position_lots = -1000
"""


class Ended:
    """A process that ran to its end."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def log(self) -> str:
        return "\n".join(self.err.splitlines()[:-1])

    def refused(self, *told: str) -> str:
        """Assert exit code 2 and one readable line at the end of stderr with all of `told`; return it."""
        assert self.code == 2, (self.code, self.err)
        assert "Traceback" not in self.err, self.err
        line = self.err.splitlines()[-1]
        assert line.startswith("touchline "), self.err
        for text in told:
            assert text in line, line
        assert self.out == ""
        return line


class Running:
    """`python -m ops.cli` as a child with credentials of its own."""

    def __init__(self, *arguments: str, **credentials: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHLINE_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ops.cli", *arguments],
            cwd=ROOT,
            env=environment | credentials,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> Ended:
        try:
            out, err = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"still running after {LIMIT_S} s: {err}") from None
        return Ended(self.process.returncode, out, err)

    def read_until(self, *texts: str) -> str:
        """stderr until each text was seen, whatever came first; the rest stays for `end`. Kills what says nothing."""
        assert self.process.stderr is not None
        guard = threading.Timer(LIMIT_S, self.process.kill)
        guard.start()
        seen = ""
        try:
            for line in self.process.stderr:
                seen += line
                if all(text in seen for text in texts):
                    return seen
        finally:
            guard.cancel()
        raise AssertionError(f"it ended without {texts}: {seen}")


def touchline(*arguments: str, **credentials: str) -> Ended:
    return Running(*arguments, **credentials).end()


class Venue:
    """`touchline venue` as a child."""

    def __init__(self, *arguments: str) -> None:
        self.running = Running("venue", "--control", *arguments)
        assert self.running.process.stdout is not None
        lines = [self.running.process.stdout.readline() for _ in range(5)]
        self.told = dict(line.strip().split(": ", 1) for line in lines)
        self.keys = {"TOUCHLINE_API_KEY": self.told["api_key"], "TOUCHLINE_API_SECRET": self.told["api_secret"]}

    def config(self, *changes: tuple[str, str]) -> str:
        text = CONFIG.format(**self.told)
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text

    def stop(self) -> None:
        self.running.process.terminate()
        self.running.end()
