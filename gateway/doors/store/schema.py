"""The tables, how an older version becomes the present one, and the statements."""

from bus.messages import DONE

SCHEMA_VERSION = 3

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE instruments (
    instrument INTEGER, version INTEGER, symbol TEXT, base_asset TEXT, quote_asset TEXT,
    price_scale INTEGER, quantity_scale INTEGER, base_scale INTEGER, quote_scale INTEGER, tick INTEGER, lot INTEGER,
    PRIMARY KEY (instrument, version)) WITHOUT ROWID;
CREATE TABLE orders (
    client_order_id TEXT PRIMARY KEY, account INTEGER, venue INTEGER, instrument INTEGER, version INTEGER, owner TEXT,
    venue_order_id INTEGER, command INTEGER, side TEXT, price_ticks INTEGER, quantity_lots INTEGER,
    cumulative_lots INTEGER, leaves_lots INTEGER, status TEXT, reduce_only INTEGER, refusal TEXT,
    updated_ns INTEGER, update_number INTEGER, unit INTEGER DEFAULT 0, code INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE INDEX orders_by_venue ON orders (instrument, venue_order_id);
CREATE INDEX orders_by_age ON orders (updated_ns);
CREATE TABLE fills (
    account INTEGER, number INTEGER, venue INTEGER, instrument INTEGER, version INTEGER, owner TEXT,
    client_order_id TEXT, venue_order_id INTEGER, trade_id INTEGER, side TEXT, price INTEGER, quantity INTEGER,
    quantity_lots INTEGER, quote INTEGER, fee INTEGER, fee_asset TEXT, is_maker INTEGER, late INTEGER, venue_ns INTEGER,
    PRIMARY KEY (account, number)) WITHOUT ROWID;
CREATE INDEX fills_by_order ON fills (client_order_id);
CREATE TABLE requests (
    record INTEGER PRIMARY KEY, request TEXT, client_order_id TEXT, cancel_id TEXT, attempt INTEGER, epoch INTEGER,
    instrument INTEGER, side TEXT, price_ticks INTEGER, quantity_lots INTEGER, input_offset INTEGER, written_ns INTEGER);
CREATE INDEX requests_by_order ON requests (client_order_id);
CREATE TABLE positions (
    account INTEGER, instrument INTEGER, venue INTEGER, version INTEGER, number INTEGER, position INTEGER,
    position_lots INTEGER, cost INTEGER, realized INTEGER, average_price REAL,
    PRIMARY KEY (account, instrument)) WITHOUT ROWID;
CREATE VIEW orders_readable AS SELECT
    o.client_order_id, coalesce(
        (SELECT n.symbol FROM instruments n WHERE n.instrument = o.instrument), o.instrument) AS symbol,
    o.owner, o.side, o.status, o.refusal,
    printf('%.' || i.price_scale || 'f', o.price_ticks * i.tick / CAST('1e' || i.price_scale AS REAL)) AS price,
    printf('%.' || i.quantity_scale || 'f', o.quantity_lots * i.lot / CAST('1e' || i.quantity_scale AS REAL)) AS quantity,
    printf('%.' || i.quantity_scale || 'f', o.cumulative_lots * i.lot / CAST('1e' || i.quantity_scale AS REAL)) AS executed,
    printf('%.' || i.quantity_scale || 'f', o.leaves_lots * i.lot / CAST('1e' || i.quantity_scale AS REAL)) AS leaves,
    o.venue_order_id, datetime(o.updated_ns / 1000000000, 'unixepoch') AS updated
FROM orders o LEFT JOIN instruments i USING (instrument, version);
"""
"""Integers as in the messages; names of enums as text. The view is for people: decimal text by the scales of the order's own
version of the instrument, and none where that is not known any more (the index was made anew).
"""

UPGRADES: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE orders ADD COLUMN unit INTEGER DEFAULT 0",
        "ALTER TABLE orders ADD COLUMN code INTEGER DEFAULT 0",
        "CREATE INDEX orders_by_age ON orders (updated_ns)",
    ),
}
"""By version: what makes the next one of it."""

ORDER = """INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (client_order_id) DO UPDATE SET
    venue_order_id = excluded.venue_order_id, quantity_lots = excluded.quantity_lots,
    cumulative_lots = excluded.cumulative_lots, leaves_lots = excluded.leaves_lots, status = excluded.status,
    refusal = excluded.refusal, updated_ns = excluded.updated_ns, update_number = excluded.update_number,
    unit = excluded.unit, code = excluded.code
WHERE excluded.update_number > orders.update_number"""
FILL = "INSERT OR IGNORE INTO fills VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
REQUEST = "INSERT OR IGNORE INTO requests VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
POSITION = """INSERT INTO positions VALUES (?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (account, instrument) DO UPDATE SET
    version = excluded.version, number = excluded.number, position = excluded.position,
    position_lots = excluded.position_lots, cost = excluded.cost, realized = excluded.realized,
    average_price = excluded.average_price
WHERE excluded.number > positions.number"""
DONE_NAMES = tuple(sorted(status.name for status in DONE))
OLD = f"""SELECT client_order_id FROM orders WHERE updated_ns < ? AND status IN ({",".join("?" * len(DONE_NAMES))})
ORDER BY updated_ns LIMIT ?"""
INSTRUMENT = "INSERT OR REPLACE INTO instruments VALUES (?,?,?,?,?,?,?,?,?,?,?)"
