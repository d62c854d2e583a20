"""Binance USD-M futures' protocol over the core: a second face, with positions and margin for money.

Pure: positions, margin_account and margin (the money); filters, errors, text, parameters, terms; funding, countdowns,
liquidation, listen_keys, income, counts; payloads, account_payloads, market_payloads. With the market: publisher, users, chores,
market, opening. What can be asked: api, then market_data, account, orders, modify, cancels, order_queries, gathered in table.
Its doors: rest, websocket_api, routes, face; faulted for whoever spoils it.
"""
