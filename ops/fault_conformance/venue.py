"""Rows of the venue itself, and of kill points."""

from .row import Row

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
