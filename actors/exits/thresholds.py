"""The prices at which something happens to a position, drawn anew whenever it changes. Pure; integers.

With q base units held (without sign) for `cost` quote units (received for them, negative, when short), s = +1 long and
-1 short, `fees` quote units of the entry still to be earned back, an exit fee of f millionths, and one price unit on one
base unit worth u = 10^(quote_scale - price_scale - base_scale) quote units: closing all at price p leaves, after all fees,

    gain(p) = s q p u - cost - fees - q p u f / 10^6

and `gain(p) = X / 10^4 * |cost|` is solved for p. Break-even is X = 0 with the taker's fee. A price is rounded toward
gain, so that reaching it is never less than what was asked for. So the hot path only compares integers.

Stops are distances from the price that was traded at: no fees, and q is what was traded (a fee in the base asset is not
held, but was bought). So a stop means the same long and short, and whatever fees are paid in.
"""

import msgspec

from actors.exits.settings import BPS, PPM, ExitsSettings
from bus.messages import Instrument

FAR = 1 << 62
"""In place of "switched off", beyond any price, so that a comparison needs no branch. What would lie farther (the whole cost
left on a few units) is cut to it: a checkpoint's integers have 64 bits.
"""


class Thresholds(msgspec.Struct, gc=False):
    """Price units; on the gaining or the losing side as `side` says (+1 long, -1 short).

    Against the touch on our own side: target, released. Against the one we could close at now: all others.
    """

    side: int = 1
    target: int = FAR
    released: int = FAR
    armed: int = FAR
    even: int = FAR
    even_run_away: int = -FAR
    pressed: int = -FAR
    stop: int = -FAR
    stop_run_away: int = -FAR


def draw(
    position: int, traded: int, cost: int, fees: int, instrument: Instrument, settings: ExitsSettings
) -> Thresholds:
    """position, traded: base units, signed. A position without a cost has no average price: nothing is reached."""
    side = 1 if position > 0 else -1
    if position * cost <= 0 or traded * cost <= 0:
        return Thresholds(side, *(side * FAR,) * 4, *(-side * FAR,) * 4)

    def net(gain_bps: int, fee_ppm: int) -> int:
        return _cut(price_of_gain(position, cost, fees, gain_bps, fee_ppm, instrument))

    def beyond(loss_bps: int) -> int:
        return _cut(price_of_gain(traded, cost, 0, -loss_bps, 0, instrument))

    target_bps, stop_bps, run_away_bps = settings.profit_target_bps, settings.stop_loss_bps, settings.run_away_bps
    maker, taker = settings.maker_fee_ppm, settings.taker_fee_ppm
    gaining, losing = side * FAR, -side * FAR
    even = net(0, taker)
    return Thresholds(
        side,
        target=net(target_bps, maker) if target_bps else gaining,
        released=net(target_bps - settings.profit_release_bps, maker) if target_bps else gaining,
        armed=net(settings.break_even_trigger_bps, taker) if settings.break_even_trigger_bps else gaining,
        even=even,
        even_run_away=_cut(even + beyond(run_away_bps) - beyond(0)) if run_away_bps else losing,
        pressed=beyond(settings.pressure_stop_bps) if settings.pressure_stop_bps else losing,
        stop=beyond(stop_bps) if stop_bps else losing,
        stop_run_away=beyond(stop_bps + run_away_bps) if stop_bps and run_away_bps else losing,
    )


def price_of_gain(position: int, cost: int, fees: int, gain_bps: int, fee_ppm: int, instrument: Instrument) -> int:
    """The price that leaves gain_bps of the cost (see above), price units, rounded toward gain."""
    side = 1 if position > 0 else -1
    wanted = abs(cost) * (BPS + side * gain_bps) + side * BPS * fees
    above: int = wanted * PPM * 10 ** (instrument.price_scale + instrument.base_scale)
    below: int = BPS * abs(position) * 10**instrument.quote_scale * (PPM - side * fee_ppm)
    return -(-above // below) if side > 0 else above // below


def _cut(price: int) -> int:
    return max(-FAR, min(price, FAR))
