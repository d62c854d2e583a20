"""Binance Spot, as pure functions: bytes in, values out, and back. No I/O, no clock; the doors hold the sockets.

Reading order: market data: decimals, codec (the fast route), slow (any JSON), rule, symbols, market; orders: signing, outcomes
(what an error proves), frames and orders (WebSocket API), events, order_rest, answers, records and queries (REST),
past_orders, limits. The futures take from here what is the same there.
"""
