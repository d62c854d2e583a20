"""The table: one measure a row, captured beside generated."""

from collections.abc import Iterator

from .measure import Study

Row = tuple[str, float, float]


def rows(captured: Study, generated: Study) -> Iterator[Row]:
    """Yield (what, captured, generated)."""
    one, two = captured, generated
    yield "seconds", one.seconds, two.seconds
    yield "updates of the book a second", one.updates_per_s, two.updates_per_s
    yield "bookTickers a second", one.tickers_per_s, two.tickers_per_s
    yield "trades a second", one.prints_per_s, two.prints_per_s
    yield "taker orders a second", one.takers_per_s, two.takers_per_s
    yield "time at a spread of one tick", one.spread_time.get(1, 0.0), two.spread_time.get(1, 0.0)
    yield "mean spread, ticks", one.spread_mean, two.spread_mean
    for horizon in sorted(one.volatility.keys() & two.volatility.keys()):
        yield f"volatility over {horizon:>2} s, ticks/sqrt(s)", one.volatility[horizon], two.volatility[horizon]
    for place, imbalance in ((0, "-1.0 to -0.8"), (2, "-0.6 to -0.4"), (7, " 0.4 to  0.6"), (9, " 0.8 to  1.0")):
        yield f"P(up), imbalance {imbalance}", one.up_by_imbalance[place], two.up_by_imbalance[place]
    for place, imbalance in ((0, "-1.0 to -0.8"), (4, "-0.2 to  0.0"), (9, " 0.8 to  1.0")):
        yield f"time at imbalance {imbalance}", one.time_by_imbalance[place], two.time_by_imbalance[place]
    for distance in one.occupied:
        yield f"occupied prices, band up to {distance} ticks", one.occupied[distance], two.occupied[distance]
    for name, first, second in (
        ("best quantity", one.best_quantity, two.best_quantity),
        ("taker order size", one.taker_size, two.taker_size),
        ("trade size", one.print_size, two.print_size),
        ("s between bookTickers", one.ticker_gap_s, two.ticker_gap_s),
        ("s between taker orders", one.taker_gap_s, two.taker_gap_s),
        ("s a best price lives", one.best_life_s, two.best_life_s),
        ("s a level lives", one.level_life_s, two.level_life_s),
        ("s a quantity stands", one.quantity_life_s, two.quantity_life_s),
    ):
        for share in (0.25, 0.5, 0.75, 0.99):
            yield f"{name}, {share:.0%}", first[share], second[share]
    yield "variation of bookTicker gaps", one.ticker_gap_variation, two.ticker_gap_variation
    yield "variation of taker gaps", one.taker_gap_variation, two.taker_gap_variation
    yield "tail exponent of taker sizes (Hill)", one.taker_tail, two.taker_tail
    for lag in one.sign_correlation:
        yield f"correlation of trade signs, lag {lag}", one.sign_correlation[lag], two.sign_correlation[lag]


def table(captured: Study, generated: Study) -> str:
    """Return it as Markdown."""
    lines = ["| measure | captured | generated |", "|---|---|---|"]
    lines += [f"| {name} | {_text(first)} | {_text(second)} |" for name, first, second in rows(captured, generated)]
    return "\n".join(lines)


def _text(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
