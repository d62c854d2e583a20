"""Recorded venue traffic: reading it, writing it, and proving books with it.

Reading order: reader, writer (the format); learnt, recorded, scales, sources (what a recording says
beside its books); pump,
verifier (one run), verify; session (one live file), recorder.
"""

from ops.capture.learnt import Learnt
from ops.capture.reader import BadCapture, Capture, Record, read_capture
from ops.capture.result import VerifyResult
from ops.capture.verifier import Verifier
from ops.capture.verify import UnsupportedVenue, attempts, capture_name, config_name, market_of, verify

__all__ = [
    "BadCapture",
    "Capture",
    "Learnt",
    "Record",
    "UnsupportedVenue",
    "Verifier",
    "VerifyResult",
    "attempts",
    "capture_name",
    "config_name",
    "market_of",
    "read_capture",
    "verify",
]
