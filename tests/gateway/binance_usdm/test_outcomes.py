"""What an error proves: only a definite no is a no, and every code the documents have for an order has a row."""

import pytest

from bus.messages import Outcome, RequestKind
from gateway.binance_usdm.outcomes import OUTCOMES, outcome_of, query_refused

SUBMIT, CANCEL = RequestKind.SUBMIT, RequestKind.CANCEL
REFUSED, AMBIGUOUS = Outcome.REFUSED, Outcome.AMBIGUOUS

DOCUMENTED = {
    *(-1000, -1001, -1002, -1003, -1004, -1005, -1006, -1007, -1008, -1010, -1011, -1013, -1014, -1015, -1016, -1020),
    *(-1021, -1022, -1099, *range(-1106, -1099), *range(-1123, -1107), *range(-1128, -1124), -1130, -1136),
    *range(-2028, -2009),
    *range(-4033, -3999),
    *range(-4088, -4043),
    *(-4104, -4109, -4114, -4115, -4116, -4117, -4118, -4120, -4131, -4135, *range(-4142, -4136), -4144, -4161, -4164),
    *(-4165, *range(-4172, -4166), -4183, -4184, -4192, -4202, -4203, -4205, -4206, -4208, -4209, -4210, -4211),
    *(*range(-4403, -4399), -5021, -5022, *range(-5029, -5023), *range(-5041, -5036), -5043),
}
"""Documents of USD-M futures, "Error Code", read 2026-11."""
OF_OTHER_REQUESTS = {
    -1023: "a window of time",
    **dict.fromkeys(
        [-4008, -4009, -4010, -4011, -4012, -4017, -4018, -4025, -4026, -4029, -4030, -4033], "the venue's own rules"
    ),
    **dict.fromkeys([-4021, -4028, -4044, -4046, -4047, -4048, -4049, *range(-4055, -4051)], "depth, leverage, margin"),
    **dict.fromkeys([-4058, -4059, *range(-4083, -4062), -4085, -4086], "position mode, options, batches"),
    **dict.fromkeys(
        [-4114, -4115, -4161, -4165, *range(-4172, -4166), -4202, -4203, -4205, -4206], "transfers, modes, leverage"
    ),
    **dict.fromkeys([-4208, -4209, -4403, -5024, -5026, -5027, -5029, -5043], "leverage, amendments"),
}


def test_each_documented_code_has_a_row_or_is_of_another_request() -> None:
    rows = {code for _, code in OUTCOMES}
    assert DOCUMENTED - rows - OF_OTHER_REQUESTS.keys() == set()
    assert rows & OF_OTHER_REQUESTS.keys() == set()


@pytest.mark.parametrize(
    ("request_kind", "status", "code", "outcome"),
    [
        (SUBMIT, 400, -2019, REFUSED),
        (SUBMIT, 400, -2021, REFUSED),
        (SUBMIT, 400, -2022, REFUSED),
        (SUBMIT, 400, -4164, REFUSED),
        (SUBMIT, 400, -5022, REFUSED),
        (SUBMIT, 400, -5028, REFUSED),
        (SUBMIT, 400, -1021, REFUSED),
        (SUBMIT, 400, -1111, REFUSED),
        (SUBMIT, 429, -1015, REFUSED),
        (SUBMIT, 403, 0, REFUSED),
        (SUBMIT, 418, 0, REFUSED),
        (SUBMIT, 400, -4116, AMBIGUOUS),
        (SUBMIT, 400, -1006, AMBIGUOUS),
        (SUBMIT, 408, -1007, AMBIGUOUS),
        (SUBMIT, 503, -1008, AMBIGUOUS),
        (SUBMIT, 400, -1008, AMBIGUOUS),
        (SUBMIT, 503, -2019, AMBIGUOUS),
        (SUBMIT, 400, -2011, AMBIGUOUS),
        (SUBMIT, 400, -4046, AMBIGUOUS),
        (SUBMIT, 400, -9999, AMBIGUOUS),
        (SUBMIT, 400, 0, AMBIGUOUS),
        (CANCEL, 400, -2011, REFUSED),
        (CANCEL, 400, -2013, REFUSED),
        (CANCEL, 400, -2022, AMBIGUOUS),
        (CANCEL, 400, -1007, AMBIGUOUS),
        (CANCEL, 504, -2011, AMBIGUOUS),
    ],
)
def test_what_an_error_proves(request_kind: RequestKind, status: int, code: int, outcome: Outcome) -> None:
    assert outcome_of(request_kind, status, code, "whatever it says") is outcome


@pytest.mark.parametrize(
    ("status", "code", "refused"),
    [
        (400, -2013, True),
        (400, -1121, True),
        (429, -1003, True),
        (400, -1007, False),
        (503, -1003, False),
        (200, 0, False),
    ],
)
def test_a_query_changes_nothing_so_a_4xx_is_a_no(status: int, code: int, refused: bool) -> None:
    assert query_refused(status, code) is refused
