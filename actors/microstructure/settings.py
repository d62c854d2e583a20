"""Windows and thresholds, in one place. Chosen values; a strategy that learns its own passes other ones.

With them, of the 6,469 views of a recorded ETHUSDT (11 minutes of 2024-08-08, `touchline signals`): 6 % stood on thin ice
below the bid and 9 % above the ask, 11 and 16 % had a cluster, 4 and 6 % a flickering level, none at the touch (0.3 %
with a window of 3 s); 1.5 Liquidity a second.
"""

import msgspec

MS = 1_000_000

BOUNDS: dict[str, tuple[int, int]] = {
    "flow_window": (1, 100_000),  # beyond it memory, not insight, grows
    "spread_window": (1, 100_000),
    "depth_decay": (0, 10),
    "pressure_window_ms": (1, 600_000),
    "sweep_window_ms": (0, 1_000),
    "sweep_levels": (2, 1_000),
    "liquidity_interval_ms": (50, 60_000),
    "cluster_multiple": (2, 1_000),
    "cluster_stood_ms": (0, 600_000),
    "usual_scans": (1, 1_000),
    "gap_multiple": (2, 1_000),
    "thin_level_pct": (0, 100),
    "thin_levels": (1, 100),
    "depth_ticks": (1, 1_000_000),
    "flicker_window_ms": (100, 60_000),
    "flicker_per_second": (1, 20),
    "flicker_interval_ms": (10, 1_000),
}
"""Least and most of each. The interval's least is the limit on how often Liquidity is sent: 20 times a second."""


class MicrostructureSettings(msgspec.Struct, frozen=True):
    """flow_window, spread_window: updates (at 100 ms a diff, 100 are ten seconds). depth_decay: weight e^(-decay * rank).

    pressure_window_ms: of pressure and sweeps. sweep_window_ms, sweep_levels: what makes a sweep (see pressure.py).
    liquidity_interval_ms: how often the shape is read; Liquidity is sent at most so often. cluster_multiple, cluster_stood_ms,
    usual_scans, gap_multiple, thin_level_pct, thin_levels, depth_ticks: see liquidity.py.
    flicker_per_second: appearances and cancels of one level, averaged over flicker_window_ms, looked for every
    flicker_interval_ms at most (see flicker.py).
    """

    flow_window: int = 100
    spread_window: int = 100
    depth_decay: float = 0.2
    pressure_window_ms: int = 5_000
    sweep_window_ms: int = 5
    sweep_levels: int = 2
    liquidity_interval_ms: int = 250
    cluster_multiple: int = 10
    cluster_stood_ms: int = 1_000
    usual_scans: int = 240
    gap_multiple: int = 5
    thin_level_pct: int = 10
    thin_levels: int = 2
    depth_ticks: int = 10
    flicker_window_ms: int = 5_000
    flicker_per_second: int = 2
    flicker_interval_ms: int = 50

    def __post_init__(self) -> None:
        for field, (least, most) in BOUNDS.items():
            value = getattr(self, field)
            if not least <= value <= most:
                raise ValueError(f"{field}: {value} is out of range; write {least} to {most}")
        if self.flicker_interval_ms > self.liquidity_interval_ms:
            raise ValueError(
                f"flicker_interval_ms: {self.flicker_interval_ms} is more than liquidity_interval_ms, and the shape is that of a look; "
                f"write at most {self.liquidity_interval_ms}"
            )

    @property
    def flips_min(self) -> int:
        """Flips in the window that make a level flicker."""
        return max(1, self.flicker_per_second * self.flicker_window_ms // 1_000)
