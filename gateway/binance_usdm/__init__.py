"""Binance USD-M futures, market data only, as pure functions: bytes in, values out. No I/O, no clock.

Reading order: codec (the fast route), slow (any JSON), rule, symbols, market.
"""
