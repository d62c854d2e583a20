"""Binance Spot's protocol over the core: REST, WebSocket API, market streams, user data stream."""
