"""How many questions about single orders go in the long run, so that a thousand unproven ones leave room for everything else. Pure."""

PACE_NS = 125_000_000
"""Each after its back-off: 8 a second weigh 1,920 a minute of Binance's 6,000. Chosen."""
BURST_NS = 1_000 * PACE_NS
"""So many may go at once (4,000): as many orders as a start may find unproven. Chosen."""


class Pace:
    """until_ns: what was asked or is planned is spent up to then."""

    __slots__ = ("until_ns",)

    def __init__(self) -> None:
        self.until_ns = 0

    def reserve(self, questions: int, now_ns: int) -> None:
        """So many go soon: later ones wait for them."""
        self.until_ns = max(self.until_ns, now_ns) + questions * PACE_NS

    def turn_ns(self, due_ns: int, now_ns: int) -> int:
        """When one more may go, at `due_ns` or later."""
        turn_ns = max(due_ns, self.until_ns - BURST_NS)
        self.reserve(1, now_ns)
        return turn_ns

    def is_crowded(self, now_ns: int) -> bool:
        return self.until_ns - BURST_NS > now_ns
