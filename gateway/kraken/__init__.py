"""Kraken Spot's WebSocket v2 market data, as pure functions: bytes in, values out. No I/O, no clock.

Reading order: rule, checksum, codec (fast route), slow (any JSON), numbers, symbols, market. Page: docs/venues/kraken.md.
"""
