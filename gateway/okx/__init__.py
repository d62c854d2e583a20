"""OKX v5's public market data, as pure functions: bytes in, values out. No I/O, no clock.

Reading order: rule, checksum, codec (fast route), slow (any JSON), symbols, market. Page: docs/venues/okx.md.
"""
