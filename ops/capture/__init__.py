"""Recorded venue traffic: reading it, and proving books with it."""

from ops.capture.reader import BadCapture, Capture, Record, read_capture
from ops.capture.verify import SUPPORTED_VENUES, UnsupportedVenue, VerifyResult, verify

__all__ = [
    "SUPPORTED_VENUES",
    "BadCapture",
    "Capture",
    "Record",
    "UnsupportedVenue",
    "VerifyResult",
    "read_capture",
    "verify",
]
