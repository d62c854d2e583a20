"""Binance USD-M futures as pure functions: bytes in, values out. No I/O, no clock.

Reading order: market data: codec (the fast route), slow (any JSON), rule, symbols, market; orders: outcomes (what an error
proves), events, orders, order_rest, queries, account, limits. What is as on Spot is taken from gateway/binance_spot.
"""
