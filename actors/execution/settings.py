"""How execution turns wishes into orders, as configuration writes it."""

from typing import Literal

import msgspec


class ExecutionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ticks, lots and nanoseconds. Figures without a source are chosen; what would change them stands beside them.

    reprice_ticks: an order is moved toward the touch only when the wish differs by at least this much. Away from the
    touch it is moved at once: no hysteresis toward danger.
    quantity_change_ppm: a wish for more or fewer lots is acted on beyond this relative difference.
    order_life_ns_min: before a move that is not urgent (venues count orders; a queue place is worth waiting for).
    replace: "together" sends the new order in the cascade of the old one's cancel, "after_cancel" waits for its end
    (one order's exposure instead of two; the market is left for a round trip).
    cancel_timeout_ns, cancel_attempts_max: a cancel without an end is sent again, then an alert calls a person.
    request_timeout_ns: a command nobody answered is alerted; never assumed dead.
    backoff_ns_min, backoff_ns_max: after a refusal, doubling, until an order is accepted (Krypto#987: the identical
    rejected request 300,000 times in 5 hours).
    stale_ticks: the opposite touch came this much closer since the wish was made, and our order stands alone before it.
    sweep_ns: how often timeouts, expired wishes and waiting sides are looked at while there are any.
    keep_place, keep_ahead_ppm: whether a place in a queue is kept (pricing.py), and the share of the others at its price
    that may be ahead of it: 250,000 is the first quarter. A fill model of the venue would change it.
    avoid_flicker, step_back_on_thin_ice, thin_ice_hold_ns: steady.py. The hold bounds how often a finding that comes and
    goes moves an order: once a second and side.
    book_lag_ns: the longest way of a public update. A book received this much later than an acceptance contains the order
    (the update was made after it). Longer is safe: until then the whole level counts as ahead.
    adopted_ns: how long an adopted order may rest while a new run has no LIVE book or no wish of its owner. Books come up in
    one or two seconds; longer is a stale quote, shorter gives up the places in queues that adopting is for.
    fills_due_ns: how long nothing is reduced while the PositionUpdate of a fill is missing; then risk alone judges.
    """

    reprice_ticks: int = 1
    quantity_change_ppm: int = 200_000
    order_life_ns_min: int = 50_000_000
    replace: Literal["together", "after_cancel"] = "together"
    cancel_timeout_ns: int = 1_000_000_000
    cancel_attempts_max: int = 5
    request_timeout_ns: int = 5_000_000_000
    backoff_ns_min: int = 100_000_000
    backoff_ns_max: int = 5_000_000_000
    stale_ticks: int = 10
    sweep_ns: int = 100_000_000
    keep_place: bool = True
    keep_ahead_ppm: int = 250_000
    avoid_flicker: bool = True
    step_back_on_thin_ice: bool = True
    thin_ice_hold_ns: int = 1_000_000_000
    book_lag_ns: int = 100_000_000
    fills_due_ns: int = 1_000_000_000
    adopted_ns: int = 5_000_000_000

    def __post_init__(self) -> None:
        if self.reprice_ticks < 1 or self.cancel_attempts_max < 1:
            raise ValueError("reprice_ticks and cancel_attempts_max must be at least 1")
        if not 0 < self.backoff_ns_min <= self.backoff_ns_max:
            raise ValueError("0 < backoff_ns_min <= backoff_ns_max")
        if not 0 <= self.keep_ahead_ppm <= 1_000_000:
            raise ValueError("keep_ahead_ppm is a share: 0 to 1,000,000")
