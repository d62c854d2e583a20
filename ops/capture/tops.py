"""The top of each book after each update, as rows of a CSV: what a recording is compared with elsewhere."""

import csv
from typing import TextIO

from gateway.text import decimal_text

HEADER = ("received_ns", "symbol", "update_id", "bid", "bid_quantity", "ask", "ask_quantity")
Top = tuple[int, int, int, int]
"""bid, its quantity, ask, its quantity; 0 and 0 where a side is empty."""


class TopsWriter:
    """Decimal text without trailing zeros; empty fields where a side is empty, or the venue has no update ids."""

    def __init__(self, out: TextIO) -> None:
        self._write = csv.writer(out, lineterminator="\n").writerow
        self._write(HEADER)

    def row(
        self, received_ns: int, symbol: str, update_id: int | str, top: Top, price_scale: int, quantity_scale: int
    ) -> None:
        bid, bid_quantity, ask, ask_quantity = top
        self._write(
            (
                received_ns,
                symbol,
                update_id,
                decimal_text(bid, price_scale) if bid_quantity else "",
                decimal_text(bid_quantity, quantity_scale) if bid_quantity else "",
                decimal_text(ask, price_scale) if ask_quantity else "",
                decimal_text(ask_quantity, quantity_scale) if ask_quantity else "",
            )
        )
