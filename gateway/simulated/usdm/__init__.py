"""Binance USD-M futures' protocol over the core: a second face, with positions and margin for money.

Reading order: text, errors, filters, positions, margin (pure); profiles, market; parameters, terms, payloads, account_payloads;
api, account_api, market_api, operations; then listen_keys, users, publisher, routes, websocket_api, face.
"""
