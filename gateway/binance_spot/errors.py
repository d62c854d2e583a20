"""What can be wrong with the configuration of this venue. What the venue sends wrong is a value, never an exception.

BinanceSpotError
├── SymbolError      exchangeInfo does not give what the configuration asks for: change one of them
└── SigningKeyError  the key does not parse: replace the key file
"""


class BinanceSpotError(Exception):
    """Base of this folder's errors."""


class SymbolError(BinanceSpotError):
    """venue_symbol: "" when the whole body is at fault. field: path inside the symbol. remedy: what the operator can do."""

    def __init__(self, venue_symbol: str, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{venue_symbol or 'exchangeInfo'}: {field}: {problem}; {remedy}")
        self.venue_symbol = venue_symbol
        self.field = field
        self.problem = problem
        self.remedy = remedy


class SigningKeyError(BinanceSpotError):
    """Says which kind of key was expected; never shows any of it."""
