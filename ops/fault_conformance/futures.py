"""Rows of the USD-M futures face: the same faults on other words, another private stream, another ledger."""

from .row import Row

TEST = "test_futures.py::test_faults_of_the_futures_face_leave_equal_books"

FUTURES = (
    Row(
        "futures-request-lost", "request-lost", "",
        "loses new orders before they reach the matching engine",
        "UNKNOWN, reserved, asked about until the venue's word counts; never sent again",
        TEST,
    ),
    Row(
        "futures-answer-lost", "answer-lost", "",
        "takes new orders and answers none",
        "known by their events; wallet and position equal",
        TEST,
    ),
    Row(
        "futures-unknown", "unknown", "",
        "answers new orders with -1007, done or not",
        "UNKNOWN until events or queries tell",
        TEST,
    ),
    Row(
        "futures-fill-after-cancel", "fill-after-cancel", "",
        "fills a part of an order as its cancel comes in, and tells it after",
        "the late fill is booked, with what it realized",
        TEST,
    ),
    Row(
        "futures-user-drop", "user-drop", "",
        "loses events of the private stream, fills among them",
        "found by the look, by trade id: position and wallet as if they had come",
        TEST,
    ),
    Row(
        "futures-user-double", "user-double", "",
        "sends events of the private stream twice",
        "booked once",
        TEST,
    ),
    Row(
        "futures-user-end", "user-end", "",
        "lets the listen key expire (listenKeyExpired)",
        "both sockets are given up and dialed anew: CANCEL_ONLY, reconciled, ACTIVE",
        "test_futures.py::test_a_listen_key_that_expires_ends_the_session",
    ),
    Row(
        "futures-disconnect", "disconnect", "",
        "cuts the order connection and the private stream's",
        "the same",
        "test_futures.py::test_connections_that_are_cut_are_dialed_anew_together",
    ),
)  # fmt: skip
