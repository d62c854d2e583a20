"""Rows of requests, answers, queries and the private stream."""

from .row import Row

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
        "no new order leaves before that: RATE_LIMIT, by the door itself; a cancel now and then does",
        "test_requests.py::test_no_order_leaves_before_the_venue_wants_it",
    ),
    Row(
        "rate-limited-query", "rate-limited", 'door = "rest"; retry_s = 3',
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
        "noticed by itself: the stream is SUSPECT, said by an alert (private_stream_suspect), and the orders are asked about at once; "
        "if it still has not told what the venue has, it is given up for another one",
        "test_private_stream.py::test_a_silent_private_stream_is_noticed",
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
