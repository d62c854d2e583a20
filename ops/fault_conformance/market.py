"""Rows of market data and its connections."""

from .row import Row

MARKET = (
    Row(
        "market-drop-depth", "market-drop", 'stream = "depth"',
        "loses an update of the book",
        "the book is INVALID (SEQUENCE_GAP) before another price is read of it, the quotes are pulled, a snapshot makes it LIVE again",
        "test_market.py::test_a_lost_update_takes_the_book_away_until_it_is_whole",
    ),
    Row(
        "market-drop-trade", "market-drop", 'stream = "trade"',
        "loses public trades",
        "the hole in the ids is seen, the trades are asked for over REST and told in their place; the book is not touched",
        "test_market.py::test_lost_trades_are_asked_for_and_told",
    ),
    Row(
        "market-drop-quote", "market-drop", 'stream = "bookTicker"',
        "loses best quotes",
        "nothing: prices come from the book, quotes only check it",
        "test_market.py::test_lost_best_quotes_change_nothing",
    ),
    Row(
        "market-double", "market-double", 'stream = "all"',
        "sends every frame twice",
        "the book stays LIVE, each trade counts once",
        "test_market.py::test_what_comes_twice_counts_once",
    ),
    Row(
        "market-reorder", "market-reorder", 'stream = "depth"',
        "two updates of the book change places",
        "INVALID at the first, LIVE at the second without a snapshot, for it was only late",
        "test_market.py::test_updates_that_change_places_need_no_snapshot",
    ),
    Row(
        "market-reorder-trade", "market-reorder", 'stream = "trade"',
        "two public trades change places",
        "the later one waits for the earlier: told in the order of their ids, none missed. (A second hole within a second is not waited for: TradesMissed says so.)",
        "test_market.py::test_trades_that_change_places_are_told_in_order",
    ),
    Row(
        "market-corrupt-json", "market-corrupt", 'how = "json"',
        "sends an update that is no JSON",
        "counted and told (feed_garbage); what it left out is a gap: INVALID, then LIVE",
        "test_market.py::test_an_update_that_cannot_be_read_is_a_lost_one",
    ),
    Row(
        "market-corrupt-truncated", "market-corrupt", 'how = "truncated"',
        "sends half of an update",
        "the same",
        "test_market.py::test_an_update_that_cannot_be_read_is_a_lost_one",
    ),
    Row(
        "market-corrupt-sequence", "market-corrupt", 'how = "sequence"',
        "sends an update whose ids have moved on",
        "a gap: INVALID, then LIVE",
        "test_market.py::test_ids_that_moved_on_are_a_gap",
    ),
    Row(
        "market-corrupt-price", "market-corrupt", 'how = "price"',
        "sends an update with a price ten times too high",
        "what it does to the top of the book is found: at once where bids meet asks, else by the venue's own best quote; INVALID, then "
        "LIVE from a snapshot, and no order beyond the collar. (A wrong level behind the top shows in nothing this venue sends.)",
        "test_market.py::test_a_wrong_price_is_found_out",
    ),
    Row(
        "market-delay", "market-delay", "",
        "sends everything late, in order",
        "the feed's age is measured by its stamps; beyond feed_lag_max_ms orders that increase a position are refused (FEED_LATE) until it has been in time for five seconds",
        "test_virtual.py::test_a_late_feed_holds_back_what_increases",
    ),
    Row(
        "market-stall-depth", "market-stall", 'stream = "depth"',
        "is silent about the book; sockets, trades and quotes go on",
        "STALE (SILENT) within seconds and the quotes pulled; LIVE again with or without a snapshot",
        "test_market.py::test_a_silent_book_is_not_believed",
    ),
    Row(
        "market-stall-all", "market-stall", 'stream = "all"',
        "is silent altogether, with healthy pongs",
        "STALE, quotes pulled, the connection dialed anew; LIVE when it speaks",
        "test_virtual.py::test_a_silent_connection_is_dialed_anew",
    ),
    Row(
        "snapshot-stale", "snapshot-stale", "age_s = 5",
        "answers with a snapshot older than what we have buffered",
        "it is refused and asked for again; the book is not LIVE before one bridges to the updates",
        "test_market.py::test_an_old_snapshot_makes_no_book",
    ),
)  # fmt: skip

CONNECTIONS = (
    Row(
        "disconnect-market", "disconnect", 'connections = "market"',
        "cuts the market data connections",
        "the book is lost and the quotes are pulled, at once; dialed anew, LIVE from a snapshot",
        "test_connections.py::test_a_cut_feed_pulls_the_quotes_and_comes_back",
    ),
    Row(
        "disconnect-api", "disconnect", 'connections = "api"',
        "cuts the order connection, with orders working, and fills them meanwhile",
        "CANCEL_ONLY, every order SUSPECT; private stream first, then open orders, trades and balances, leftovers canceled; "
        "fills of meanwhile booked once; ACTIVE",
        "test_connections.py::test_a_cut_order_connection_is_reconciled_before_trading_goes_on",
    ),
    Row(
        "disconnect-all", "disconnect", 'connections = "all"',
        "cuts everything, three times",
        "both of the above",
        "test_connections.py::test_everything_cut_again_and_again",
    ),
    Row(
        "server-shutdown", "server-shutdown", "seconds = 2",
        "announces its shutdown on market connections, then cuts them",
        "a second connection takes over before the cut: the book stays LIVE and quoting goes on",
        "test_connections.py::test_an_announced_shutdown_is_rolled_over",
    ),
)  # fmt: skip
