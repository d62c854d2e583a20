"""Binance Spot, as pure functions: bytes in, values out, and back. No I/O, no clock; the doors hold the sockets.

Reading order: decimals, codec (market data), symbols, signing, outcomes, orders (WebSocket API), queries (REST).
"""
