"""What each venue would send of a book that is known to be true: frames for tests, conformance and benches. Pure.

Written from the venues' documents and recordings alone, never from the codecs: one author's misreading is not repeated.
"""

from .true_book import TrueBook
from .wire import Wire

__all__ = ["TrueBook", "Wire"]
