"""What can be wrong with the configuration of this venue. What the venue sends wrong is a value, never an exception.

BinanceSpotError
└── SigningKeyError  the key does not parse: replace the key file

exchangeInfo that does not give what the configuration asks for is a gateway.text.SymbolError, as with every venue.
"""


class BinanceSpotError(Exception):
    """Base of this folder's errors."""


class SigningKeyError(BinanceSpotError):
    """Says which kind of key was expected; never shows any of it."""
