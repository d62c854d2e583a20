"""What touches the world: sockets, requests, the store. One door a library; a venue's own words stay in its folder.

market data  feed, connection, line; pace and redial (how often)
orders       order (the commit point), session, private_socket, order_rest (the second way), order_venue (what a venue must give)
questions    rest
what they share  websocket, http, budget and window (what the venue allows), venue_time
beside them  dead_man; store (the index behind the journal), coordination (what instances agree on)
"""
