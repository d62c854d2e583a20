"""RFC 3339 stamps against the standard library's calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text import BadStamp, count_ns, stamp_ns

LAST_NS = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2261, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001  # the strategy wants it naive


@given(st.datetimes(EPOCH.replace(tzinfo=None), LAST), st.integers(0, 9))
def test_every_moment_of_64_bits_equals_the_standard_librarys(moment: datetime, decimals: int) -> None:
    fraction = f"{moment.microsecond * 1_000:09d}"[:decimals]
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (f".{fraction}" if decimals else "") + "Z"
    whole_s = (moment.replace(microsecond=0, tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
    assert stamp_ns(text) == whole_s * 1_000_000_000 + int(fraction.ljust(9, "0"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-08-24T22:21:58",
        "2026-08-24T22:21:58.343688",
        "2026-08-24T22:21:58.Z",
        "2026-08-24T22:21:58.1234567890Z",
        "2026-08-24T22:21:58+00:00",
        "2026-08-24 22:21:58.343688Z",
        "2026-13-24T22:21:58.343688Z",
        "2026-08-24T24:21:58.343688Z",
        "1969-12-31T23:59:59.000000Z",
        "9999-01-01T00:00:00.000000Z",
        "2026-08-24T22:21:61.000000Z",
        "2026-08-24T22:21:5٣.343688Z",
        "٢٠٢٦-08-24T22:21:58.343688Z",
        "20260824T222158.343688000000Z",
    ],
)
def test_what_is_no_stamp_in_utc_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadStamp):
        stamp_ns(text)


@pytest.mark.parametrize(
    ("text", "unit_ns", "told"),
    [("0", 1, 0), ("1688639403423", 1_000_000, 1_688_639_403_423_000_000), (str(LAST_NS), 1, LAST_NS)],
)
def test_a_count_of_units_since_1970(text: str, unit_ns: int, told: int) -> None:
    assert count_ns(text, unit_ns) == told


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.5", "1_0", " 1", "1e3", "٣", str(LAST_NS + 1), "9" * 5_000])
def test_what_is_no_count_or_not_64_bits_is_refused(text: str) -> None:
    with pytest.raises(BadStamp):
        count_ns(text, 1)
    with pytest.raises(BadStamp):
        count_ns(str(LAST_NS // 1_000 + 1), 1_000)


@given(st.text(alphabet="0123456789-:TZ.+ ", max_size=32))
def test_any_other_text_is_read_or_refused(text: str) -> None:
    try:
        assert stamp_ns(text) >= 0
    except BadStamp:
        return
