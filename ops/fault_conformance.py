"""What the engine does when the venue fails: one row a fault and way of it, each with the test that shows it.

docs/reference/fault-conformance.md is made of this table, and the tests in tests/faults take their marks from it: a row
that a later part will satisfy names that part in `later`, its test is expected to fail, and the day it passes the suite
says that the mark must go. Every kind of fault and every kill point of the simulated venue has a row.
"""

from typing import NamedTuple

RECONCILIATION = "continuous reconciliation: the private stream's own SUSPECT state"
RATE_LIMITS = "the weight-aware rate limiter, with what the venue says about coming back"


class Row(NamedTuple):
    """fault: kind or kill point of the simulated venue. how: its parameters, in a file's words. test: file::function."""

    name: str
    fault: str
    how: str
    venue: str
    engine: str
    test: str
    later: str = ""


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

REQUESTS = (
    Row(
        "request-delay", "request-delay", "delay_ms = 300",
        "works on new orders late",
        "patience: one order each, sent once, and never taken for lost, not even when a cancel of it comes too early and is refused",
        "test_requests.py::test_a_slow_venue_is_waited_for",
    ),
    Row(
        "request-delay-beyond", "request-delay", "delay_ms beyond recvWindow",
        "gets to new orders after their deadline",
        "the venue refuses (-1021), a definite no: REJECTED, the reservation is released, trading goes on",
        "test_requests.py::test_an_order_past_its_own_deadline_is_refused_by_the_venue",
    ),
    Row(
        "request-lost-place", "request-lost", 'operation = "place"',
        "loses a new order: neither done nor answered",
        "UNKNOWN_NEW with full risk; not believed absent before deadline and processing bound are over and two queries and the "
        "trades agree; then REJECTED. Never sent again",
        "test_virtual.py::test_a_lost_order_is_given_up_on_the_venues_word_alone",
    ),
    Row(
        "request-lost-cancel", "request-lost", 'operation = "cancel"',
        "loses a cancel",
        "UNKNOWN_CANCEL, still counted; a query finds it working, and it is canceled again",
        "test_requests.py::test_a_lost_cancel_is_sent_again",
    ),
    Row(
        "unknown-done", "unknown", 'code = -1007 or -1006, status = 500 to 504; outcome = "done"',
        "says that it does not know, and did it",
        "ambiguous, never a no: the order is UNKNOWN until stream or query prove it, and it counts once",
        "test_requests.py::test_an_unknown_outcome_that_was_done_counts_once",
    ),
    Row(
        "unknown-not-done", "unknown", 'the same; outcome = "not-done"',
        "says that it does not know, and did nothing",
        "as request-lost: reserved until the venue's word, then REJECTED; nothing is sent again",
        "test_virtual.py::test_an_unknown_outcome_that_was_not_done_ends_by_queries",
    ),
    Row(
        "unknown-cancel", "unknown", 'operation = "cancel"; outcome = "either"',
        "does not say whether it canceled",
        "UNKNOWN_CANCEL until a report or a query says which; canceled in the end",
        "test_requests.py::test_an_unknown_cancel_is_asked_about",
    ),
    Row(
        "unknown-query", "unknown", 'door = "rest"; status = 503',
        "fails to answer questions",
        "nothing is concluded (look_failed), each is asked again until it is answered",
        "test_requests.py::test_questions_that_fail_are_asked_again",
    ),
    Row(
        "rate-limited-place", "rate-limited", 'operation = "place"',
        "refuses orders with 429",
        "a definite no: REJECTED and released, nothing UNKNOWN; trading goes on",
        "test_requests.py::test_a_rate_limit_is_a_definite_no",
    ),
    Row(
        "rate-limited-orders-wait", "rate-limited", 'operation = "place"; retry_s = 1',
        "says when to come back",
        "no new order leaves before that",
        "test_requests.py::test_no_order_leaves_before_the_venue_wants_it",
        RATE_LIMITS,
    ),
    Row(
        "rate-limited-query", "rate-limited", 'door = "rest"; retry_s = 1',
        "refuses questions with 429 and Retry-After",
        "nothing is asked at that address before, nothing is concluded; then the questions are asked again",
        "test_requests.py::test_questions_wait_as_long_as_the_venue_says",
    ),
    Row(
        "banned", "banned", "seconds = 1",
        "answers 418 to everything for a while, and closes the order connection",
        "CANCEL_ONLY: no order leaves before the ban is over; then reconnected and reconciled, fills of meanwhile booked once, ACTIVE",
        "test_requests.py::test_a_ban_is_sat_out",
    ),
)  # fmt: skip

ANSWERS = (
    Row(
        "answer-delay", "answer-delay", "delay_ms = [100, 900]",
        "acknowledges late; the events come in time",
        "the reports are taken as they come, the late answer changes nothing",
        "test_answers.py::test_a_late_answer_changes_nothing",
    ),
    Row(
        "answer-lost", "answer-lost", 'operation = "place"',
        "never acknowledges; the order lives and its events come",
        "ACCEPTED by its report; one order, fills counted once",
        "test_answers.py::test_an_order_without_an_answer_is_proven_by_its_report",
    ),
    Row(
        "answer-lost-blind", "answer-lost", 'with user-drop',
        "never acknowledges, and loses the report too",
        "UNKNOWN_NEW with full risk after the answer's time is over; a query finds it working, and it is adopted as it is",
        "test_answers.py::test_an_order_without_answer_and_report_is_found_by_a_query",
    ),
    Row(
        "answer-lost-cancel", "answer-lost", 'operation = "cancel"',
        "cancels and never says so, but by the report",
        "CANCELED by its report",
        "test_answers.py::test_a_cancel_without_an_answer_is_proven_by_its_report",
    ),
    Row(
        "answer-double", "answer-double", "",
        "acknowledges twice",
        "the second one changes nothing: no second order, no second cancel",
        "test_answers.py::test_two_answers_are_one",
    ),
    Row(
        "answer-cut", "answer-cut", 'operation = "place"',
        "does it, and cuts the connection instead of answering",
        "AMBIGUOUS, CANCEL_ONLY; the reconnect's look finds the order, and cancels it as a leftover; then ACTIVE",
        "test_answers.py::test_an_order_whose_answer_was_cut_off_is_found",
    ),
    Row(
        "events-first", "events-first", "",
        "sends the events before the acknowledgement",
        "the report makes it ACCEPTED or filled, and the acknowledgement behind it moves nothing back",
        "test_answers.py::test_events_before_the_answer_are_taken_as_they_come",
    ),
    Row(
        "fill-after-cancel", "fill-after-cancel", "stale = true",
        "tells a fill after the order's CANCELED report",
        "booked, as a late fill; position and ledger are right, the order stays CANCELED",
        "test_answers.py::test_a_fill_after_the_cancel_is_booked",
    ),
    Row(
        "fill-after-cancel-known", "fill-after-cancel", "stale = false",
        "the CANCELED report tells an executed quantity whose fill comes later",
        "SUSPECT while executions are missing, then CANCELED; booked once",
        "test_answers.py::test_a_fill_that_the_cancel_announces_is_waited_for",
    ),
    Row(
        "query-lag", "query-lag", "lag_ms = 8000, with answer-lost and user-drop",
        'answers "does not exist" for an order that lives, because its replica lags',
        "not believed while the order is younger than its deadline and the processing bound; found when the replica knows it",
        "test_virtual.py::test_not_found_is_not_believed_of_a_young_order",
    ),
    Row(
        "query-lag-list", "query-lag", "lag_ms = 3000",
        "its lists leave out new orders, and show done ones",
        "either is a question, never a conclusion: no order is dropped or doubled by it",
        "test_queries.py::test_an_old_list_concludes_nothing",
    ),
)  # fmt: skip

PRIVATE_STREAM = (
    Row(
        "user-drop", "user-drop", "",
        "loses every report for a while, fills among them",
        "the looks at open orders and trades find what is missing: booked once, from the trades",
        "test_private_stream.py::test_lost_reports_are_found_by_looking",
    ),
    Row(
        "user-double", "user-double", "",
        "sends every report twice",
        "each fill is booked once",
        "test_private_stream.py::test_reports_that_come_twice_count_once",
    ),
    Row(
        "user-reorder", "user-reorder", "",
        "reports change places",
        "an order's facts are a join: it ends where it would have",
        "test_private_stream.py::test_reports_in_another_order_end_the_same",
    ),
    Row(
        "user-delay", "user-delay", "delay_ms = [200, 600]",
        "sends reports late",
        "answers and queries carry what they prove; nothing is lost or doubled when the reports come",
        "test_private_stream.py::test_late_reports_end_the_same",
    ),
    Row(
        "user-stall", "user-stall", "seconds = 3",
        "is silent about the account, with healthy pongs",
        "the looks find what it did not say; fills booked once",
        "test_private_stream.py::test_a_silent_private_stream_loses_no_fill",
    ),
    Row(
        "user-stall-suspect", "user-stall", "seconds = 3",
        "is silent although requests of ours are answered",
        "noticed by itself: the stream is SUSPECT, said by an alert (private_stream_suspect), and the orders are asked about at once",
        "test_private_stream.py::test_a_silent_private_stream_is_noticed",
        RECONCILIATION,
    ),
    Row(
        "user-end", "user-end", "",
        "ends the subscription (eventStreamTerminated)",
        "as a cut: CANCEL_ONLY, a new session, reconciled, ACTIVE",
        "test_private_stream.py::test_an_ended_subscription_is_opened_again",
    ),
    Row(
        "expired-in-match", "expired-in-match", "",
        "expires orders of ours as by self-trade prevention",
        "EXPIRED by the report, released; the quote comes back",
        "test_private_stream.py::test_an_order_expired_by_the_venue_is_over",
    ),
    Row(
        "unknown-status", "unknown-status", 'status = "FROZEN"',
        "uses a word for an order's state that nobody knows",
        "told (unknown_order_status), the order UNKNOWN and asked about; its fills are booked, every other order goes on, no list is dropped",
        "test_private_stream.py::test_an_unknown_word_is_told_and_drops_nothing",
    ),
)  # fmt: skip

VENUE = (
    Row(
        "clock-skew", "clock-skew", "offset_ms = 300",
        "its clock steps by less than we allow",
        "the estimate follows, requests are stamped by it, orders go on",
        "test_venue.py::test_a_small_step_of_the_venues_clock_is_followed",
    ),
    Row(
        "clock-skew-beyond", "clock-skew", "offset_ms = -4000",
        "its clock steps by more than we allow",
        "CANCEL_ONLY (clock_off) as soon as the venue's time was asked, ACTIVE when it is back; what was sent meanwhile is refused (-1021)",
        "test_venue.py::test_a_venue_whose_clock_is_off_is_not_traded_on",
    ),
    Row(
        "clock-skew-asked", "clock-skew", "offset_ms = -4000",
        "refuses a request for its timestamp (-1021)",
        "the venue's time is asked at once, not at the next turn: CANCEL_ONLY after one refusal, not after a storm of them",
        "test_venue.py::test_a_refused_timestamp_asks_the_time_at_once",
    ),
    Row(
        "halt", "halt", 'status = "BREAK"; seconds = 2',
        "does not trade the symbol for a while",
        "orders are refused, a definite no; the metadata's next reading makes the instrument CANCEL_ONLY, and ACTIVE again behind it",
        "test_venue.py::test_a_halted_symbol_is_left_alone_until_it_trades",
    ),
    Row(
        "filters", "filters", 'tick_size = "0.05"; step_size = "0.0001"',
        "changes the grid while orders rest",
        "what does not fit is refused, a definite no; a new version of the instrument once nothing of ours rests, and orders on the new grid",
        "test_venue.py::test_another_grid_is_taken_over_while_orders_rest",
    ),
    Row(
        "balance-wrong", "balance-wrong", 'asset = "USDT"; amount = "-100"',
        "tells a wrong balance",
        "at the next comparison, when nothing works: ledger_differs, told by asset and amounts, and REDUCING; no order is canceled for an event's balance",
        "test_venue.py::test_a_wrong_balance_leaves_only_what_reduces",
    ),
    Row(
        "balance-wrong-gone", "balance-wrong", "for one answer",
        "tells the right one again",
        "the next comparison agrees, and trading is ACTIVE again",
        "test_venue.py::test_a_balance_that_is_right_again_lets_us_trade",
    ),
)  # fmt: skip

KILLS = (
    Row(
        "kill-request-received", "request-received", "signal = \"KILL\"",
        "has a new order, and nothing is done about it yet",
        "the next start finds the order by its id, cancels it as a leftover, and the ledger is the venue's",
        "test_kill_points.py::test_killed_at_a_kill_point_nothing_is_lost",
    ),
    Row(
        "kill-cancel-received", "cancel-received", "signal = \"KILL\"",
        "has a cancel, and nothing is done about it yet",
        "the next start asks what became of the order; CANCELED counts once",
        "test_kill_points.py::test_killed_at_a_kill_point_nothing_is_lost",
    ),
    Row(
        "kill-answer-sent", "answer-sent", "signal = \"KILL\"",
        "has answered a new order, its events have not left",
        "the same as the first; an order in the kernel's buffer is as unknown as one on the wire",
        "test_kill_points.py::test_killed_at_a_kill_point_nothing_is_lost",
    ),
    Row(
        "kill-fill-sent", "fill-sent", "signal = \"KILL\"",
        "has told a fill whose order is not acknowledged",
        "the fill is booked once, by the trades of after the last one in the journal",
        "test_kill_points.py::test_killed_at_a_kill_point_nothing_is_lost",
    ),
    Row(
        "kill-query-page", "query-page", "signal = \"KILL\"",
        "has sent a page of a longer list of trades",
        "the second recovery begins where the journal ends, reads every page, and books each trade once",
        "test_kill_points.py::test_killed_between_two_pages_each_trade_is_booked_once",
    ),
)  # fmt: skip

SECTIONS: dict[str, tuple[Row, ...]] = {
    "Market data": MARKET,
    "Connections": CONNECTIONS,
    "Requests": REQUESTS,
    "Answers and queries": ANSWERS,
    "The private stream": PRIVATE_STREAM,
    "The venue itself": VENUE,
    "Killed at a point": KILLS,
}
ROWS: dict[str, Row] = {row.name: row for rows in SECTIONS.values() for row in rows}
