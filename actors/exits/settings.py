"""When exits act, and how, as configuration writes it."""

import msgspec

BPS = 10_000
PPM = 1_000_000


class ExitsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Basis points of the average price, millionths of an amount, nanoseconds; 0 switches one off. All figures chosen.

    profit_target_bps: net gain, both fees counted, at which a passive exit is placed. profit_release_bps: once the touch
    is this much short of the target again, the exit is taken back.
    break_even_trigger_bps: net gain, both fees counted, from which on break-even is defended.
    stop_loss_bps: distance from the average price traded at, no fees counted, at which the loss is taken. run_away_bps: so much
    beyond stop or break-even, the passive stage ends at once. passive_ns: how long it lasts otherwise; 0: there is none.
    cross_ticks_max: how far through the opposite touch a crossing order is priced.
    pressure_threshold: from 0 to 1; both depth_imbalance and pressure lean against the position by at least this.
    pressure_ns: for so long. pressure_stop_bps: the stop's distance while they do; 0: pressure only hurries exits.
    maker_fee_ppm, taker_fee_ppm: what the venue takes, for the fee expected of an exit and for fees in a third asset.
    cooldown_ns: the pause asked for after a loss.
    wish_life_ns: a wish that is not renewed for so long is taken back by execution; renewed at half.
    remainder_ns: a remainder too small to be ordered anew keeps its order so long (a fill may be on its way).
    """

    profit_target_bps: int = 0
    profit_release_bps: int = 0
    break_even_trigger_bps: int = 0
    stop_loss_bps: int = 0
    run_away_bps: int = 0
    passive_ns: int = 0
    cross_ticks_max: int = 0
    pressure_threshold: float = 0.0
    pressure_ns: int = 0
    pressure_stop_bps: int = 0
    maker_fee_ppm: int = 0
    taker_fee_ppm: int = 0
    cooldown_ns: int = 0
    wish_life_ns: int = 2_000_000_000
    remainder_ns: int = 1_000_000_000

    def __post_init__(self) -> None:
        if not (self.profit_target_bps or self.break_even_trigger_bps or self.stop_loss_bps or self.pressure_stop_bps):
            raise ValueError(
                "nothing would ever begin an exit; set profit_target_bps, break_even_trigger_bps or stop_loss_bps"
            )
        if self.profit_release_bps > self.profit_target_bps:
            raise ValueError("profit_release_bps lies beyond profit_target_bps; write at most the target")
        if self.stop_loss_bps + self.run_away_bps >= BPS:
            raise ValueError("stop_loss_bps and run_away_bps together reach 10000, a price of 0; write less")
        if self.pressure_stop_bps and self.stop_loss_bps and self.pressure_stop_bps >= self.stop_loss_bps:
            raise ValueError("pressure_stop_bps must lie inside stop_loss_bps; write less, or 0 for none")
        if self.pressure_stop_bps and not self.pressure_threshold:
            raise ValueError(
                "pressure_stop_bps needs a pressure_threshold; write one above 0, or pressure_stop_bps = 0"
            )
        if not 0.0 <= self.pressure_threshold <= 1.0:
            raise ValueError(f"pressure_threshold {self.pressure_threshold} is outside 0 to 1")
        if self.maker_fee_ppm >= PPM or self.taker_fee_ppm >= PPM:
            raise ValueError("maker_fee_ppm and taker_fee_ppm are millionths; write less than 1000000 (0.1 % is 1000)")
