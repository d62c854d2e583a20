"""Recorded venue traffic: reading it, and proving books with it."""

from ops.capture.reader import BadCapture, Capture, Record, read_capture
from ops.capture.verify import SUPPORTED_VENUES, UnsupportedVenue, Verifier, VerifyResult, supported_capture, verify

__all__ = [
    "SUPPORTED_VENUES",
    "BadCapture",
    "Capture",
    "Record",
    "UnsupportedVenue",
    "Verifier",
    "VerifyResult",
    "read_capture",
    "supported_capture",
    "verify",
]
