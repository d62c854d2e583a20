"""The index behind the order journal, in SQLite, for people and look-ups. One thread; the engine never waits for it.

The thread follows the journal on disk, so there is no queue that could fill: when it is slow it is behind, and catches
up. What it holds outlives the journal's own retention, so a change of schema is a step in `schema.UPGRADES`; a store that is
not of this journal, or of a program that this one does not know, is set aside under another name and made anew from what
the journal still has. Rows and the number of the last indexed record are written in one transaction: after a kill it goes on
exactly behind it. Besides it only coordination.local touches sqlite3.

schema  tables and statements     rows  a record of the journal as rows     tail  following the journal
database  the file                index  the thread            lookup  the door: one order, for the engine
"""

from gateway.doors.store.index import JournalIndex
from gateway.doors.store.lookup import StoreDoor
from gateway.doors.store.schema import SCHEMA_VERSION

__all__ = ["SCHEMA_VERSION", "JournalIndex", "StoreDoor"]
