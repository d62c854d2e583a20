"""What can be wrong between a configuration and a venue's metadata. What a venue's stream sends wrong is a value instead."""

from collections.abc import Iterable
from difflib import get_close_matches

NAMES = ("symbol", "product_id")
"""Fields in which venues write the symbol's own name: the whole symbol is at fault."""


class SymbolError(Exception):
    """The venue's metadata do not give what the configuration asks for: change one of them.

    venue_symbol: "" when the whole body is at fault. field: path inside the symbol, or one of NAMES. remedy: what the
    operator can do.
    """

    def __init__(self, venue_symbol: str, field: str, problem: str, remedy: str) -> None:
        whose = (
            f"symbol {venue_symbol}" if venue_symbol and field in NAMES else f"{venue_symbol or 'metadata'}: {field}:"
        )
        super().__init__(f"{whose} {problem}; {remedy}")
        self.venue_symbol = venue_symbol
        self.field = field
        self.problem = problem
        self.remedy = remedy


class NotListed(SymbolError):
    """The venue can be read, and does not name the symbol."""


class NotTrading(SymbolError):
    """The venue names the symbol, and says that nobody trades it now."""


def look_again(meant: str, listed: Iterable[str], source: str) -> str:
    """The remedy for a symbol that is not listed: those most like `meant`, else what to take one from."""
    close = get_close_matches(meant, listed, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else f"take {source}"
