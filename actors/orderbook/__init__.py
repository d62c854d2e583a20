"""The L2 books: what lies at each price, whether it may be believed, and what others need to see of it.

Takes a gapless depth stream and asserts that it is one; answers with the touch, a view of the best levels, and the word
INVALID before anyone could use a book that is wrong. Pure: no clock, no I/O.

Reading order: book, entry (with what surrounds it), validity (the table); watched and spread (what others ask); tops, checksums
and witness (what says that a book is wrong); actor.
"""

from actors.orderbook.actor import Orderbook
from actors.orderbook.book import Book
from actors.orderbook.entry import LiveBook, live

__all__ = ["Book", "LiveBook", "Orderbook", "live"]
