"""What an error proves: only a definite no is a no."""

import pytest

from bus.messages import Outcome, RequestKind
from gateway.binance_spot.outcomes import DUPLICATE, OUTCOMES, outcome_of, query_refused

SUBMIT, CANCEL = RequestKind.SUBMIT, RequestKind.CANCEL
REFUSED, AMBIGUOUS = Outcome.REFUSED, Outcome.AMBIGUOUS


@pytest.mark.parametrize(
    ("request_kind", "status", "code", "text", "outcome"),
    [
        (SUBMIT, 400, -2010, "Account has insufficient balance for requested action.", REFUSED),
        (SUBMIT, 400, -2010, "Order would immediately match and take.", REFUSED),
        (SUBMIT, 400, -2010, DUPLICATE, AMBIGUOUS),
        (SUBMIT, 400, -1013, "Filter failure: NOTIONAL", REFUSED),
        (SUBMIT, 429, -1015, "Too many new orders.", REFUSED),
        (SUBMIT, 429, -1003, "Too many requests queued.", REFUSED),
        (SUBMIT, 418, 0, "", REFUSED),
        (SUBMIT, 403, 0, "", REFUSED),
        (SUBMIT, 400, -1021, "Timestamp for this request is outside of the recvWindow.", REFUSED),
        (SUBMIT, 400, -1102, "Mandatory parameter 'price' was not sent.", REFUSED),
        (SUBMIT, 401, -2015, "Invalid API-key, IP, or permissions for action.", REFUSED),
        (SUBMIT, 400, -1006, "", AMBIGUOUS),
        (SUBMIT, 400, -1007, "", AMBIGUOUS),
        (SUBMIT, 503, -1008, "", AMBIGUOUS),
        (SUBMIT, 500, -1013, "a definite code on a 5xx is no definite no", AMBIGUOUS),
        (SUBMIT, 502, 0, "", AMBIGUOUS),
        (SUBMIT, 409, -2021, "", AMBIGUOUS),
        (SUBMIT, 400, -9999, "a code of tomorrow", AMBIGUOUS),
        (SUBMIT, 400, 0, "", AMBIGUOUS),
        (SUBMIT, 400, -2011, "not an answer to a submit", AMBIGUOUS),
        (CANCEL, 400, -2011, "Unknown order sent.", REFUSED),
        (CANCEL, 400, -2013, "Order does not exist.", REFUSED),
        (CANCEL, 400, -1007, "", AMBIGUOUS),
        (CANCEL, 400, -9999, "", AMBIGUOUS),
        (CANCEL, 504, -2011, "", AMBIGUOUS),
    ],
)
def test_an_error_proves_what_the_table_says(
    request_kind: RequestKind, status: int, code: int, text: str, outcome: Outcome
) -> None:
    assert outcome_of(request_kind, status, code, text) is outcome


def test_the_table_never_says_result() -> None:
    assert set(OUTCOMES.values()) == {REFUSED, AMBIGUOUS}


@pytest.mark.parametrize(
    ("status", "code", "refused"),
    [(400, -1121, True), (429, -1003, True), (403, 0, True), (400, -1007, False), (503, -1008, False), (302, 0, False)],
)
def test_a_query_is_refused_by_4xx_only(status: int, code: int, refused: bool) -> None:
    assert query_refused(status, code) is refused
