"""The generated market held against recorded ones: the same measures of both, as a table and as plots.

    python -m ops.market_study CAPTURE [--symbol ETHUSDT] [--out docs/explanation/market-model]

Both sides are measured on what a subscriber sees: depth@100ms, bookTicker and trade, decoded by one reader. Plots need the
extra `docs`. Reading order: generated (the other source), measure, rows, plots.
"""
