"""The windows, in one place. Chosen values; a strategy that learns its own passes other ones."""

import msgspec

WINDOW_MAX = 100_000  # updates; beyond it memory, not insight, grows


class MicrostructureSettings(msgspec.Struct, frozen=True):
    """Windows count updates (at 100 ms a diff, 100 are ten seconds) and trades. depth_decay: weight e^(-decay * rank)."""

    flow_window: int = 100
    spread_window: int = 100
    trade_window: int = 100
    depth_decay: float = 0.2

    def __post_init__(self) -> None:
        for window in (self.flow_window, self.spread_window, self.trade_window):
            if not 1 <= window <= WINDOW_MAX:
                raise ValueError(f"a window counts 1 to {WINDOW_MAX} updates, not {window}")
        if not 0 <= self.depth_decay <= 10:
            raise ValueError(f"depth_decay lies in 0 to 10, not {self.depth_decay}")
